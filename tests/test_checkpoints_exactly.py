"""What is in a checkpoint, to the byte and to the name, and what is refused, to the unit.

Expected is what the releases wrote, and what the sources of the formats state: tensor_bundle.cc and its .proto files.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.written_files import written
from goldenstep.golden import files as goldens
from goldenstep.reference.formats import (
    bundle,
    checkpoint,
    checkpoint_writer,
    object_graph,
    protobuf,
    slices_of_tensors,
    table,
)
from goldenstep.reference.formats.crc32c import masked
from goldenstep.reference.formats.errors import FileFormatError
from goldenstep.reference.formats.object_graph import KEY, Node
from goldenstep.reference.formats.saved import SavedOptimizer, Weight
from goldenstep.spec import saved_files

INDEX, SHARD = "m.index", "m.data-00000-of-00001"

# ---- tensors by key -----------------------------------------------------------------------------------------------

TENSORS: dict[str, bundle.Tensor] = {
    "bfloat16": np.asarray([0, 1], ml_dtypes.bfloat16),
    **{name: np.asarray([0, 1], name) for name in ("bool", "float16", "float32", "float64", "int32", "int64", "int8")},
    "string": b"text",
    "uint8": np.asarray([0, 1], np.uint8),
    "x0": np.zeros((0, 2), np.float32),
    "x1": np.zeros((1, 1, 3), np.float32),
}
WRITTEN_SHARD = bytes.fromhex(
    "0000803f00010000003c000000000000803f0000000000000000000000000000f03f0000000001000000000000000000000001000000"
    "000000000001046251eb96746578740001000000000000000000000000"
)
WRITTEN_INDEX = bytes.fromhex(
    "00000608011a02080100080f62666c6f61743136080e12041202080228043581a5da2b0103116f6f6c080a1204120208022004280235"
    "edf0248c000711666c6f61743136081312041202080220062804356756cf3d05021133320801120412020802200a2808350e1d4f1e05"
    "02113634080212041202080220122810350dbb8524000511696e74333208031204120208022022280835b28de7d20302113634080912"
    "0412020802202a28103571011d72030111380806120412020802203a280235edf0248c00060d737472696e6708071200203c2809351b"
    "4c333f00051175696e743808041204120208022045280235edf0248c000211783008011206120012020802204735d8ea82a201011931"
    "0801120c1202080112020801120208032047280c3599413d0d000000000100000000e768e50e000000000100000000c0f2a1b0000103"
    "7900af02000000000100000000778fca7bb40208c1020f00000000000000000000000000000000000000000000000000000000000000"
    "00000057fb808b247547db"
)
"""The files of TENSORS by TensorFlow 2.4.4; 2.21.0 writes the same (tf.raw_ops.SaveV2)."""


def test_tensors_of_every_dtype_are_read_as_the_release_wrote_them(tmp_path: Path) -> None:
    (tmp_path / INDEX).write_bytes(WRITTEN_INDEX)
    (tmp_path / SHARD).write_bytes(WRITTEN_SHARD)
    found = bundle.read(tmp_path / "m")
    assert list(found) == list(TENSORS)
    for name, value in TENSORS.items():
        got = found[name]
        if isinstance(value, bytes) or isinstance(got, bytes):
            assert got == value
        else:
            assert (got.dtype, got.shape, got.tobytes()) == (value.dtype, value.shape, value.tobytes())


def test_tensors_of_every_dtype_are_written_as_the_release_writes_them(tmp_path: Path) -> None:
    """But for the list of blocks, where the release shortens the last key."""
    given = {**dict(reversed(TENSORS.items())), "int32": np.asarray([0, 1], ">i4")}
    assert bundle.write(tmp_path / "m", given) == [tmp_path / SHARD, tmp_path / INDEX]
    assert (tmp_path / SHARD).read_bytes() == WRITTEN_SHARD
    blocks = table._handle(WRITTEN_INDEX[-48:], table._handle(WRITTEN_INDEX[-48:], 0)[1])[0][0]
    assert (tmp_path / INDEX).read_bytes()[:blocks] == WRITTEN_INDEX[:blocks]


def entry(
    dtype: int, shape: tuple[int, ...], size: int, checksum: int = 0, offset: int = 0, shard: int = 0, more: bytes = b""
) -> bytes:
    """An entry of an index, each number written whatever it is."""
    dimensions = b"".join(protobuf.field(2, protobuf.field(1, n)) for n in shape)
    numbers = b"".join(protobuf.field(number, value) for number, value in ((3, shard), (4, offset), (5, size)))
    return protobuf.field(1, dtype) + protobuf.field(2, dimensions) + numbers + protobuf.fixed32(6, checksum) + more


HEADER = protobuf.field(1, 1)


def made(folder: Path, data: bytes, content: dict[bytes, bytes], header: bytes = HEADER) -> Path:
    """A checkpoint of one shard with an index of one's own; its prefix."""
    (folder / SHARD).write_bytes(data)
    (folder / INDEX).write_bytes(table.table({b"": header, **dict(sorted(content.items()))}))
    return folder / "m"


