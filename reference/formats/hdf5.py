"""HDF5 files that carry an optimizer: whole models (`.h5`) and weights alone (`.weights.h5`).

Source       keras 2.15.0, saving/legacy/hdf5_format.py; keras 3.15.1, src/legacy/saving and src/saving/saving_lib.py
.h5          attributes keras_version, training_config (JSON); group optimizer_weights: its attribute weight_names (or
             weight_names0, weight_names1 ... where the list is long) has the names, each the path of a dataset
.weights.h5  group optimizer/vars with the datasets 0, 1, 2 ...; the state of an optimizer that is wrapped is among
             them, and stands a second time in a group of its own: optimizer/inner_optimizer/vars (tf2.15, keras3) or
             optimizer/_optimizer/vars (tf2.12)

A corrupt file may crash or stall the HDF5 library, so that another process reads it, with limited memory and time.
"""

from __future__ import annotations

import atexit
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np

from .errors import FileFormatError
from .saved import Document, SavedOptimizer, Weight, is_number, optimizer_config, parsed, renewed

SIGNATURE = b"\x89HDF\r\n\x1a\n"
SECONDS = 60.0
BYTES_PER_SECOND = 20_000_000
CHILD = "goldenstep.reference.formats.hdf5_child"


def read(path: Path, seconds: float = SECONDS) -> SavedOptimizer:
    """The optimizer of a `.h5` or `.weights.h5` file; FileFormatError, naming the file, if it is none.

    What takes longer than `seconds`, and another for every 20 megabytes, is taken for a corrupt file.
    """
    return _read(path, seconds)[0]


def _read(path: Path, seconds: float) -> tuple[SavedOptimizer, Document]:
    """The optimizer, and what else is known of the file."""
    try:
        with path.open("rb") as file:
            start = file.read(len(SIGNATURE))
        if start != SIGNATURE:
            raise FileFormatError(f"expected HDF5, which begins with {SIGNATURE!r}, got {start!r}")
        found, arrays = _READER.content(path, seconds + path.stat().st_size / BYTES_PER_SECOND)
        whole = "optimizer_weights" in found["groups"]
        return _model(found, arrays) if whole else _weights_alone(found, arrays), found
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error


Arrays = dict[str, np.ndarray]
LONGEST = 64_512
"""So many bytes of names are in one attribute of the releases' files at most."""


def write(path: Path, saved: SavedOptimizer, base: Path, seconds: float = SECONDS) -> None:
    """Write `base`, a file with a model, with the state and config of another optimizer in it, to `path`."""
    before, found = _read(base, seconds)
    config = None if before.config is None else renewed(before.config, saved.config)
    if before.format == "h5":
        group, names = "optimizer_weights", [weight.name for weight in saved.weights]
        places = [f"optimizer_weights/{name}" for name in names]
        attributes = {"optimizer_weights": _pieces(names)} if names else {}
    else:
        group, places = "optimizer", [f"optimizer/vars/{index}" for index in range(len(saved.weights))]
        attributes = {"optimizer/vars": found["groups"].get("optimizer/vars", {})}
    shutil.copyfile(base, path)
    _READER.replace(path, group, config, attributes, places, saved, seconds)


