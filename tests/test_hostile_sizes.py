"""Files of a few kilobytes that ask for much more: memory and time stay in proportion, and each is refused or read.

Beside test_hostile_files.py: bombs in the zip, the JSON, the index and the object graph of a checkpoint, and what else
a file can be: compressed in other ways, a link, a pipe; a table of names that stand for one and the same thing.
"""

from __future__ import annotations

import io
import json
import os
import stat
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from goldenstep.golden import saved_files
from goldenstep.golden.codec import unflat
from goldenstep.reference.editions import keras3
from goldenstep.reference.formats import bundle, convert, files, object_graph, protobuf, table
from goldenstep.reference.formats.errors import FileFormatError
from goldenstep.reference.variable import Variable

from .test_hostile_files import (  # type: ignore[import-not-found]  # as in test_wrong.py
    INDEX,
    SHARD,
    archive,
    checkpoint,
    entry,
    graph,
    member,
    refused,
    training_config,
)

SECONDS = 20.0
BYTES = 400 << 20


def refused_at_once(path: Path, match: str) -> None:
    """Refused, with no more than 400 MB of Python's memory and 20 seconds of its time, whatever the file claims."""
    tracemalloc.start(1)
    start = time.process_time()
    try:
        refused(path, match)
        assert tracemalloc.get_traced_memory()[1] < BYTES
        assert time.process_time() - start < SECONDS
    finally:
        tracemalloc.stop()


# ---- JSON ---------------------------------------------------------------------------------------------------------


def compiled(text: str) -> bytes:
    return ('{"compile_config": {"optimizer": ' + text + "}}").encode()


ADAM = '{"class_name": "Adam", "config": {"learning_rate": %s}}'
JSON: dict[str, tuple[bytes, str]] = {
    "a number beyond floats": (compiled(ADAM % "1e400"), "inf in a config, expected a finite number"),
    "minus that": (compiled(ADAM % "[-1e400]"), "-inf in a config"),
    "NaN": (compiled(ADAM % "NaN"), "nan in a config"),
    "an integer of 10,000 digits": (compiled(ADAM % ("9" * 10_000)), "expected JSON"),
    "100,000 lists in lists": (compiled(ADAM % ("[" * 100_000 + "]" * 100_000)), "nested too deep"),
    "100,000 objects in objects": (compiled(ADAM % ('{"a":' * 100_000 + "1" + "}" * 100_000)), "nested too deep"),
    "100,000 keys, the last twice": (
        ("{" + "".join(f'"{i}":0,' for i in range(100_000)) + '"99999":0}').encode(),
        "'99999' stands twice",
    ),
    "20 megabytes of lists": (b"[" + b"[]," * (7 << 20) + b"[]]", "bytes of JSON"),
    "a surrogate": (compiled('{"class_name": "\\ud800", "config": {}}'), "class_name"),
    "a module that is there": (compiled('{"module": "os", "class_name": "Popen", "config": {}}'), "module"),
    "a module inside": (
        compiled(ADAM % '{"module": "subprocess", "class_name": "Popen", "config": {"args": ["true"]}}'),
        "'subprocess' does not match",
    ),
    "a module inside a map": (
        compiled(
            '{"class_name": "MultiOptimizer", "config": {"optimizer_map": {"class_name": "OptimizerMap", "config": '
            '{"default_optimizer": {"class_name": "SGD", "config": {}}, "optimizer_map": '
            '{".*": {"module": "os", "class_name": "system", "config": {"command": "true"}}}}}}}'
        ),
        "'os' does not match",
    ),
    "a function in a map": (
        compiled(
            '{"class_name": "MultiOptimizer", "config": {"optimizer_map": '
            '{"module": "builtins", "class_name": "function", "config": "choose", "registered_name": "function"}}}'
        ),
        "a function in a config, expected numbers, text and schedules; not executed",
    ),
}


@pytest.mark.parametrize("name", JSON)
def test_json_that_asks_for_more_is_refused(name: str, tmp_path: Path) -> None:
    data, match = JSON[name]
    refused_at_once(archive(tmp_path / "model.keras", config_json=data), match)
    if data.startswith(b'{"compile_config"'):
        text = data.decode().replace('{"compile_config": {"optimizer"', '{"optimizer_config"', 1).removesuffix("}")
        if len(text) < 60_000:  # an attribute of HDF5 holds no more
            refused(training_config(tmp_path / "model.h5", text), match)


# ---- the zip ------------------------------------------------------------------------------------------------------


