"""The child process that opens HDF5 files, because a corrupt one can crash or stall the HDF5 library itself.

    python -m goldenstep.reference.formats.hdf5_child

A line of JSON in, {"path", "groups", "attributes", "bytes": 0}; a line of JSON out, {"top", "attributes", "groups",
"datasets"}, and the bytes of the datasets, one after the other; or {"error"}. To write, in: {"path", "remove",
"config", "group_attributes", "datasets", "bytes"} and as many bytes. hdf5.py is the parent.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import sys
from typing import Any

Document = dict[str, Any]
DEEPEST = 24
MEMORY = 1 << 30
MOST_UNPACKED = 1100
KINDS = "fiub"


class UnexpectedError(ValueError):
    """Something in the file is not what an optimizer's part of it consists of."""


def limit_memory(size: int) -> None:
    """At most 1 GiB and eight times the file, or what the system allows; where it knows no limits, none."""
    try:
        import resource
    except ImportError:
        return
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(ValueError):  # the system allows less
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY + 8 * size, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def content(request: Document) -> tuple[Document, list[Any]]:
    """The answer to a request, and the arrays that follow it."""
    import h5py

    limit_memory(os.path.getsize(request["path"]))
    answer: Document = {"attributes": {}, "groups": {}, "datasets": [], "top": []}
    arrays: list[Any] = []
    with h5py.File(request["path"], "r", locking=False) as file:
        answer["top"] = sorted(file)
        answer["attributes"] = texts(file, request["attributes"])
        for name in request["groups"]:
            if name in answer["top"]:
                walk(file, name, name, 0, answer, arrays, set())
    return answer, arrays


def walk(parent: Any, key: str, path: str, depth: int, answer: Document, arrays: list[Any], seen: set[Any]) -> None:
    """A group with everything in it, or a dataset; only what is in this file, and each object once."""
    import h5py

    link = parent.get(key, getlink=True)
    if not isinstance(link, h5py.HardLink):
        raise UnexpectedError(f"{path} is a {type(link).__name__}, expected an object of this file")
    found = parent[key]
    info = h5py.h5o.get_info(found.id)
    if (info.fileno, info.addr) in seen:
        raise UnexpectedError(f"{path} is linked twice, expected a tree")
    seen.add((info.fileno, info.addr))
    if depth > DEEPEST:
        raise UnexpectedError(f"{path}: expected at most {DEEPEST} groups inside each other")
    if isinstance(found, h5py.Group):
        answer["groups"][path] = texts(found, list(found.attrs))
        for name in found:
            walk(found, name, f"{path}/{name}", depth + 1, answer, arrays, seen)
    elif isinstance(found, h5py.Dataset):
        array = values(found, path)
        arrays.append(array)
        answer["datasets"].append({"path": path, "dtype": array.dtype.name, "shape": list(array.shape)})
    else:
        raise UnexpectedError(f"{path} is a {type(found).__name__}, expected a group or a dataset")


def values(dataset: Any, path: str) -> Any:
    """The array of a dataset, in native byte order."""
    import numpy as np

    if dataset.external or dataset.is_virtual:
        raise UnexpectedError(f"{path} keeps its data in other files, expected them in this one")
    if dataset.shape is None or dataset.dtype.kind not in KINDS:
        raise UnexpectedError(f"{path} has the dtype {dataset.dtype}, expected numbers")
    stored = dataset.id.get_storage_size()
    if dataset.nbytes > MOST_UNPACKED * stored:
        raise UnexpectedError(f"{path} claims {dataset.nbytes} bytes of data, {stored} are stored in the file")
    return np.asarray(dataset[()]).astype(dataset.dtype.newbyteorder("="))


def texts(owner: Any, names: list[str]) -> Document:
    """Those of some attributes that are there, and text or lists of text."""
    found = {}
    for name in [name for name in names if name in owner.attrs]:
        value = owner.attrs[name]
        value = value.tolist() if hasattr(value, "tolist") else value
        found[name] = [text(x) for x in value] if isinstance(value, list) else text(value)
    return {name: value for name, value in found.items() if value is not None}


def text(value: Any) -> Any:
    """Text as it is, bytes as UTF-8; None for anything else."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value if isinstance(value, str) else None


def replace(request: Document, data: bytes) -> Document:
    """Take a group out of a file, and put datasets in; the config of the optimizer in training_config is replaced."""
    import h5py
    import numpy as np

    with h5py.File(request["path"], "r+") as file:
        if request["remove"] in file:
            del file[request["remove"]]
        at = 0
        for entry in request["datasets"]:
            array = np.frombuffer(data, entry["dtype"], math.prod(entry["shape"]), at).reshape(entry["shape"])
            file.create_dataset(entry["path"], data=array)
            at += array.nbytes
        for path, attributes in request["group_attributes"].items():
            for name, value in attributes.items():
                pieces = np.array([x.encode() for x in value]) if isinstance(value, list) else value
                file.require_group(path).attrs[name] = pieces
        if request["config"] is not None:
            after = json.dumps(
                {**json.loads(text(file.attrs["training_config"])), "optimizer_config": request["config"]}
            )
            # Keras 2.4 reads only ASCII, which it writes.
            ascii_text = file.attrs.get_id("training_config").get_type().get_cset() == h5py.h5t.CSET_ASCII
            file.attrs.create("training_config", after, dtype=h5py.string_dtype("ascii" if ascii_text else "utf-8"))
    return {}


def main() -> None:
    """Answer requests until there are no more."""
    while line := sys.stdin.buffer.readline():
        arrays: list[Any] = []
        try:
            request = json.loads(line)
            data = sys.stdin.buffer.read(request["bytes"])
            answer, arrays = (replace(request, data), []) if "remove" in request else content(request)
        except MemoryError:
            answer = {"error": "it asks for more memory than its size can justify"}
        except Exception as error:  # whatever h5py raises is the answer
            answer = {"error": str(error)[:300] or type(error).__name__}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        for array in arrays:
            sys.stdout.buffer.write(array)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
