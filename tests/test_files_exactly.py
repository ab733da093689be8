"""Limits of the readers of files, to the unit, and what the writers write, to the byte.

What is just right is taken, what is one more is refused; test_hostile_files.py and test_hostile_sizes.py have what is
wrong by far. The writers' bytes are compared with those of the releases.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep.conformance.files import as_optimizer_case, laid_out, trained
from goldenstep.conformance.keras_shaped import reference
from goldenstep.golden import files as goldens
from goldenstep.golden import saved_files
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3, namespace
from goldenstep.reference.formats import bundle, files, object_graph, protobuf, slices_of_tensors, table
from goldenstep.reference.formats.crc32c import masked
from goldenstep.reference.formats.errors import FileFormatError
from goldenstep.reference.formats.saved import SavedOptimizer, Weight, is_number, parsed, renewed

from .test_hostile_files import INDEX, archive, graph, refused  # type: ignore[import-not-found]  # as in test_wrong.py

# ---- JSON ---------------------------------------------------------------------------------------------------------


def test_json_of_16_mebibytes_is_read_and_one_byte_more_is_refused() -> None:
    text = b" " * ((16 << 20) - 2) + b"{}"
    assert parsed(text, "here") == {}
    with pytest.raises(FileFormatError, match="here: 16777217 bytes of JSON, expected at most 16777216"):
        parsed(text + b" ", "here")


def test_a_number_of_a_list_has_at_most_18_digits() -> None:
    assert is_number("9" * 18)
    assert not is_number("9" * 19)
    assert not is_number("")
    assert not is_number("²")
    assert not is_number("a")


def test_a_schedule_does_not_take_the_place_of_a_number() -> None:
    before = {"class_name": "SGD", "config": {"learning_rate": 0.5}}
    config = {"class_name": "SGD", "config": {"learning_rate": {"class_name": "ExponentialDecay", "config": {}}}}
    with pytest.raises(FileFormatError, match=r"saved with learning_rate=0\.5, expected ExponentialDecay"):
        renewed(before, config)


# ---- the zip ------------------------------------------------------------------------------------------------------


def test_weights_unpack_to_64_mebibytes_and_not_to_one_byte_more(tmp_path: Path) -> None:
    for size, match in ((64 << 20, "expected HDF5"), ((64 << 20) + 1, "unpacks to more than 67108864 bytes")):
        refused(archive(tmp_path / "model.keras", model_weights_h5=bytes(size)), match)


def test_a_larger_zip_may_unpack_to_20_times_its_size(tmp_path: Path) -> None:
    path = archive(tmp_path / "model.keras", model_weights_h5=bytes(90 << 20))
    with zipfile.ZipFile(path, "a") as target:
        target.writestr("beside", bytes(4 << 20))
    refused(path, f"unpacks to more than {20 * path.stat().st_size} bytes")


def test_only_the_first_nine_members_of_a_zip_are_shown(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as target:
        for number in range(12):
            target.writestr(f"{number:02}", b"")
    refused(tmp_path / "model.keras", r"and model.weights.h5, got \['00', .*'07', '08'\]$")


# ---- protocol buffers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "data"),
    [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\x80\x01"),
        (300, b"\xac\x02"),
        (1 << 63, b"\x80" * 9 + b"\x01"),
        ((1 << 64) - 1, b"\xff" * 9 + b"\x01"),
    ],
)
def test_a_varint_has_seven_bits_in_a_byte_the_low_ones_first(number: int, data: bytes) -> None:
    assert protobuf.encoded(number) == data
    assert protobuf.varint(b"\xff" + data + b"\x01", 1) == (number, 1 + len(data))


def test_a_varint_has_at_most_ten_bytes_and_64_bits() -> None:
    assert protobuf.varint(b"\xff" * 9 + b"\x7f", 0) == ((1 << 64) - 1, 10)
    with pytest.raises(FileFormatError, match="a varint at byte 1 has more than ten bytes"):
        protobuf.varint(b"\x00" + b"\x80" * 10 + b"\x00", 1)
    with pytest.raises(FileFormatError, match="a varint at byte 1 runs over the end of its 3 bytes"):
        protobuf.varint(b"\x00\x80\x80", 1)


def test_fields_are_read_up_to_the_last_byte() -> None:
    message = b"\x08\x07" + b"\x11" + bytes([1, 0, 0, 0, 0, 0, 0, 2]) + b"\x1a\x02ab" + b"\x25" + bytes([3, 0, 0, 4])
    found = protobuf.fields(message + b"\x08\x09")
    assert found == {1: [7, 9], 2: [(2 << 56) + 1], 3: [b"ab"], 4: [(4 << 24) + 3]}
    assert (protobuf.number(found, 1), protobuf.number(found, 9), protobuf.number(found, 9, 5)) == (9, 0, 5)
    assert (protobuf.text(found, 3), protobuf.text(found, 9)) == ("ab", "")
    assert protobuf.messages(found, 9) == []
    with pytest.raises(FileFormatError, match="field 3: expected a number, got 2 bytes"):
        protobuf.number(found, 3)
    with pytest.raises(FileFormatError, match="field 1: expected bytes, got a number"):
        protobuf.messages(found, 1)
    with pytest.raises(FileFormatError, match="field 4 claims 4 bytes, 3 are left"):
        protobuf.fields(message[:-1])
    for wrong in (b"\x0b", b"\x02\x00", b"\x00\x0b"):
        with pytest.raises(FileFormatError, match=r"field [01] has the wire type [023], expected one from 1 on"):
            protobuf.fields(wrong)


def test_a_string_is_the_last_one_and_utf_8() -> None:
    assert protobuf.text({1: [b"a", "é".encode()]}, 1) == "é"
    with pytest.raises(FileFormatError, match="field 1: expected UTF-8 text"):
        protobuf.text({1: [b"\xff"]}, 1)


def test_fields_are_written_as_they_are_read() -> None:
    assert protobuf.field(3, 300) == b"\x18\xac\x02"
    assert protobuf.field(3, "é") == protobuf.field(3, "é".encode()) == b"\x1a\x02\xc3\xa9"
    assert protobuf.fixed32(6, 0x01020304) == b"\x35\x04\x03\x02\x01"


# ---- slices -------------------------------------------------------------------------------------------------------


def extent(start: int | None, length: int | None) -> bytes:
    """An extent of a slice as it is stored."""
    numbers = [protobuf.field(n, value) for n, value in ((1, start), (2, length)) if value is not None]
    return protobuf.field(1, b"".join(numbers))


def test_extents_are_start_and_length_or_all_of_a_dimension() -> None:
    assert slices_of_tensors.extents(extent(2, 3) + extent(None, None)) == [(2, 3), (0, -1)]
    most = (1 << 62) - 1
    assert slices_of_tensors.extents(extent(most, most)) == [(most, most)]
    for wrong in (extent(1 << 62, 1), extent(1, 1 << 62), extent(0, 1) + extent((1 << 64) - 1, 1)):
        with pytest.raises(FileFormatError, match="expected no negative numbers"):
            slices_of_tensors.extents(wrong)


def test_the_key_of_a_slice_is_the_one_that_the_release_writes() -> None:
    """Under 16 bytes a shard keras3 has cut m of the kernel, (3, 2), into its rows."""
    found = table.entries(saved_files.members("keras3/files/adam/shards-of-16-bytes-checkpoint")[INDEX])
    sliced = {key for key in found if key.startswith(b"\0")}
    assert sliced
    made = set()
    for key, value in found.items():
        for message in protobuf.messages(protobuf.fields(value), 7) if key else ():
            made.add(slices_of_tensors.key(key, slices_of_tensors.extents(message)))
    assert made == sliced


def test_a_key_escapes_zeros_and_counts_the_bytes_of_its_numbers() -> None:
    assert slices_of_tensors.key(b"a\0b", [(0, 1), (64, -1)]) == b"\0a\0\xffb\0\1\1\2\x80\x81\xc0\x40\x7f"
    assert slices_of_tensors.key(b"", []) == b"\0\0\1\0"
    assert slices_of_tensors.key(b"", [(0, 0)] * 256)[3:6] == b"\2\1\0"
    assert slices_of_tensors.key(b"", [(-65, 8192)])[5:] == b"\x3f\xbf\xe0\x20\x00"
    assert slices_of_tensors.key(b"", [((1 << 62) - 1, 0)])[5:14] == b"\xff\xbf" + b"\xff" * 7


def test_a_piece_must_be_an_array_of_its_extent_and_dtype() -> None:
    kind = np.dtype(np.float32)
    places = [[(0, 1), (0, -1)], [(1, 2), (0, -1)]]
    pieces: list[Any] = [np.ones((1, 2), np.float32), np.full((2, 2), 2, np.float32)]
    whole = slices_of_tensors.assembled((3, 2), kind, places, lambda place: pieces[place[0][0]])
    assert whole.tolist() == [[1, 1], [2, 2], [2, 2]]
    for wrong in (b"text", np.ones(1, np.float32), np.ones((1, 2), np.float64)):
        pieces[0] = wrong
        with pytest.raises(FileFormatError, match=r"a slice that is not of shape \(1, 2\) and float32"):
            slices_of_tensors.assembled((3, 2), kind, places, lambda place: pieces[place[0][0]])


# ---- the object graph ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", ["tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy"])
def test_a_graph_is_written_to_the_byte_as_the_release_did(edition: str, tmp_path: Path) -> None:
    for name, data in saved_files.members(f"{edition}/files/adam/amsgrad-checkpoint").items():
        (tmp_path / name).write_bytes(data)
    recorded = bundle.read(tmp_path / "model-1")[object_graph.KEY]
    assert isinstance(recorded, bytes)
    assert object_graph.serialized(object_graph.parsed(recorded)) == recorded


def test_a_graph_refers_to_its_last_object_and_not_to_one_more(tmp_path: Path) -> None:
    nodes = [object_graph.Node({"a": 1}, slots=[(0, "m", 1)]), object_graph.Node({}, "name", "key")]
    assert object_graph.parsed(object_graph.serialized(nodes)) == nodes
    for wrong in (
        object_graph.Node({"a": 2}),
        object_graph.Node(slots=[(2, "m", 1)]),
        object_graph.Node(slots=[(1, "m", 2)]),
    ):
        with pytest.raises(FileFormatError, match="object 1 refers to 2, there are 2"):
            object_graph.parsed(object_graph.serialized([nodes[0], wrong]))
    with pytest.raises(FileFormatError, match="expected at least one object"):
        object_graph.parsed(b"")
    refused(graph(tmp_path, lambda found: found[0].children.update(optimizer=len(found))), "object 0 refers to")


def test_a_graph_has_at_most_a_million_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(FileFormatError, match="1000001 objects, expected at most 1000000"):
        object_graph.parsed(b"\x0a\x00" * 1_000_001)
    monkeypatch.setattr(object_graph, "MOST_NODES", 2)
    assert len(object_graph.parsed(b"\x0a\x00" * 2)) == 2


def test_objects_are_reached_nearest_first_and_each_once() -> None:
    nodes = [
        object_graph.Node({"far": 1, "near": 2}),
        object_graph.Node({"next": 3, "back": 0}),
        object_graph.Node({"next": 3, "last": 4}),
        object_graph.Node(),
        object_graph.Node(),
    ]
    assert list(object_graph.reachable(nodes)) == [0, 1, 2, 3, 4]
    assert list(object_graph.reachable(nodes, 2)) == [2, 3, 4]
    assert list(object_graph.reachable(nodes, without="next")) == [0, 1, 2, 4]
    assert object_graph.at(nodes, "near/last", 0) == 4
    assert object_graph.at(nodes, "near/none/last", 0) is None


# ---- tables and tensors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", ["tf2.4", "keras3"])
def test_the_blocks_of_a_table_are_those_of_the_release(edition: str) -> None:
    """To the byte; the key in the list of blocks is ours: the release shortens it."""
    recorded = saved_files.members(f"{edition}/files/adam/defaults-checkpoint")[INDEX]
    index = table._handle(recorded[-48:], table._handle(recorded[-48:], 0)[1])[0][0]
    assert table.table(table.entries(recorded))[:index] == recorded[:index]


def test_tensors_are_described_as_the_release_does(tmp_path: Path) -> None:
    """But for the order in which they lie in the shard."""
    members = saved_files.members("keras3/files/adam/defaults-checkpoint")
    for name, data in members.items():
        (tmp_path / name).write_bytes(data)
    bundle.write(tmp_path / "new", bundle.read(tmp_path / "model-1"))
    recorded, new = (table.entries((tmp_path / name).read_bytes()) for name in (INDEX, "new.index"))
    graph = object_graph.KEY.encode()
    described = [{k: {**protobuf.fields(v), 4: 0} if k else v for k, v in found.items()} for found in (recorded, new)]
    assert {k: v for k, v in described[0].items() if k != graph} == {
        k: v for k, v in described[1].items() if k != graph
    }


# ---- tables, made by hand ------------------------------------------------------------------------------------------


def index_of(blocks: bytes, data: bytes = b"") -> bytes:
    """A table of some bytes, blocks among them, and of the block that lists the blocks."""
    made = bytearray(data)
    handle = table._append(made, blocks)
    footer = (table._append(made, table._packed([])) + handle).ljust(table.FOOTER - 8, b"\0")
    return bytes(made) + footer + table.MAGIC.to_bytes(8, "little")


def with_block(block: bytes) -> bytes:
    """A table of one block."""
    data = bytearray()
    handle = table._append(data, block)
    return index_of(table._packed([(b"z", handle)]), bytes(data))


def test_a_table_ends_with_a_footer_of_48_bytes() -> None:
    least = index_of(table._packed([]))
    assert table.entries(least) == {}
    footer = b"\0" * 40 + table.MAGIC.to_bytes(8, "little")
    with pytest.raises(FileFormatError, match="a block claims the bytes 0 to 5 of 4"):
        table._block(footer[:4], (0, 0)).__next__()
    for wrong in (footer[1:], footer[:-1] + b"\0"):
        with pytest.raises(
            FileFormatError, match=r"at least 48 bytes that ends with the magic number 0xdb4775248b80fb57"
        ):
            table.entries(wrong)
    with pytest.raises(FileFormatError, match="got 0 bytes that end with nothing"):
        table.entries(b"")
    with pytest.raises(FileFormatError, match="got 9 bytes that end with 0102030405060708"):
        table.entries(bytes(range(9)))
    with pytest.raises(FileFormatError, match="the block at byte 0 does not have the checksum"):
        table.entries(footer)


def test_a_block_is_followed_by_its_type_and_its_checksum() -> None:
    data = bytearray(b"ab")
    assert table._append(data, b"block") == b"\x02\x05"
    assert data == b"abblock\0" + masked(b"block\0").to_bytes(4, "little")
    assert table._handle(b"\xff\x02\x05", 1) == ((2, 5), 3)


def test_keys_share_what_they_begin_with_but_for_every_16th() -> None:
    pairs = [(b"key%02d" % number, b"v") for number in range(18)]
    block = table._packed(pairs)
    assert block.startswith(b"\0\5\1key00v" + b"\4\1\1" + b"1v" + b"\4\1\1" + b"2v")
    again = block.index(b"\0\5\1key16v")
    assert block.endswith(b"\4\1\1" + b"7v" + bytes(4) + again.to_bytes(4, "little") + (2).to_bytes(4, "little"))
    assert table._packed(pairs[:2], 1) == b"\0\5\1key00v\0\5\1key01v" + b"".join(
        number.to_bytes(4, "little") for number in (0, 9, 2)
    )
    assert table._packed([]) == bytes(4) + (1).to_bytes(4, "little")


def test_a_block_is_full_with_the_entry_that_brings_it_to_256_kibibytes() -> None:
    value = b"v" * ((1 << 17) - 2)
    pairs = [(b"%02d" % number, value) for number in range(5)]
    assert [[key for key, _ in block] for block in table._blocks(pairs)] == [[b"00", b"01"], [b"02", b"03"], [b"04"]]
    shorter = [(key, value[1:]) for key, value in pairs]
    assert [len(block) for block in table._blocks(shorter)] == [3, 2]
    assert [len(block) for block in table._blocks(pairs[:2])] == [2]
    assert [len(block) for block in table._blocks([pairs[0], shorter[1], pairs[2]])] == [3]
    assert [len(block) for block in table._blocks([*pairs[:3], shorter[3], pairs[4]])] == [2, 3]
    data = table.table(dict(pairs))
    assert table.entries(data) == dict(pairs)
    index = table._handle(data[-48:], table._handle(data[-48:], 0)[1])[0]
    assert [key for key, _ in table._block(data, index)] == [b"01", b"03", b"04"]
    assert data[sum(index) - 4 : sum(index)] == (3).to_bytes(4, "little")  # the restart points: each key stands whole


def entry_of(shared: int, fresh: int, length: int, data: bytes) -> bytes:
    """An entry of a block."""
    return b"".join(map(protobuf.encoded, (shared, fresh, length))) + data


RESTARTS = bytes(4) + (1).to_bytes(4, "little")


def test_an_entry_shares_and_claims_no_more_than_there_is() -> None:
    first = entry_of(0, 2, 1, b"abv")
    assert table.entries(with_block(first + entry_of(2, 1, 0, b"c") + RESTARTS)) == {b"ab": b"v", b"abc": b""}
    for wrong in (entry_of(3, 1, 0, b"c"), entry_of(2, 2, 0, b"c"), entry_of(2, 1, 1, b"c")):
        with pytest.raises(
            FileFormatError, match="an entry of the block at byte 0 claims more bytes than the block has"
        ):
            table.entries(with_block(first + wrong + RESTARTS))


def test_a_block_has_room_for_its_restart_points() -> None:
    assert table.entries(with_block(bytes(4))) == {}
    for restarts, block in ((1, (1).to_bytes(4, "little")), (3, bytes(8) + (3).to_bytes(4, "little"))):
        match = f"the block at byte 0 claims {restarts} restart points in {len(block)} bytes"
        with pytest.raises(FileFormatError, match=match):
            table.entries(with_block(block))
    assert table.entries(with_block(bytes(8) + (2).to_bytes(4, "little"))) == {}
    with pytest.raises(FileFormatError, match="claims 0 restart points in 3 bytes"):
        table.entries(with_block(bytes(3)))


def test_keys_are_sorted_and_stand_once() -> None:
    def two(first: bytes, second: bytes) -> bytes:
        return with_block(entry_of(0, len(first), 0, first) + entry_of(0, len(second), 0, second) + RESTARTS)

    assert list(table.entries(two(b"", b"a"))) == [b"", b"a"]
    for first, second in ((b"b", b"a"), (b"a", b"a"), (b"", b"")):
        with pytest.raises(FileFormatError, match=f"the key {second!r} comes after {first!r}: expected sorted keys"):
            table.entries(two(first, second))


def test_blocks_come_one_after_the_other() -> None:
    data = bytearray()
    handles = [table._append(data, table._packed([(key, b"")])) for key in (b"a", b"b")]
    listed = index_of(table._packed(list(zip((b"a", b"b"), handles, strict=True)), 1), bytes(data))
    assert list(table.entries(listed)) == [b"a", b"b"]
    size = len(table._packed([(b"a", b"")]))
    overlapping = [handles[0], protobuf.encoded(size - 1) + protobuf.encoded(size)]
    with pytest.raises(
        FileFormatError, match=f"a block at byte {size - 1}, expected one after that which ends at {size}"
    ):
        table.entries(index_of(table._packed(list(zip((b"a", b"b"), overlapping, strict=True)), 1), bytes(data)))


def test_keys_are_at_most_50_times_as_long_as_the_index() -> None:
    """Each key is the one before with one letter more; the last has a value that makes the index long enough."""

    def grown(value: bytes) -> bytes:
        pairs = [*((b"k" * number, b"") for number in range(1, 499)), (b"k" * 499, value)]
        return with_block(table._packed(pairs, 499))

    least = 499 * 500 // 2 // 50
    enough = b"v" * (least - len(grown(b"")))
    assert len(grown(enough)) == least
    assert len(table.entries(grown(enough))) == 499
    with pytest.raises(FileFormatError, match=f"keys of {50 * least} bytes in an index of {least - 1}"):
        table.entries(grown(enough[1:]))


def test_a_block_stands_with_its_five_bytes_inside_the_table() -> None:
    data = bytearray()
    table._append(data, RESTARTS)
    assert list(table._block(bytes(data), (0, 8))) == []
    with pytest.raises(FileFormatError, match="a block claims the bytes 0 to 13 of 12"):
        list(table._block(bytes(data[:-1]), (0, 8)))
    data[8] = 1
    with pytest.raises(FileFormatError, match=r"the block at byte 0 is compressed \(type 1\), expected type 0"):
        list(table._block(bytes(data), (0, 8)))


# ---- what is restored ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "identity",
    [
        "tf2.4/files/adam/defaults-checkpoint",
        "tf2.4/files/lossscaleoptimizer/adam-checkpoint",
        "tf2.15/files/lossscaleoptimizer/adam-checkpoint",
        "tf2.12/files/nadam/defaults-checkpoint",
        "tf2.12/files/adam/schedule-checkpoint",
        "keras3/files/lossscaleoptimizer/nadam-checkpoint",
    ],
)
def test_what_a_checkpoint_has_beside_the_state_is_what_the_release_wrote(identity: str, tmp_path: Path) -> None:
    case = goldens.parsed(*goldens.index()[identity])["case"]
    recorded = files.read(laid_out(case, saved_files.members(identity), tmp_path)).beside
    implementation = reference()
    variables, optimizer = implementation.variables(case), implementation.construct(as_optimizer_case(case))
    trained(implementation, case, optimizer, variables, True)
    assert recorded
    assert {name: value.tolist() for name, value in files.saved_from(optimizer, variables).beside.items()} == {
        name: value.tolist() for name, value in recorded.items()
    }


def new_adam(learning_rate: float) -> tuple[Any, Variable]:
    """Adam of tf2.4 that has not stepped yet, and its variable."""
    return namespace("tf2.4").Adam(learning_rate=learning_rate), Variable(np.ones(2, np.float32), "w")


def test_hyperparameters_are_in_a_checkpoint_before_the_first_step_and_are_restored() -> None:
    optimizer, w = new_adam(0.5)
    saved = files.saved_from(optimizer, [w])
    assert {name: value.tolist() for name, value in saved.beside.items()} == {
        "learning_rate": 0.5,
        "beta_1": float(np.float32(0.9)),
        "beta_2": float(np.float32(0.999)),
        "decay": 0.0,
    }
    other, w = new_adam(0.25)
    weights = [
        Weight("iter", np.asarray(3, np.int64), "iter"),
        *(Weight(slot, np.full(2, 2, np.float32), slot, "w") for slot in ("m", "v")),
    ]
    given = {**saved.beside, "decay": np.ones(2, np.float32), "unknown": np.ones((), np.float32)}
    files.put(SavedOptimizer("checkpoint", weights, beside=given), other, [w])
    assert (float(other.learning_rate.value), float(other.decay.value)) == (0.5, 0.0)
    assert not hasattr(other, "unknown")


@pytest.mark.parametrize("slots", ["mvv", "mm", "m"])
def test_every_slot_must_be_there_once(slots: str) -> None:
    optimizer, w = new_adam(0.5)
    weights = [Weight(slot, np.zeros(2, np.float32), slot, "w") for slot in slots]
    saved = SavedOptimizer("checkpoint", [Weight("iter", np.asarray(3, np.int64), "iter"), *weights])
    with pytest.raises(FileFormatError, match=f"{len(weights) + 1} arrays of state, expected 3"):
        files.put(saved, optimizer, [w])


@pytest.mark.parametrize(("value", "match"), [(np.zeros(2), "float64"), (np.zeros(3, np.float32), r"\(3,\)")])
def test_a_slot_of_another_shape_or_dtype_is_refused_before_anything_is_restored(value: Any, match: str) -> None:
    optimizer, w = new_adam(0.5)
    weights = [Weight("iter", np.asarray(3, np.int64), "iter"), Weight("m", np.ones(2, np.float32), "m", "w")]
    saved = SavedOptimizer("checkpoint", [*weights, Weight("v", value, "v", "w")])
    with pytest.raises(FileFormatError, match=rf"v: shape .*{match}.*, expected shape \(2,\) and dtype float32"):
        files.put(saved, optimizer, [w])
    assert optimizer.iterations.value == 0


@pytest.mark.parametrize("value", [np.float64(16), np.ones(1, np.float32)])
def test_a_scale_of_another_shape_or_dtype_is_refused(value: Any) -> None:
    scaled = namespace("tf2.15").mixed_precision.LossScaleOptimizer(namespace("tf2.15").SGD())
    with pytest.raises(FileFormatError, match=r"expected shape \(\) and dtype float32"):
        files._put_scale(scaled, "loss_scale/current_loss_scale", value)


def test_what_an_inner_optimizer_has_beside_its_state_is_nothing_for_an_optimizer_that_wraps_none() -> None:
    optimizer = keras3.Adam(learning_rate=0.25)
    optimizer.build([Variable(np.ones(2, np.float32), "w")])
    files._put_beside(optimizer, "inner_optimizer/_learning_rate", np.asarray(0.5, np.float32))
    assert optimizer.learning_rate.value == 0.25
    files._put_beside(
        keras3.LossScaleOptimizer(optimizer), "inner_optimizer/_learning_rate", np.asarray(0.5, np.float32)
    )
    assert optimizer.learning_rate.value == 0.5