def rezipped(path: Path, change: Callable[[zipfile.ZipFile, str, bytes], None]) -> Path:
    """A recorded .keras file of which every member is written by `change`."""
    with zipfile.ZipFile(io.BytesIO(member("keras", "model.keras"))) as source:
        content = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, data in content.items():
            change(target, name, data)
    return path


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_that_is_packed_in_another_way_is_refused(kind: int, tmp_path: Path) -> None:
    path = rezipped(tmp_path / "model.keras", lambda target, name, data: target.writestr(name, data, kind))
    refused(path, f"is compressed in the way {kind}, expected 0 .stored. or 8 .deflated.")


def test_text_that_unpacks_to_a_gigabyte_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", metadata_json=b" " * (1 << 28))
    refused_at_once(path, "metadata.json: 16777217 bytes of JSON, expected at most")


def test_a_zip_in_the_place_of_the_weights_is_refused(tmp_path: Path) -> None:
    inside = member("keras", "model.keras")
    refused(archive(tmp_path / "model.keras", model_weights_h5=inside), r"expected HDF5, which begins with .*got b'PK")


def test_a_symbolic_link_in_the_zip_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.h5").write_bytes(member("weights.h5", "model.weights.h5"))

    def linked(target: zipfile.ZipFile, name: str, data: bytes) -> None:
        info = zipfile.ZipInfo(name)
        if name.endswith(".h5"):
            info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
            data = str(tmp_path / "secret.h5").encode()
        target.writestr(info, data)

    refused(rezipped(tmp_path / "model.keras", linked), "expected HDF5, which begins with")


@pytest.mark.parametrize("name", ["..\\..\\model.weights.h5", "/model.weights.h5", "a:b", "x/../../y"])
def test_a_member_of_a_wrong_name_is_refused(name: str, tmp_path: Path) -> None:
    def renamed(target: zipfile.ZipFile, inside: str, data: bytes) -> None:
        target.writestr(name if inside.endswith(".h5") else inside, data)

    refused(rezipped(tmp_path / "model.keras", renamed), "expected a path inside the archive")