def refused(prefix: Path, match: str) -> None:
    with pytest.raises(FileFormatError, match=match):
        bundle.read(prefix)


def test_an_index_has_at_most_256_mebibytes(tmp_path: Path) -> None:
    for size, match in ((256 << 20, "expected a table"), ((256 << 20) + 1, "an index of 268435457 bytes, expected at")):
        with (tmp_path / INDEX).open("wb") as file:
            file.truncate(size)
        refused(tmp_path / "m", match)


def test_data_whose_high_byte_comes_first_is_refused(tmp_path: Path) -> None:
    refused(made(tmp_path, b"", {}, HEADER + protobuf.field(2, 1)), "data of endianness 1, expected 0")


def test_every_shard_of_the_header_must_be_there(tmp_path: Path) -> None:
    assert bundle.read(made(tmp_path, b"", {})) == {}
    for shards, missing in ((2, "00000-of-00002"), (1 << 63, "00000-of-9223372036854775808")):
        refused(made(tmp_path, b"", {}, protobuf.field(1, shards)), f"expected the data in m.data-{missing} beside the")
    refused(made(tmp_path, b"a", {b"a": entry(4, (1,), 1)}, b""), "tensors of 1 bytes, the data beside the index are 0")


def test_tensors_have_no_more_bytes_than_there_are(tmp_path: Path) -> None:
    content = {b"a": entry(4, (3,), 3, masked(b"abc")), b"b": entry(4, (1,), 1, masked(b"b"), offset=1)}
    assert np.array_equal(np.asarray(bundle.read(made(tmp_path, b"abc.", content))["b"]), [98])
    refused(made(tmp_path, b"abc", content), "tensors of 4 bytes, the data beside the index are 3")


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (entry(4, (3,), 3, masked(b"bcd"), offset=1), None),
        (entry(4, (3,), 3, masked(b"abc"), offset=1), rf"3 bytes whose checksum is {masked(b'bcd'):#x}, not what"),
        (entry(4, (3,), 3, offset=2), f"the bytes 2 to 5 of {SHARD}, which has 4"),
        (entry(4, (3,), 3, shard=1), "shard 1, expected less than 1"),
        (entry(3, (3, 2), 4), r"4 bytes for the shape \(3, 2\) of int32, expected 24$"),
        (entry(5, (1,), 2), "the dtype number 5, expected one of"),
        (entry(7, (2,), 4), "the dtype number 7, expected one of"),
        (entry(1, (0, 1 << 61), 0, masked(b"")), r"a tensor of the shape \(0, 2305843009213693952\): array is too big"),
        (entry(1, ((1 << 64) - 1, 0), 0, masked(b"")), r"a tensor of the shape \(18446744073709551615, 0\): Maximum"),
        (entry(4, (1,) * 63 + (3,), 3, masked(b"bcd"), offset=1), None),
        (entry(4, (1,) * 64 + (3,), 3, masked(b"bcd"), offset=1), "a shape of 65 dimensions, expected at most 64"),
    ],
)
def test_an_entry_says_where_its_tensor_lies(wrong: bytes, match: str | None, tmp_path: Path) -> None:
    prefix = made(tmp_path, b"abcd", {b"a": wrong})
    if match is None:
        assert bytes(np.ravel(bundle.read(prefix)["a"])) == b"bcd"
    else:
        refused(prefix, f"^a: {match}")


