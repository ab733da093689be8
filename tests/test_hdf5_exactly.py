"""HDF5 files, to the unit and to the byte: limits, what is refused and by which words, what the releases write."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from goldenstep.conformance.files import laid_out
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.written_files import written
from goldenstep.golden import saved_files
from goldenstep.reference.formats import files, hdf5
from goldenstep.reference.formats.errors import FileFormatError
from goldenstep.reference.formats.saved import SavedOptimizer, Weight

from .test_files import GOLDENS  # type: ignore[import-not-found]  # as in test_wrong.py
from .test_hostile_files import refused, training_config  # type: ignore[import-not-found]  # as in test_wrong.py

WEIGHTS = "keras3/files/adam/defaults-weights.h5"


def recorded(identity: str, folder: Path) -> Path:
    """A recorded file."""
    return laid_out(GOLDENS[identity]["case"], saved_files.members(identity), folder)


def changed(folder: Path, change: Callable[[h5py.File], Any], identity: str = WEIGHTS) -> Path:
    """A recorded file in which something is changed."""
    path = recorded(identity, folder)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def read_values(folder: Path, change: Callable[[h5py.File], Any]) -> np.ndarray:
    """The last array of the state of a file in which something is changed."""
    return files.read(changed(folder, change)).weights[-1].value


# ---- the process ----------------------------------------------------------------------------------------------------


def test_there_is_a_minute_and_a_second_for_every_20_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[float] = []

    class AtOnce(threading.Timer):
        def __init__(self, seconds: float, end: Callable[[], None]) -> None:
            given.append(seconds)
            super().__init__(0.0, end)

        def start(self) -> None:
            self.run()

    path = tmp_path / "model.h5"
    path.write_bytes(hdf5.SIGNATURE)
    os.truncate(path, 50_000_000)
    monkeypatch.setattr(hdf5.threading, "Timer", AtOnce)
    with pytest.raises(FileFormatError, match=r"this file did not finish in 62\.5 seconds$"):
        hdf5.read(path)
    assert given == [62.5]


def test_the_time_of_a_file_that_was_read_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[threading.Timer] = []

    class Kept(threading.Timer):
        def start(self) -> None:
            timers.append(self)
            super().start()

    monkeypatch.setattr(hdf5.threading, "Timer", Kept)
    files.read(recorded(WEIGHTS, tmp_path))
    assert [timer.finished.is_set() for timer in timers] == [True]


def test_a_process_that_has_gone_is_replaced(tmp_path: Path) -> None:
    reader = hdf5._Reader()
    path = recorded(WEIGHTS, tmp_path)
    reader.content(path, 60.0)
    first = reader._process
    assert first
    reader.content(path, 60.0)
    assert reader._process is first
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert len(reader.content(path, 60.0)[1]) == 6
    second = reader._process
    assert second
    assert second.pid != first.pid
    reader.stop()
    assert second.returncode == -signal.SIGKILL
    reader.stop()


def test_a_process_that_ends_in_the_middle_of_an_array_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"datasets": [{"path": "optimizer/vars/0", "dtype": "float32", "shape": [2]}]})
    (tmp_path / "ends_early.py").write_text(f"input()\nprint({answer!r})\nprint(end='abcd')\n", "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(hdf5, "CHILD", "ends_early")
    reader = hdf5._Reader()
    with pytest.raises(FileFormatError, match="this file crashed the HDF5 library"):
        reader.content(tmp_path, 60.0)
    assert reader._process is None


def test_memory_is_limited_to_a_gibibyte_and_eight_times_the_file(tmp_path: Path) -> None:
    """Or to what the system allows, if that is less."""
    resource = importlib.import_module("resource")
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux tells the limits of another process")
    reader, path = hdf5._Reader(), recorded(WEIGHTS, tmp_path)
    reader.content(path, 60.0)
    process = reader._process
    assert process
    wanted = (1 << 30) + 8 * path.stat().st_size
    assert resource.prlimit(process.pid, resource.RLIMIT_AS)[0] == wanted
    assert resource.prlimit(process.pid, resource.RLIMIT_CORE) == (0, 0)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (1 << 30, 1 << 34))
    reader.content(path, 60.0)
    assert resource.prlimit(process.pid, resource.RLIMIT_AS) == (wanted, 1 << 34)
    resource.prlimit(process.pid, resource.RLIMIT_AS, (1 << 30, 1 << 30))
    assert len(reader.content(path, 60.0)[1]) == 6
    assert resource.prlimit(process.pid, resource.RLIMIT_AS) == (1 << 30, 1 << 30)
    reader.stop()


def test_a_file_that_another_program_has_locked_is_read(tmp_path: Path) -> None:
    fcntl = importlib.import_module("fcntl")
    path = recorded(WEIGHTS, tmp_path)
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert len(files.read(path).weights) == 6


def test_a_reason_has_at_most_300_letters(tmp_path: Path) -> None:
    def linked(file: h5py.File) -> None:
        file["optimizer/" + "x" * 400] = h5py.SoftLink("/")

    with pytest.raises(FileFormatError, match=r"expected HDF5 that can be read: optimizer/x{290}$"):
        files.read(changed(tmp_path, linked))


# ---- what is in a file ----------------------------------------------------------------------------------------------


def test_groups_are_24_inside_the_first_and_not_one_more(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda file: file.create_group("optimizer/" + "/".join("a" * 24)))
    assert len(files.read(path).weights) == 6
    with h5py.File(path, "r+") as file:
        file.create_group("optimizer/" + "/".join("a" * 25))
    refused(path, f"optimizer{'/a' * 25}: expected at most 24 groups inside each other")


def test_data_unpack_to_1100_times_what_is_stored_and_no_more(tmp_path: Path) -> None:
    """A chunk of one byte is stored, all others are zero; deflate makes no more than 1,032 of one."""

    def of_size(size: int) -> Callable[[h5py.File], None]:
        def change(file: h5py.File) -> None:
            data = file.create_dataset("optimizer/vars/6", (size,), "u1", chunks=(1,))
            data[3] = 7

        return change

    assert read_values(tmp_path, of_size(1100)).tolist() == [0, 0, 0, 7, *[0] * 1096]
    refused(changed(tmp_path, of_size(1101)), "optimizer/vars/6 claims 1101 bytes of data, 1 are stored in the file")


@pytest.mark.parametrize(
    "value",
    [
        np.array([[1.5, -2.0, 3.0]], ">f4"),
        np.array(7, ">i8"),
        np.array([1, 2], "<u2"),
        np.array([0.5, 65504], "<f2"),
        np.array([True, False]),
        np.array(1.25, "<f8"),
        np.zeros((0, 2), "<f4"),
    ],
)
def test_numbers_of_every_kind_are_read_in_the_order_of_the_machine(value: np.ndarray, tmp_path: Path) -> None:
    def added(file: h5py.File) -> None:
        file["optimizer/vars/6"] = value

    found = read_values(tmp_path, added)
    assert found.dtype == value.dtype.newbyteorder("=")
    assert found.dtype.isnative
    assert (found.shape, found.tolist()) == (value.shape, value.tolist())
    found[...] = 0
    assert not found.any()


def test_arrays_of_several_dtypes_and_shapes_are_told_apart(tmp_path: Path) -> None:
    """A dataset is described by its own dtype and shape, in files of one, of two and of more."""
    values = [np.array([1, 2, 3], "<i4"), np.array([[4.0], [5.0]], "<f8"), np.array(6, "<u1"), np.array([7.0], "<f4")]

    def replaced(file: h5py.File) -> None:
        del file["optimizer/vars"]
        for number, value in enumerate(values):
            file[f"optimizer/vars/{number}"] = value

    weights = files.read(changed(tmp_path, replaced)).weights
    assert [(w.value.dtype, w.value.tolist()) for w in weights] == [(v.dtype, v.tolist()) for v in values]


def without_an_optimizer(*names: str) -> Callable[[h5py.File], None]:
    """Groups of these names instead of those of a model."""

    def change(file: h5py.File) -> None:
        for name in list(file):
            del file[name]
        for name in names:
            file.create_group(name)

    return change


def test_an_optimizer_is_found_beside_a_hundred_other_groups(tmp_path: Path) -> None:
    path = changed(tmp_path, lambda file: [file.create_group(f"a{number:03}") for number in range(120)])
    assert len(files.read(path).weights) == 6


@pytest.mark.parametrize("name", ["layers", "_layer_checkpoint_dependencies", "model_weights", "optimizer"])
def test_a_model_without_the_state_of_an_optimizer_has_none(name: str, tmp_path: Path) -> None:
    saved = files.read(changed(tmp_path, without_an_optimizer("a", name)))
    assert (saved.format, saved.weights, saved.config) == ("weights.h5", [], None)


def test_weights_as_keras_2_writes_them_have_no_optimizer(tmp_path: Path) -> None:
    """`save_weights("model.h5")` of tf2.4: a group for each layer, and who wrote it."""

    def change(file: h5py.File) -> None:
        without_an_optimizer("dense")(file)
        file.attrs["keras_version"] = np.bytes_(b"2.4.0")

    assert files.read(changed(tmp_path, change)).weights == []


def test_what_is_no_model_is_refused_with_its_first_five_groups(tmp_path: Path) -> None:
    path = changed(tmp_path, without_an_optimizer(*"gfedcba"))
    refused(path, r"expected a model or its weights as Keras .* the groups \['a', 'b', 'c', 'd', 'e'\]$")


def test_numbers_that_are_missing_are_named(tmp_path: Path) -> None:
    def sparse(file: h5py.File) -> None:
        del file["optimizer/vars"]
        for number in range(0, 24, 2):
            file[f"optimizer/vars/{number}"] = 1.0

    path = changed(tmp_path, sparse)
    refused(path, r"optimizer/vars: expected the datasets 0 to 11, got \[0, 2, 4, 6, 8, 10, 12, 14, 16\]$")


def test_groups_without_one_of_all_follow_by_depth_and_name(tmp_path: Path) -> None:
    def apart(file: h5py.File) -> None:
        del file["optimizer"]
        for number, group in enumerate(["b/vars", "a/a/vars", "a/vars"]):
            for index in (1, 0):
                file[f"optimizer/{group}/{index}"] = 10.0 * number + index

    weights = files.read(changed(tmp_path, apart)).weights
    assert [(w.name, float(w.value)) for w in weights] == [
        *(("optimizer/a/vars/0", 20.0), ("optimizer/a/vars/1", 21.0)),
        *(("optimizer/b/vars/0", 0.0), ("optimizer/b/vars/1", 1.0)),
        *(("optimizer/a/a/vars/0", 10.0), ("optimizer/a/a/vars/1", 11.0)),
    ]


@pytest.mark.parametrize("name", ["vars/²", "vars/-1", "vars/00", "other/0"])
def test_a_dataset_of_another_name_is_refused(name: str, tmp_path: Path) -> None:
    def added(file: h5py.File) -> None:
        file[f"optimizer/{name}"] = 1.0

    refused(changed(tmp_path, added), f"optimizer/{name}: expected datasets 0, 1, 2 ... in groups called vars")


# ---- names of weights -----------------------------------------------------------------------------------------------

H5 = "tf2.15/files/adam/defaults-h5"


def named(names: Any, folder: Path, **others: Any) -> Path:
    """A model whose weights have other names."""

    def change(file: h5py.File) -> None:
        attributes = file["optimizer_weights"].attrs
        del attributes["weight_names"]
        for key, value in {"weight_names": names, **others}.items():
            if value is not None:
                attributes[key] = value

    return changed(folder, change, H5)


def names_of(path: Path) -> list[str]:
    return [weight.name for weight in files.read(path).weights]


def test_names_are_one_list_or_the_pieces_of_one(tmp_path: Path) -> None:
    names = names_of(recorded(H5, tmp_path))
    assert len(names) == 5
    pieces = {"weight_names0": names[:4], "weight_names1": names[4:], "weight_names3": ["of nothing"]}
    assert names_of(named(None, tmp_path, **pieces)) == names
    assert names_of(named(names[:2], tmp_path, **pieces)) == names[:2]
    assert names_of(named(None, tmp_path)) == []
    assert names_of(named(np.array([]), tmp_path)) == []


def test_names_must_be_names_of_datasets_and_stand_once(tmp_path: Path) -> None:
    name = names_of(recorded(H5, tmp_path))[0]
    refused(named([name, "b", "a"], tmp_path), "weight_names has 'b', expected a dataset of that name")
    refused(named([name, name], tmp_path), "optimizer_weights: expected every name in weight_names once")
    refused(named(np.array([1, 2]), tmp_path), "expected the attribute weight_names to be a list of names")


@pytest.mark.parametrize(
    ("length", "count", "pieces"),
    [
        (504, 128, [128]),
        (504, 129, [65, 64]),
        (50, 3000, [1000, 1000, 1000]),
        (21504, 3, [3]),
        (21505, 3, [2, 1]),
        (64512, 1, [1]),
        (64512, 2, [1, 1]),
    ],
)
def test_names_are_cut_into_pieces_where_the_releases_cut_them(
    length: int, count: int, pieces: list[int], tmp_path: Path
) -> None:
    """Seen in the real TensorFlow 2.4.4 and 2.15, and in Keras 3.15.1: an attribute has at most 64,512 bytes."""
    names = [f"{number:06}".ljust(length, "n") for number in range(count)]
    weights = [Weight(name, np.array(number, np.float32)) for number, name in enumerate(names)]
    files.write(tmp_path / "new.h5", SavedOptimizer("h5", weights), recorded(H5, tmp_path))
    with h5py.File(tmp_path / "new.h5") as file:
        attributes = file["optimizer_weights"].attrs
        found = {key: len(attributes[key]) for key in attributes}
    numbered = {f"weight_names{number}": size for number, size in enumerate(pieces)}
    assert found == (numbered if len(pieces) > 1 else {"weight_names": count})
    again = files.read(tmp_path / "new.h5").weights
    assert [(w.name, float(w.value)) for w in again] == [(w.name, float(w.value)) for w in weights]


def test_a_name_that_no_attribute_can_hold_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    """As the releases refuse it; letters count as they are encoded."""
    weights = [Weight("ü" * 32256 + "n", np.zeros(1, np.float32)), Weight("n", np.zeros(1, np.float32))]
    with pytest.raises(FileFormatError, match="a name of 64513 bytes, expected at most 64512"):
        files.write(tmp_path / "new.h5", SavedOptimizer("h5", weights), recorded(H5, tmp_path))
    assert not (tmp_path / "new.h5").exists()


# ---- configs --------------------------------------------------------------------------------------------------------


def test_a_model_that_was_not_compiled_has_no_config(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        del file.attrs["training_config"]

    saved = files.read(changed(tmp_path, change, H5))
    assert (saved.config, saved.format, len(saved.weights)) == (None, "h5", 5)
    assert saved.version


def test_a_training_config_without_an_optimizer_is_refused(tmp_path: Path) -> None:
    for text in ('{"loss": "mse"}', '{"optimizer_config": null}'):
        refused(training_config(tmp_path / "model.h5", text), "expected an object with optimizer_config")


def test_another_config_takes_the_place_of_the_optimizer_s_and_the_rest_stays(tmp_path: Path) -> None:
    base = recorded(H5, tmp_path)
    saved = files.read(base)
    assert saved.config
    config = {**saved.config, "config": {**saved.config["config"], "learning_rate": 0.5}}
    assert config != saved.config
    files.write(tmp_path / "new.h5", dataclasses.replace(saved, config=config), base)
    with h5py.File(base) as old, h5py.File(tmp_path / "new.h5") as new:
        before, after = (json.loads(file.attrs["training_config"]) for file in (old, new))
    assert after == {**before, "optimizer_config": config}
    assert len(after) > 1


# ---- what is written ------------------------------------------------------------------------------------------------


def attributes_of(path: Path) -> dict[str, dict[str, tuple[str, Any]]]:
    """The attributes of a file and of the groups of its optimizer, with their types as HDF5 has them."""
    found = {}
    with h5py.File(path) as file:
        for name in ["/", "optimizer", "optimizer/vars", "optimizer_weights"]:
            if name in file:
                owner = file[name].attrs
                found[name] = {key: (_type(owner, key), np.asarray(owner[key]).tolist()) for key in owner}
    return found


def _type(owner: Any, key: str) -> str:
    """Text of one length or of any, ASCII or UTF-8."""
    kind = owner.get_id(key).get_type()
    return f"{kind.get_cset()} {kind.is_variable_str()}"


@pytest.mark.parametrize(
    "identity",
    [
        *("tf2.4/files/adam/defaults-h5", "tf2.9.legacy/files/adam/defaults-h5", "keras3/files/adam/defaults-h5"),
        *("tf2.12/files/adam/defaults-weights.h5", "tf2.15/files/adam/defaults-weights.h5", WEIGHTS),
    ],
)
def test_attributes_are_written_as_the_release_wrote_them(identity: str, tmp_path: Path) -> None:
    case = GOLDENS[identity]["case"]
    path = written(reference(), case, False, tmp_path)
    new, old = attributes_of(path), attributes_of(tmp_path / path.name)
    for found in (new, old) if "training_config" in old["/"] else ():
        kind, text = found["/"]["training_config"]
        found["/"]["training_config"] = (kind, json.loads(text))
    if "optimizer_weights" in old:
        for found in (new, old):
            names = found["optimizer_weights"]["weight_names"][1]
            found["optimizer_weights"] = {"weight_names": ("", [getattr(n, "decode", lambda n=n: n)() for n in names])}
    assert new == old
    assert {"optimizer/vars", "optimizer_weights"} & set(old)