def test_a_name_with_a_zero_byte_ends_there_and_is_no_second_member(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras")
    data = path.read_bytes().replace(b"config.json", b"config\0json")
    path.write_bytes(data)
    refused(path, "expected the members|expected a zip|expected a path")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_of_thousands_of_members_that_stands_twice_is_found_at_once(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as target:
        for number in [*range(20_000), 19_999]:
            target.writestr(str(number), b"")
    refused_at_once(path, "the member '19999' stands twice")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras")
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\1\2")
    while at >= 0:
        data[at + 8] |= 1
        at = data.find(b"PK\1\2", at + 4)
    path.write_bytes(data)
    refused(path, "expected a zip that can be read: .*encrypted")


# ---- HDF5 ---------------------------------------------------------------------------------------------------------


def weights(tmp_path: Path, spoil: Callable[[h5py.File], Any]) -> Path:
    path = tmp_path / "model.weights.h5"
    path.write_bytes(member("weights.h5", "model.weights.h5"))
    with h5py.File(path, "r+") as file:
        spoil(file)
    return path


def many_of_one_text(file: h5py.File) -> None:
    """Attributes that refer to one long text: every one is read as if it stood there alone."""
    group = file["optimizer/vars"]
    for number in range(300):
        group.attrs[f"a{number}"] = "x" * 60_000


def a_huge_chunk(file: h5py.File) -> None:
    made = file.create_dataset("optimizer/vars/6", (4,), "f4", chunks=(1 << 29,), maxshape=(None,), compression="gzip")
    made.id.write_direct_chunk((0,), zlib.compress(bytes(1 << 20)))


def a_bomb(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/6", (1 << 29,), "f4", chunks=(1 << 24,), compression="gzip", fillvalue=1.0)
    file["optimizer/vars/6"][: 1 << 24] = 0


def an_unknown_filter(file: h5py.File) -> None:
    """A chunk that has gone through a filter that only a plugin knows; no plugin is looked for."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (1,))
    space = h5py.h5s.create_simple((4,))
    made = h5py.h5d.create(file["optimizer/vars"].id, b"6", h5py.h5t.IEEE_F32LE, space, plist)
    made.write_direct_chunk((0,), b"\0" * 16, 0)


def of_texts(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/6", (3,), h5py.string_dtype())[:] = ["a", "b", "c"]


def of_lists(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/6", (1,), h5py.vlen_dtype(np.float32))[0] = np.ones(3, np.float32)


def of_references(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/6", (1,), h5py.ref_dtype)[0] = file["optimizer/vars/0"].ref


def of_regions(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/6", (1,), h5py.regionref_dtype)


def of_complex_numbers(file: h5py.File) -> None:
    file["optimizer/vars/6"] = np.zeros(2, np.complex64)


def without_a_space(file: h5py.File) -> None:
    file["optimizer/vars/6"] = h5py.Empty("f4")


def a_named_type(file: h5py.File) -> None:
    file["optimizer/vars/6"] = np.dtype("f4")


def a_number_of_5000_digits(file: h5py.File) -> None:
    file["optimizer/vars/" + "9" * 5000] = 1.0


HDF5: dict[Callable[[h5py.File], Any], str] = {
    a_bomb: "claims 2147483648 bytes of data",
    an_unknown_filter: "expected HDF5 that can be read",
    of_texts: "expected numbers",
    of_lists: "expected numbers",
    of_references: "expected numbers",
    of_regions: "expected numbers",
    of_complex_numbers: "expected numbers",
    without_a_space: "expected numbers",
    a_named_type: "expected a group or a dataset",
    a_number_of_5000_digits: "expected datasets 0, 1, 2",
}


@pytest.mark.parametrize("spoil", HDF5)
def test_datasets_that_are_no_state_are_refused(spoil: Callable[[h5py.File], Any], tmp_path: Path) -> None:
    refused(weights(tmp_path, spoil), HDF5[spoil])


def test_many_long_attributes_are_no_error(tmp_path: Path) -> None:
    assert len(files.read(weights(tmp_path, many_of_one_text)).weights) == 6


def test_a_chunk_that_claims_two_gigabytes_is_read_as_far_as_the_shape_goes(tmp_path: Path) -> None:
    assert [w.value.nbytes for w in files.read(weights(tmp_path, a_huge_chunk)).weights][-1] == 16


# ---- checkpoints --------------------------------------------------------------------------------------------------


def test_an_index_whose_keys_grow_is_refused(tmp_path: Path) -> None:
    """Each key is the one before with one letter more: the table is small, its keys are not."""
    pairs = [(b"k" * count, b"") for count in range(1, 2000)]
    data = bytearray()
    block = table._append(data, table._packed(pairs, len(pairs)))
    written(tmp_path, data, table._packed([(pairs[-1][0], block)]))
    assert len(data) < 1 << 16
    refused_at_once(tmp_path / INDEX, "keys of .* bytes in an index of")


def written(folder: Path, data: bytearray, blocks: bytes) -> None:
    """An index of its blocks and the one that lists them."""
    index = table._append(data, blocks)
    footer = (table._append(data, table._packed([])) + index).ljust(table.FOOTER - 8, b"\0")
    (folder / INDEX).write_bytes(bytes(data) + footer + table.MAGIC.to_bytes(8, "little"))


def test_an_index_that_names_one_block_many_times_is_refused(tmp_path: Path) -> None:
    """A block of restart points alone has no keys; its checksum would be taken again and again."""
    data = bytearray()
    restarts = (1 << 16).to_bytes(4, "little")
    block = bytes(4 << 16) + restarts
    handle = table._append(data, block)
    written(tmp_path, data, table._packed([(f"{i:05}".encode(), handle) for i in range(20_000)], 1))
    refused_at_once(tmp_path / INDEX, "a block at byte 0, expected one after")


def test_a_graph_that_is_a_long_chain_is_read_in_time(tmp_path: Path) -> None:
    """With the path to each object written out, this would take gigabytes."""

    def chained(nodes: list[object_graph.Node]) -> None:
        last = nodes[0]
        for _ in range(10_000):
            last.children["a" * 200] = len(nodes)
            last = object_graph.Node()
            nodes.append(last)

    path = graph(tmp_path, chained)
    start = time.process_time()
    assert len(files.read(path).weights) == 6
    assert time.process_time() - start < SECONDS


def test_tensors_that_share_their_bytes_are_refused_though_a_shard_is_missing(tmp_path: Path) -> None:
    def many(content: dict[bytes, bytes]) -> None:
        content[b""] = protobuf.field(1, 2) + protobuf.field(3, protobuf.field(1, 1))
        size = len(member("checkpoint", SHARD))
        for number in range(1000):
            content[f"a/{number}".encode()] = entry(4, (size,), 0, 0, size)

    path = checkpoint(tmp_path, many)
    (tmp_path / SHARD).rename(tmp_path / "model-1.data-00000-of-00002")
    refused_at_once(path, "expected the data in model-1.data-00001-of-00002 beside the index, which is not there")


def test_slices_that_stand_several_times_are_refused(tmp_path: Path) -> None:
    """One stored slice as a thousand slices of a tensor."""
    whole = protobuf.field(1, protobuf.field(1, 0) + protobuf.field(2, 3)) + protobuf.field(1, b"")
    claimed = entry(1, (3000, 2), 0, 0, 0) + protobuf.field(7, whole) * 1000
    key = b"optimizer/_variables/2/.ATTRIBUTES/VARIABLE_VALUE"
    refused_at_once(checkpoint(tmp_path, lambda content: content.update({key: claimed})), "expected each once")


def test_a_list_with_a_number_of_5000_digits_is_refused(tmp_path: Path) -> None:
    def listed(nodes: list[object_graph.Node]) -> None:
        for node in nodes:
            if {"0", "1", "2", "3"} <= set(node.children):
                node.children["9" * 5000] = node.children["0"]

    refused(graph(tmp_path, listed), "has the item '9999.*expected numbers")


def test_a_learning_rate_of_another_shape_is_refused_when_it_is_restored(tmp_path: Path) -> None:
    """It is no part of the list of tf2.12 and later: it stands beside it."""
    identity = "tf2.12/files/adam/schedule-checkpoint"
    for name, data in saved_files.members(identity).items():
        (tmp_path / name).write_bytes(data)
    tensors = bundle.read(tmp_path / "model-1")
    key = next(key for key in tensors if "learning_rate/.ATTR" in key)
    bundle.write(tmp_path / "model-1", {**tensors, key: np.zeros((2, 2), np.float32)})
    from goldenstep.reference.editions import tf2_12

    variables = [
        Variable(np.zeros((3, 2), np.float32), "dense/kernel"),
        Variable(np.zeros(2, np.float32), "dense/bias"),
    ]
    schedule = tf2_12.schedules.ExponentialDecay(0.125, 2, 0.5)
    with pytest.raises(FileFormatError, match=r"model-1.index: _(current_)?learning_rate: .*expected a value of shape"):
        files.restore(tmp_path / INDEX, tf2_12.Adam(learning_rate=schedule), variables)


# ---- configs that no optimizer can be made of ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"learning_rate": {"class_name": "LearningRateSchedule", "config": {}}}, "can't"),
        ({"learning_rate": {"class_name": "deserialize", "config": {}}}, "can't|refuses"),
        ({"learning_rate": []}, "can't|refuses"),
        ({"learning_rate": "fast"}, "can't|refuses"),
        ({"beta_1": [1, 2]}, "can't|refuses"),
        ({"clipnorm": "x"}, "can't|refuses"),
        ({"name": -1}, "can't|refuses"),
    ],
)
def test_a_config_that_no_optimizer_can_be_made_of_is_not_converted(wrong: Any, match: str, tmp_path: Path) -> None:
    data = saved_files.members("tf2.15/files/adam/defaults-keras")["model.keras"]
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(tmp_path / "wrong.keras", "w") as target:
        for name in source.namelist():
            document = json.loads(source.read(name)) if name == "config.json" else None
            if document:
                document["compile_config"]["optimizer"]["config"].update(wrong)
            target.writestr(name, json.dumps(document) if document else source.read(name))
    (tmp_path / "base.keras").write_bytes(member("keras", "model.keras"))
    with pytest.raises(convert.ConversionError, match=match):
        convert.convert(tmp_path / "wrong.keras", tmp_path / "base.keras", tmp_path / "new.keras")
    assert not (tmp_path / "new.keras").exists()


# ---- what is no file ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.weights.h5", "model-1.index"])
def test_a_pipe_and_a_folder_are_refused_without_waiting(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    refused(tmp_path / name, "expected a file that can be read")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / name).mkdir()
    refused(tmp_path / "folder" / name, "expected a file that can be read")


def test_an_empty_tensor_is_read(tmp_path: Path) -> None:
    """A tensor without elements is nothing wrong."""
    empty = Variable(unflat([], "float32", (0, 2)), "nothing")
    optimizer = keras3.Adam()
    optimizer.build([empty])
    files.write_checkpoint(tmp_path / "model-1", optimizer, {"variables/0": empty})
    assert [weight.value.shape for weight in files.read(tmp_path / INDEX).weights] == [(), (), (0, 2), (0, 2)]


def test_bytes_that_are_json_of_another_kind_are_refused(tmp_path: Path) -> None:
    documents: list[Any] = [None, 1, "a", [], {"compile_config": []}, {"compile_config": {"optimizer": []}}]
    for document in documents:
        path = archive(tmp_path / "model.keras", config_json=json.dumps(document).encode())
        if document == {"compile_config": {"optimizer": []}}:
            refused(path, r"compile_config.optimizer: .*is not of type 'object'")
        else:
            assert files.read(path).config is None