def test_a_slice_must_be_in_the_index(tmp_path: Path) -> None:
    rows = [protobuf.field(1, protobuf.field(1, start) + protobuf.field(2, 1)) for start in (0, 1)]
    whole = entry(4, (2,), 0, more=b"".join(protobuf.field(7, row) for row in rows))
    keys = [slices_of_tensors.key(b"a", [(start, 1)]) for start in (0, 1)]
    content = {b"a": whole} | {
        key: entry(4, (1,), 1, masked(b"ab"[at : at + 1]), offset=at) for at, key in enumerate(keys)
    }
    assert bytes(bundle.read(made(tmp_path, b"ab", content))["a"]) == b"ab"
    del content[keys[1]]
    refused(made(tmp_path, b"ab", content), r"a: the slice \[\(1, 1\)\] is not in the index")


def test_a_key_must_be_utf_8_whatever_its_entry_is(tmp_path: Path) -> None:
    for value in (entry(4, (1,), 1, masked(b"a")), entry(4, (1,), 1)):
        refused(made(tmp_path, b"a", {b"\xff": value}), r"the key b'\\xff' is no UTF-8")


# ---- strings ------------------------------------------------------------------------------------------------------


def test_the_checksum_of_a_length_is_that_of_four_bytes_or_eight() -> None:
    """WriteStringTensor in tensor_bundle.cc: of a uint32 if it is one, else of a uint64."""
    assert bundle._of_length(0x01020304) == b"\4\3\2\1"
    assert bundle._of_length((1 << 32) - 1) == b"\xff\xff\xff\xff"
    assert bundle._of_length(1 << 32) == b"\0\0\0\0\1\0\0\0"


LENGTH = (4).to_bytes(4, "little")
STORED = masked(LENGTH).to_bytes(4, "little")
OTHER = masked(b"").to_bytes(4, "little")


@pytest.mark.parametrize(
    ("data", "checksum", "match"),
    [
        (b"\4" + STORED + b"text", masked(LENGTH + STORED + b"text"), None),
        (b"\4" + STORED + b"test", masked(LENGTH + STORED + b"text"), "a string of 4 bytes whose checksum is not"),
        (b"\4" + OTHER + b"text", masked(LENGTH + OTHER + b"text"), "a string of 4 bytes whose checksum is not"),
        (b"\4" + STORED + b"tex", masked(LENGTH + STORED + b"tex"), "a string of 3 bytes, expected 4"),
        (b"\4" + STORED + b"text!", masked(LENGTH + STORED + b"text!"), "a string of 5 bytes, expected 4"),
        (b"\4" + STORED[:3], masked(LENGTH + STORED[:3]), "a string of 0 bytes, expected 4"),
        (b"", masked(b""), "a varint at byte 0 runs over the end"),
    ],
)
def test_a_string_has_a_length_and_two_checksums(data: bytes, checksum: int, match: str | None, tmp_path: Path) -> None:
    for shape in ((), (1,), (1, 1)):
        prefix = made(tmp_path, data, {b"a": entry(bundle.STRING, shape, len(data), checksum)})
        if match is None:
            assert bundle.read(prefix)["a"] == b"text"
        else:
            refused(prefix, f"^a: {match}")


# ---- made of nothing ----------------------------------------------------------------------------------------------


class Held:
    """A checkpoint as its release looks at it: from the root along attributes to variables."""

    def __init__(self, prefix: Path) -> None:
        self.tensors = bundle.read(prefix)
        self.nodes = object_graph.parsed(bytes(self.tensors[KEY]))
        self.paths: dict[str, int] = {}
        self._follow(0, ())

    def _follow(self, number: int, path: tuple[str, ...]) -> None:
        self.paths["/".join(path)] = number
        for name, child in self.nodes[number].children.items() if len(path) < 6 else ():
            self._follow(child, (*path, name))

    def variable(self, path: str) -> tuple[Any, ...]:
        """Full name of an object, and dtype, shape and bytes of its value if it has one."""
        return self._at(self.paths[path])

    def _at(self, number: int) -> tuple[Any, ...]:
        node = self.nodes[number]
        if node.key is None:
            return ("",)
        tensor = self.tensors[node.key]
        assert isinstance(tensor, np.ndarray)
        return node.full_name, tensor.dtype, tensor.shape, tensor.tobytes()

    def slots(self, path: str) -> list[Any]:
        """The slots of an optimizer: of which variable, which kind, and the variable that it is."""
        owned = self.nodes[self.paths[path]].slots
        return sorted(((self._at(of), kind, self._at(slot)) for of, kind, slot in owned), key=repr)