def _pieces(names: list[str]) -> Document:
    """The attribute weight_names, in numbered pieces where one would be too long, as even as the releases have them."""
    widest = max(len(name.encode()) for name in names)
    if widest > LONGEST:
        raise FileFormatError(f"optimizer_weights: a name of {widest} bytes, expected at most {LONGEST}")
    each = LONGEST // widest
    if len(names) <= each:
        return {"weight_names": names}
    pieces = np.array_split(np.array(names), -(-len(names) // each))
    return {f"weight_names{number}": piece.tolist() for number, piece in enumerate(pieces)}


def _model(found: Document, arrays: Arrays) -> SavedOptimizer:
    names = _names(found["groups"]["optimizer_weights"])
    missing = [name for name in names if f"optimizer_weights/{name}" not in arrays]
    if missing:
        raise FileFormatError(f"optimizer_weights: weight_names has {missing[0]!r}, expected a dataset of that name")
    if len(set(names)) < len(names):
        raise FileFormatError("optimizer_weights: expected every name in weight_names once")
    weights = [Weight(name, arrays[f"optimizer_weights/{name}"]) for name in names]
    return SavedOptimizer("h5", weights, _training_config(found), found["attributes"].get("keras_version"))


def _names(attributes: Document) -> list[str]:
    """The attribute weight_names, or its numbered pieces."""
    several = itertools.takewhile(attributes.__contains__, map("weight_names{}".format, itertools.count()))
    pieces = ["weight_names"] if "weight_names" in attributes else several
    names = [name for piece in pieces for name in attributes[piece]]
    if not all(isinstance(name, str) for name in names):
        raise FileFormatError("optimizer_weights: expected the attribute weight_names to be a list of names")
    return names


def _training_config(found: Document) -> Document | None:
    text = found["attributes"].get("training_config")
    if not isinstance(text, str):
        return None
    document = parsed(text, "training_config")
    config = document.get("optimizer_config") if isinstance(document, dict) else None
    if config is None:
        raise FileFormatError("training_config: expected an object with optimizer_config")
    return optimizer_config(config, "training_config.optimizer_config")


def _weights_alone(found: Document, arrays: Arrays) -> SavedOptimizer:
    if "training_config" in found["attributes"]:
        version = found["attributes"].get("keras_version")
        return SavedOptimizer("h5", [], _training_config(found), version)
    known = {"layers", "_layer_checkpoint_dependencies", "model_weights", "optimizer"} & set(found["top"])
    if not known and "keras_version" not in found["attributes"]:
        raise FileFormatError(
            f"expected a model or its weights as Keras writes them, got the groups {found['top'][:5]}"
        )
    return SavedOptimizer("weights.h5", numbered(arrays))


def numbered(arrays: Arrays) -> list[Weight]:
    """The datasets of `optimizer` in the order of their groups and numbers, which must go from 0 on.

    Where there is optimizer/vars, it has them all.
    """
    groups: dict[str, dict[int, np.ndarray]] = {}
    for path, value in arrays.items():
        group, _, last = path.rpartition("/")
        if not is_number(last) or str(int(last)) != last or not group.endswith("vars"):
            raise FileFormatError(f"{path}: expected datasets 0, 1, 2 ... in groups called vars")
        groups.setdefault(group, {})[int(last)] = value
    for group, values in groups.items():
        if sorted(values) != list(range(len(values))):
            raise FileFormatError(f"{group}: expected the datasets 0 to {len(values) - 1}, got {sorted(values)[:9]}")
    whole = [group for group in groups if group == "optimizer/vars"]
    order = whole or sorted(groups, key=lambda group: (group.count("/"), group))
    return [Weight(f"{group}/{index}", groups[group][index]) for group in order for index in sorted(groups[group])]


class _Reader:
    """The process that opens HDF5 files; it starts with the first file, and anew after a crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def content(self, path: Path, seconds: float) -> tuple[Document, Arrays]:
        """Attributes, groups and datasets of the parts of a file that concern an optimizer."""
        request = {
            "path": str(path.resolve()),
            "groups": ["optimizer_weights", "optimizer"],
            "attributes": ["keras_version", "training_config"],
        }
        return self._ask(request, b"", seconds)

    def replace(
        self,
        path: Path,
        remove: str,
        config: Document | None,
        attributes: Document,
        places: list[str],
        saved: SavedOptimizer,
        seconds: float,
    ) -> None:
        """Replace a group of a file by the weights of an optimizer, at the given places."""
        arrays = [np.ascontiguousarray(weight.value).reshape(weight.value.shape) for weight in saved.weights]
        datasets = [
            {"path": place, "dtype": array.dtype.str, "shape": list(array.shape)}
            for place, array in zip(places, arrays, strict=True)
        ]
        data = b"".join(array.tobytes() for array in arrays)
        request = {
            "path": str(path.resolve()),
            "remove": remove,
            "config": config,
            "group_attributes": attributes,
            "datasets": datasets,
        }
        self._ask(request, data, seconds)

    def _ask(self, request: Document, data: bytes, seconds: float) -> tuple[Document, Arrays]:
        request = {**request, "bytes": len(data)}
        with self._lock:
            process = self._started()
            assert process.stdin
            late = threading.Event()

            def end() -> None:
                late.set()
                process.kill()

            timer = threading.Timer(seconds, end)
            timer.start()
            try:
                process.stdin.write(json.dumps(request).encode() + b"\n" + data)
                process.stdin.flush()
                answer = self._answer(process)
            except (OSError, EOFError) as error:
                self.stop()
                why = f"did not finish in {seconds:g} seconds" if late.is_set() else "crashed the HDF5 library"
                raise FileFormatError(f"expected HDF5 that can be read, this file {why}") from error
            finally:
                timer.cancel()
        if "error" in answer[0]:
            raise FileFormatError(f"expected HDF5 that can be read: {answer[0]['error']}")
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            variables = {**os.environ, "HDF5_PLUGIN_PRELOAD": "::", "OPENBLAS_NUM_THREADS": "1"}
            self._process = subprocess.Popen(
                [sys.executable, "-m", CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=variables,
            )
        return self._process

    def _answer(self, process: subprocess.Popen[bytes]) -> tuple[Document, Arrays]:
        assert process.stdout
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            raise EOFError
        answer = json.loads(line)
        arrays = {}
        for entry in answer.get("datasets", ()):
            dtype, shape = np.dtype(entry["dtype"]), tuple(entry["shape"])
            wanted = math.prod(shape) * dtype.itemsize
            data = process.stdout.read(wanted)
            if len(data) < wanted:
                raise EOFError
            arrays[entry["path"]] = np.frombuffer(data, dtype).reshape(shape).copy()
        return answer, arrays

    def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


_READER = _Reader()
atexit.register(_READER.stop)
