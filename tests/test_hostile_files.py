"""Files that are wrong on purpose: every one is a FileFormatError that names the file, and nothing in it is executed.

GOLDENSTEP_FUZZ=10000 pytest tests/test_hostile_files.py -k mutated    the long run
"""

from __future__ import annotations

import base64
import io
import json
import os
import pickle
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldenstep import spec
from goldenstep.golden import saved_files
from goldenstep.reference.formats import bundle, files, hdf5, object_graph, protobuf, table
from goldenstep.reference.formats.crc32c import masked
from goldenstep.reference.formats.errors import FileFormatError

from .fuzz_files import ImportedError, read, seeds, warm  # type: ignore[import-not-found]  # as in test_wrong.py

ADAM = "keras3/files/adam/defaults-"
EXAMPLES = int(os.environ.get("GOLDENSTEP_FUZZ", "150"))
INDEX, SHARD = "model-1.index", "model-1.data-00000-of-00001"


def member(format: str, name: str) -> bytes:
    return saved_files.members(ADAM + format)[name]


def refused(path: Path, match: str) -> None:
    with pytest.raises(FileFormatError, match=match) as caught:
        files.read(path)
    assert str(path.with_suffix("")) in str(caught.value)


# ---- HDF5 -----------------------------------------------------------------------------------------------------


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "model.weights.h5"
    path.write_bytes(member("weights.h5", "model.weights.h5"))
    return path


def external_link(file: h5py.File) -> None:
    file["optimizer/vars/6"] = h5py.ExternalLink("/etc/passwd", "/")


def soft_link(file: h5py.File) -> None:
    file["optimizer/vars/6"] = h5py.SoftLink("/optimizer/vars/0")


def soft_link_at_the_top(file: h5py.File) -> None:
    file.move("optimizer", "elsewhere")
    file["optimizer"] = h5py.SoftLink("/elsewhere")


def circle(file: h5py.File) -> None:
    file["optimizer/vars/again"] = file["optimizer"]