def essential(path: str) -> bool:
    """Does a release of Keras 2.12 or later restore by this path? Its lists of one kind of slot name the same again."""
    place = path.removeprefix("optimizer/").replace("inner_optimizer/", "")
    return place.startswith(("_variables/", "_trainable_variables/", "_iterations", "_learning_rate"))


def not_in_the_release(edition: str, variables: list[str]) -> set[str]:
    """Paths of the optimizer's state that the release passes over, or of what it found by another way."""
    if edition in ("tf2.12", "tf2.15"):
        numbers = [f"/{number}" for number in range(len(variables))]
        return {f"optimizer/_trainable_variables{end}" for end in ("", *numbers)}
    layers = [path.rpartition("/")[0] for path in variables]
    return {*variables, *layers} if edition == "keras3" else set()


@pytest.mark.parametrize("edition", spec.editions())
def test_a_checkpoint_of_nothing_has_the_paths_and_variables_of_the_release(edition: str, tmp_path: Path) -> None:
    """Names, too, but that a hyperparameter has its optimizer's before its own, and Nadam's product none."""
    listed = saved_files.layout_of_checkpoints(edition) == "list"
    for golden in goldens.goldens(goldens.path_of(edition, "files")):
        case = golden["case"]
        if case["file"] != "checkpoint" or saved_files.arrays("checkpoint", edition, case["trained"]) is not None:
            continue
        (folder := tmp_path / case["id"].replace("/", "-")).mkdir()
        new = written(reference(), case, False, folder, from_nothing=True)
        made, release = Held(checkpoint.prefix_of(new)), Held(folder / new.stem)
        variables = [variable["name"] for variable in case["variables"]]
        assert made.paths.keys() - release.paths.keys() == not_in_the_release(edition, variables), case["id"]
        for path in made.paths.keys() & release.paths.keys():
            name, *value = made.variable(path)
            wanted, *expected = release.variable(path)
            assert value == expected, (case["id"], path)
            assert name in (wanted, wanted.split("/")[-1], "u_product" if listed else wanted), (case["id"], path)
        needed = {path for path in release.paths if release.variable(path)[1:] and (essential(path) or not listed)}
        assert {path for path in needed if not path.startswith("model/")} <= made.paths.keys(), case["id"]
        assert made.slots("optimizer") == release.slots("optimizer"), case["id"]
        assert made.tensors.keys() == release.tensors.keys() or listed, case["id"]


def test_a_name_that_is_no_slot_of_tf2_9_is_refused(tmp_path: Path) -> None:
    for name in ("z", "Adam/z", "w/Adam/m"):
        saved = SavedOptimizer("memory", [Weight(name, np.ones(2))], {"class_name": "Adam", "config": {}})
        with pytest.raises(FileFormatError, match=f"^{name}: expected a slot that is one of .*'m', 'v'"):
            checkpoint_writer.write_new(tmp_path / "m", saved, "tf2.9", {})


# ---- read, and written into another -------------------------------------------------------------------------------


def graph(folder: Path, nodes: list[Node], **values: np.ndarray) -> Path:
    """A checkpoint of some objects, the root first, and of the values of those that have a key."""
    bundle.write(folder / "m", {KEY: object_graph.serialized(nodes), **values})
    return folder / "m"


def test_at_most_32_optimizers_are_inside_each_other(tmp_path: Path) -> None:
    def wrapped(depth: int) -> Path:
        nodes = [Node({"optimizer": 3}), Node({}, "step", "step"), Node({}, "rate", "rate")]
        for number in range(depth):
            nodes.append(Node({"_variables": 3 + depth, "_iterations": 1, "rate": 2, "inner_optimizer": number + 4}))
        del nodes[-1].children["inner_optimizer"]
        return graph(tmp_path, [*nodes, Node({"0": 1})], step=np.asarray(3), rate=np.asarray(0.5))

    found = checkpoint.read(wrapped(32))
    assert [weight.value.tolist() for weight in found.weights] == [3] * 32
    assert list(found.beside) == [f"{'inner_optimizer/' * depth}rate" for depth in range(32)]
    with pytest.raises(FileFormatError, match=r"m\.index: more than 32 optimizers inside each other"):
        checkpoint.read(wrapped(33))


RATE = np.asarray(0.25, np.float32)


def slotted(kernel: Any, name: str = "m", owner: str = "w", rate: Any = None) -> SavedOptimizer:
    """The state of an optimizer of tf2.4 with slots of two variables, `w` and `b`."""
    weights = [
        Weight("iter", np.asarray(3, np.int64), "iter"),
        Weight(f"w/{name}", kernel, name, owner),
        Weight("b/m", np.ones(2, np.float32), "m", "b"),
    ]
    return SavedOptimizer(
        "memory",
        weights,
        {"class_name": "Adam", "config": {}},
        beside={"rate": RATE if rate is None else np.asarray(rate)},
    )


KERNEL = np.full((2, 3), 0.5, np.float32)


def test_slots_find_their_places_in_another_checkpoint_whatever_their_order(tmp_path: Path) -> None:
    held = {"w": Weight("w", KERNEL), "b": Weight("b", KERNEL[0])}
    checkpoint_writer.write_new(tmp_path / "base.index", slotted(KERNEL), "tf2.4", held)
    given = slotted(KERNEL * 3, rate=np.float32(0.75))
    turned = dataclasses.replace(given, weights=given.weights[::-1], beside={**given.beside, "none": np.ones(2)})
    checkpoint.write(tmp_path / "new.data-00000-of-00001", turned, tmp_path / "base")
    found = checkpoint.read(tmp_path / "new.index")
    assert [(w.slot, w.variable, w.value.tolist()) for w in found.weights] == [
        (w.slot, w.variable, w.value.tolist()) for w in given.weights
    ]
    assert {name: value.tolist() for name, value in found.beside.items()} == {"rate": 0.75}
    assert {name: value.tolist() for name, value in found.variables.items()} == {
        "w": KERNEL.tolist(),
        "b": KERNEL[0].tolist(),
    }
    checkpoint.write(tmp_path / "new", dataclasses.replace(given, beside={}), tmp_path / "base")
    assert checkpoint.read(tmp_path / "new").beside["rate"] == 0.25


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (slotted(KERNEL.T), r"has w/m of shape \(2, 3\) and float32, expected \(3, 2\) and float32"),
        (slotted(KERNEL.astype(np.float64)), r"has w/m of shape \(2, 3\) and float32, expected \(2, 3\) and float64"),
        (slotted(KERNEL, name="v"), r"has the slot m of w, expected one of \[\(None, 'iter'\), \('w', 'v'\), "),
        (slotted(KERNEL, owner="x"), r"has the slot m of w, expected one of "),
        (slotted(KERNEL[0], owner="b"), r"has the slot m of w, expected one of \[\(None, 'iter'\), \('b', 'm'\)\]"),
        (slotted(KERNEL, rate=np.float64(1)), r"has rate of shape \(\) and float32, expected \(\) and float64"),
        (slotted(KERNEL, rate=np.ones(1, np.float32)), r"has rate of shape \(\) and float32, expected \(1,\) and"),
        (SavedOptimizer("memory", slotted(KERNEL).weights[:2]), "has 3 arrays of state, expected 2"),
        (SavedOptimizer("memory", slotted(KERNEL).weights[:1] * 4), "has 3 arrays of state, expected 4"),
    ],
)
def test_another_state_must_be_that_of_the_same_optimizer(given: SavedOptimizer, match: str, tmp_path: Path) -> None:
    held = {"w": Weight("w", KERNEL), "b": Weight("b", KERNEL[0])}
    checkpoint_writer.write_new(tmp_path / "base", slotted(KERNEL), "tf2.4", held)
    with pytest.raises(FileFormatError, match=rf"base {match}"):
        checkpoint.write(tmp_path / "new", given, tmp_path / "base")
    assert not list(tmp_path.glob("new*"))