def other_file(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/6", (4,), "f4", external=[("/etc/passwd", 0, 16)])


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
    file.create_virtual_dataset("optimizer/vars/6", layout)


def oversized(file: h5py.File) -> None:
    file.create_dataset("optimizer/vars/6", (1 << 40,), "f4", chunks=(1 << 20,), compression="gzip")


def of_text(file: h5py.File) -> None:
    file["optimizer/vars/6"] = "text"


def of_structures(file: h5py.File) -> None:
    file["optimizer/vars/6"] = np.zeros(2, [("a", "f4"), ("b", "i4")])


def deep(file: h5py.File) -> None:
    file.create_group("optimizer/" + "/".join("a" * 200))


def of_another_name(file: h5py.File) -> None:
    file["optimizer/vars/first"] = 1.0


def with_a_gap(file: h5py.File) -> None:
    del file["optimizer/vars/3"]


def of_a_leading_zero(file: h5py.File) -> None:
    file["optimizer/vars/06"] = 1.0


SPOILED: dict[Callable[[h5py.File], None], str] = {
    external_link: "is a ExternalLink, expected an object of this file",
    soft_link: "is a SoftLink, expected an object of this file",
    soft_link_at_the_top: "is a SoftLink, expected an object of this file",
    circle: "linked twice, expected a tree",
    other_file: "keeps its data in other files",
    virtual: "keeps its data in other files",
    oversized: "claims 4398046511104 bytes of data, 0 are stored",
    of_text: "expected numbers",
    of_structures: "expected numbers",
    deep: "expected at most 24 groups inside each other",
    of_another_name: "expected datasets 0, 1, 2",
    with_a_gap: "expected the datasets 0 to 4",
    of_a_leading_zero: "expected datasets 0, 1, 2",
}


@pytest.mark.parametrize("spoil", SPOILED)
def test_spoiled_weights_are_refused(spoil: Callable[[h5py.File], None], weights: Path) -> None:
    files.read(weights)
    with h5py.File(weights, "r+") as file:
        spoil(file)
    refused(weights, SPOILED[spoil])


@pytest.mark.parametrize(
    ("identity", "wrong"),
    [
        ("tf2.9/files/rmsprop/defaults-h5", {722: 228, 3472: 8}),
        (
            "keras3/files/adamw/defaults-h5",
            {929: 3, 2736: 244, 5009: 1, 5234: 1, 7727: 2, 7897: 64, 15012: 4, 15033: 5},
        ),
    ],
)
def test_a_file_that_crashes_the_hdf5_library_is_refused_and_the_next_is_read(
    identity: str, wrong: dict[int, int], tmp_path: Path, weights: Path
) -> None:
    """Found by the fuzzer: a few wrong bits, and the process that opens the file is gone."""
    data = bytearray(saved_files.members(identity)["model.h5"])
    for at, byte in wrong.items():
        data[at] = byte
    (tmp_path / "model.h5").write_bytes(data)
    refused(tmp_path / "model.h5", "expected HDF5 that can be read")
    assert len(files.read(weights).weights) == 6


def test_a_file_that_stalls_the_hdf5_library_is_refused(tmp_path: Path, weights: Path) -> None:
    """Found by the fuzzer: the library goes round in a circle."""
    edits = [
        ("flip", 1276, 125, b""),
        ("zero", 3236, 240, b""),
        ("flip", 55113, 217, b""),
        ("flip", 1276, 125, b""),
        ("flip", 11310, 211, b""),
        ("flip", 14850, 114, b""),
    ]
    data = edited(saved_files.members("tf2.4/files/nadam/defaults-keras")["model.keras"], edits)
    (tmp_path / "model.h5").write_bytes(data)
    with pytest.raises(FileFormatError, match="expected HDF5 that can be read, this file did not finish in 1"):
        hdf5.read(tmp_path / "model.h5", seconds=1.0)
    assert len(files.read(weights).weights) == 6


def training_config(path: Path, text: Any) -> Path:
    """A whole model with another training_config."""
    path.write_bytes(member("h5", "model.h5"))
    with h5py.File(path, "r+") as file:
        del file.attrs["training_config"]
        file.attrs["training_config"] = text
    return path


def with_optimizer(document: Any) -> str:
    return json.dumps({"optimizer_config": document})


LAMBDA = {"class_name": "__lambda__", "config": {"value": base64.b64encode(b"\xe3code").decode()}}
CONFIGS: dict[str, tuple[str, str]] = {
    "no json": ("{'optimizer_config': 1}", "expected JSON"),
    "no object": ("[1]", "expected an object with optimizer_config"),
    "too deep": (with_optimizer(1).replace("1", '{"class_name": "Adam", "config": {"a": ' + "[" * 20000), "JSON"),
    "deep but whole": (
        with_optimizer({"class_name": "Adam", "config": {"a": 1}}).replace("1", "[" * 900 + "]" * 900),
        "deep",
    ),
    "twice": ('{"optimizer_config": {}, "optimizer_config": {}}', "'optimizer_config' stands twice"),
    "a module": (with_optimizer({"module": "os", "class_name": "system", "config": {}}), "module"),
    "a path as class": (with_optimizer({"class_name": "os.system", "config": {}}), "class_name"),
    "an unknown key": (with_optimizer({"class_name": "Adam", "config": {}, "reduce": []}), "reduce"),
    "a lambda": (with_optimizer({"class_name": "Adam", "config": {"learning_rate": LAMBDA}}), "not executed"),
    "a number as config": (with_optimizer({"class_name": "Adam", "config": 1}), "config"),
    "infinity": ('{"optimizer_config": {"class_name": "Adam", "config": {"learning_rate": Infinity}}}', "finite"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    text, match = CONFIGS[name]
    refused(training_config(tmp_path / "model.h5", text), match)


def test_names_of_weights_without_a_dataset_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    path.write_bytes(member("h5", "model.h5"))
    with h5py.File(path, "r+") as file:
        file["optimizer_weights"].attrs["weight_names"] = [b"../model_weights", b"b"]
    refused(path, "expected a dataset of that name")


# ---- the zip --------------------------------------------------------------------------------------------------


def archive(path: Path, **changed: Any) -> Path:
    """A recorded .keras file with other members; None is none, and a list is several of one name."""
    with zipfile.ZipFile(io.BytesIO(member("keras", "model.keras"))) as source:
        content: dict[str, Any] = {name: source.read(name) for name in source.namelist()}
    content |= {name.replace("_", "."): value for name, value in changed.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, value in content.items():
            for data in value if isinstance(value, list) else [value]:
                if data is not None:
                    target.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../../evil.txt", "/etc/evil", "a/../../evil", "..\\evil", "C:evil"])
def test_a_member_outside_of_the_archive_is_refused(name: str, tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras")
    with zipfile.ZipFile(path, "a") as target:
        target.writestr(name, b"evil")
    refused(path, "expected a path inside the archive")
    assert [p.name for p in tmp_path.iterdir()] == ["model.keras"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_stands_twice_is_refused(tmp_path: Path) -> None:
    refused(archive(tmp_path / "model.keras", config_json=[b"{}", b"{}"]), "'config.json' stands twice")


def test_text_of_another_encoding_is_refused_before_its_codec_is_imported(tmp_path: Path) -> None:
    config = bytes(3) + b'{"compile_config": null}'
    refused(archive(tmp_path / "model.keras", config_json=config), "expected JSON")
    refused(archive(tmp_path / "model.keras", config_json="{}".encode("utf-16")), "expected JSON: 'utf-8' codec")


def test_a_missing_member_is_refused(tmp_path: Path) -> None:
    refused(archive(tmp_path / "model.keras", metadata_json=None), "expected the members")


def test_weights_that_unpack_to_far_more_than_their_size_are_refused(tmp_path: Path) -> None:
    bomb = b"\x89HDF\r\n\x1a\n" + bytes(100 << 20)
    refused(archive(tmp_path / "model.keras", model_weights_h5=bomb), "unpacks to more than")


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_in_the_zip_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    text, match = CONFIGS[name]
    if name != "no object":
        wrong = text.replace("optimizer_config", "optimizer")
        config = wrong if name in ("no json", "too deep", "twice") else f'{{"compile_config": {wrong}}}'
        match = "'optimizer' stands twice" if name == "twice" else match
        refused(archive(tmp_path / "model.keras", config_json=config.encode()), match)


def test_a_pickle_is_refused_and_not_loaded(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return Path.touch, (tmp_path / "evil",)

    for name in ("model.keras", "model.h5", "model.weights.h5", "model.index"):
        (tmp_path / name).write_bytes(pickle.dumps(Evil()))
        refused(tmp_path / name, "expected")
    assert not (tmp_path / "evil").exists()


# ---- checkpoints ----------------------------------------------------------------------------------------------

MOMENTUM = b"optimizer/_variables/2/.ATTRIBUTES/VARIABLE_VALUE"


def checkpoint(folder: Path, change: Callable[[dict[bytes, bytes]], Any]) -> Path:
    """A recorded checkpoint whose index has another content."""
    content = table.entries(member("checkpoint", INDEX))
    change(content)
    (folder / SHARD).write_bytes(member("checkpoint", SHARD))
    (folder / INDEX).write_bytes(table.table(content))
    return folder / INDEX


def entry(dtype: int = 1, shape: tuple[int, ...] = (3, 2), shard: int = 0, offset: int = 0, size: int = 24) -> bytes:
    dimensions = b"".join(protobuf.field(2, protobuf.field(1, n)) for n in shape)
    numbers = [protobuf.field(number, value) for number, value in ((3, shard), (4, offset), (5, size))]
    return protobuf.field(1, dtype) + protobuf.field(2, dimensions) + b"".join(numbers) + protobuf.fixed32(6, 0)


ENTRIES: dict[str, tuple[bytes, str]] = {
    "another size": (entry(size=28), "the data beside the index are"),
    "far more elements": (entry(shape=(1 << 40, 2)), "24 bytes for the shape"),
    "elements of all memory": (entry(shape=(1 << 40,), size=1 << 42), "the data beside the index are"),
    "a negative dimension": (entry(shape=((1 << 64) - 1,)), "24 bytes for the shape"),
    "many dimensions": (entry(shape=(1,) * 100), "at most 64"),
    "beyond the end": (entry(offset=1 << 50), "which has"),
    "an unknown dtype": (entry(dtype=21), "the dtype number 21"),
    "a reference dtype": (entry(dtype=101), "the dtype number 101"),
    "many strings": (entry(dtype=7), "the dtype number 7"),
    "another shard": (entry(shard=7), "shard 7, expected less than 1"),
    "a wrong checksum": (entry(), "checksum"),
    "slices": (entry() + protobuf.field(7, b""), "one extent for each dimension"),
    "no message": (b"\xff" * 12, "varint|wire type"),
    "a group": (b"\x0b\x0c", "wire type 3"),
}


@pytest.mark.parametrize("name", ENTRIES)
def test_an_index_entry_that_lies_is_refused(name: str, tmp_path: Path) -> None:
    data, match = ENTRIES[name]
    refused(checkpoint(tmp_path, lambda content: content.update({MOMENTUM: data})), match)


def test_an_index_that_claims_many_shards_is_refused(tmp_path: Path) -> None:
    header = protobuf.field(1, 1 << 40)
    refused(checkpoint(tmp_path, lambda content: content.update({b"": header})), "expected the data in model-1")


def test_an_index_without_header_or_graph_is_refused(tmp_path: Path) -> None:
    refused(checkpoint(tmp_path, lambda content: content.pop(b"")), "header")
    refused(checkpoint(tmp_path, lambda content: content.pop(object_graph.KEY.encode())), "expected an object graph")


def test_a_missing_tensor_is_refused(tmp_path: Path) -> None:
    refused(checkpoint(tmp_path, lambda content: content.pop(MOMENTUM)), "which is not there")


def test_a_shard_that_is_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_bytes(member("checkpoint", INDEX))
    refused(tmp_path / INDEX, f"expected the data in {SHARD}")


def graph(folder: Path, change: Callable[[list[object_graph.Node]], Any]) -> Path:
    """A recorded checkpoint with another object graph."""
    for name in (INDEX, SHARD):
        (folder / name).write_bytes(member("checkpoint", name))
    tensors = bundle.read(folder / "model-1")
    nodes = object_graph.parsed(bytes(tensors[object_graph.KEY]))
    change(nodes)
    (folder / "new").mkdir()
    return bundle.write(folder / "new" / "model-1", {**tensors, object_graph.KEY: object_graph.serialized(nodes)})[1]


def test_a_graph_that_refers_to_nothing_is_refused(tmp_path: Path) -> None:
    refused(graph(tmp_path, lambda nodes: nodes[0].children.update(optimizer=999)), "refers to 999")


def test_a_graph_without_an_optimizer_is_refused(tmp_path: Path) -> None:
    refused(graph(tmp_path, lambda nodes: [node.children.pop("_iterations", 0) for node in nodes]), "found none")


def test_a_graph_that_goes_in_circles_ends(tmp_path: Path) -> None:
    path = graph(tmp_path, lambda nodes: [node.children.update(root=0) for node in nodes if node.children])
    with pytest.raises(FileFormatError, match="has the item 'root', expected numbers"):
        files.read(path)


def test_unsorted_keys_and_a_compressed_block_are_refused(tmp_path: Path) -> None:
    for name in (INDEX, SHARD):
        (tmp_path / name).write_bytes(member("checkpoint", name))
    whole = member("checkpoint", INDEX)
    handle = table._handle(whole[-48:], table._handle(whole[-48:], 0)[1])[0]
    block = table._handle(next(table._block(whole, handle))[1], 0)[0]
    end = block[0] + block[1]
    sealed = masked(whole[block[0] : end] + b"\1").to_bytes(4, "little")
    (tmp_path / INDEX).write_bytes(whole[:end] + b"\1" + sealed + whole[end + 5 :])
    refused(tmp_path / INDEX, "is compressed")


# ---- mutated files --------------------------------------------------------------------------------------------

IDENTITIES = [
    identity for edition in spec.editions() for identity in sorted(saved_files.everything(saved_files.path_of(edition)))
]
SECONDS = hdf5.SECONDS + 30.0
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "overwrite", "repeat", "zero", "insert"]),
        st.integers(0, 2**31),
        st.integers(0, 255),
        st.binary(min_size=1, max_size=16),
    ),
    min_size=1,
    max_size=6,
)


def edited(data: bytes, edits: list[tuple[str, int, int, bytes]]) -> bytes:
    """The data after all edits."""
    for kind, where, number, piece in edits:
        at = where % max(len(data), 1)
        data = {
            "flip": data[:at] + bytes(b ^ 1 << number % 8 for b in data[at : at + 1]) + data[at + 1 :],
            "cut": data[:at],
            "overwrite": data[:at] + piece + data[at + len(piece) :],
            "repeat": data[:at] + data[at : at + 8 * number] + data[at:],
            "zero": data[:at] + bytes(number) + data[at + number :],
            "insert": data[:at] + piece + data[at:],
        }[kind]
    return data


def sealed(members: dict[str, bytes], name: str, edits: list[tuple[str, int, int, bytes]]) -> dict[str, bytes]:
    """The files with an edit below their checksums: in a member of the zip, a value of the index, a tensor."""
    data = members[name]
    if name.endswith(".keras") and data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as source:
            content = {inside: source.read(inside) for inside in source.namelist()}
        chosen = sorted(content)[edits[0][1] % len(content)]
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as target:
            for inside, piece in content.items():
                target.writestr(inside, edited(piece, edits) if inside == chosen else piece)
        return {**members, name: out.getvalue()}
    if name.endswith(".index"):
        entries = table.entries(data)
        key = list(entries)[edits[0][1] % len(entries)]
        return {**members, name: table.table({**entries, key: edited(entries[key], edits)})}
    if INDEX in members:
        entries = table.entries(members[INDEX])
        found = protobuf.fields(entries[object_graph.KEY.encode()])
        offset, size = protobuf.number(found, 4), protobuf.number(found, 5)
        _, at = protobuf.varint(data, offset)
        whole = edited(data[at + 4 : offset + size], edits)
        lengths = len(whole).to_bytes(4, "little")
        stored = masked(lengths).to_bytes(4, "little")
        raw = protobuf.encoded(len(whole)) + stored + whole
        entry = bundle._described(bundle.STRING, b"", offset, len(raw), masked(lengths + stored + whole))
        index = table.table({**entries, object_graph.KEY.encode(): entry})
        return {**members, name: data[:offset] + raw, INDEX: index}
    return {**members, name: edited(data, edits)}


class Watch:
    """What Python's own audit events say was imported or executed while a file was read."""

    on = False
    seen: list[str]

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        known = event == "import" and arguments[0] in sys.modules
        if self.on and event in ("import", "exec", "compile", "os.system", "marshal.loads", "pickle.find_class"):
            self.seen += [] if known else [f"{event} {arguments[:1]}"]


WATCH = Watch()
WATCH.seen = []
sys.addaudithook(WATCH)


@pytest.fixture(scope="module")
def everything_imported() -> None:
    """The first schema and its first failure import what the schemas need, a zip the encoding of old names."""
    "".encode("cp437")
    for wrong in ({}, {"class_name": "Adam", "config": {"a": {"class_name": 1}}}):
        with pytest.raises(spec.SpecificationError):
            spec.validate(wrong, "saved_config", "wrong")


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@pytest.mark.usefixtures("everything_imported")
@given(identity=st.sampled_from(IDENTITIES), which=st.integers(0, 1), edits=EDITS, below=st.booleans())
def test_a_mutated_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, identity: str, which: int, edits: Any, below: bool
) -> None:
    """No other error, no crash, no wait, nothing imported or executed."""
    members = saved_files.members(identity)
    name = sorted(members)[which % len(members)]
    folder = tmp_path_factory.mktemp("mutated")
    wrong = sealed(members, name, edits) if below else {**members, name: edited(members[name], edits)}
    for inside, data in wrong.items():
        (folder / inside).write_bytes(data)
    path = next(folder / inside for inside in wrong if not inside.startswith("model-1.data"))
    start = time.monotonic()
    WATCH.seen, WATCH.on = [], True
    try:
        saved = files.read(path)
    except FileFormatError as error:
        named, arrays = str(folder) in str(error), []
    else:
        named, arrays = True, [weight.value for weight in saved.weights]
    finally:
        WATCH.on = False
    assert named
    assert all(isinstance(array, np.ndarray) for array in arrays)
    assert WATCH.seen == []
    assert time.monotonic() - start < SECONDS
    for inside in wrong:
        (folder / inside).unlink()
    folder.rmdir()


# ---- the harness of the fuzzer ----------------------------------------------------------------------------------


def test_the_fuzzer_begins_with_what_is_read_and_finds_a_wrong_error_and_an_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm(tmp_path)
    results = [read(seed, tmp_path) for seed in seeds()]
    assert results.count("read") >= 10
    index = next(seeds())
    spoiled = index[:40] + b"\xff\xff" + index[42:]
    assert read(spoiled, tmp_path) == "refused"
    monkeypatch.setattr(table, "_handle", lambda data, at: [][0])
    with pytest.raises(IndexError):
        read(index, tmp_path)
    monkeypatch.setattr(table, "_handle", lambda data, at: __import__("this"))
    with pytest.raises(ImportedError):
        read(index, tmp_path)
