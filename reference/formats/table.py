"""Sorted tables of TensorFlow's checkpoint index: keys and values in blocks, as LevelDB writes them.

Source   LevelDB's doc/table_format.md; TensorFlow's lib/io/table.h writes the same with its own magic number and no
         filter block. A block is entries, the offsets of the restart points, and their count; a key shares its first
         bytes with the key before it. After each block stand its type (0: as it is, 1: snappy) and masked CRC-32C.
         The last 48 bytes are two handles (metaindex, index), padding and the magic number.
"""

from __future__ import annotations

from collections.abc import Iterator

from .crc32c import masked
from .errors import FileFormatError
from .protobuf import encoded, varint

MAGIC = 0xDB4775248B80FB57
FOOTER = 48
RESTART = 16
BLOCK = 1 << 18
MOST_SHARED = 50


def entries(data: bytes) -> dict[bytes, bytes]:
    """Every key with its value, in the order of the table, which must be that of the keys."""
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise FileFormatError(
            f"expected a table of at least {FOOTER} bytes that ends with the magic number {MAGIC:#x}, got {len(data)} "
            f"bytes that end with {data[-8:].hex() or 'nothing'}"
        )
    footer = data[-FOOTER:]
    _, at = _handle(footer, 0)
    index, _ = _handle(footer, at)
    found: dict[bytes, bytes] = {}
    last, end, size = b"", 0, 0
    for _, handle in _block(data, index):
        place = _handle(handle, 0)[0]
        if place[0] < end:
            raise FileFormatError(f"a block at byte {place[0]}, expected one after that which ends at {end}")
        end = sum(place)
        for key, value in _block(data, place):
            if found and key <= last:
                raise FileFormatError(f"the key {key!r} comes after {last!r}: expected sorted keys, each once")
            size += len(key)
            found[key] = value
            last = key
            if size > MOST_SHARED * len(data):
                raise FileFormatError(f"keys of {size} bytes in an index of {len(data)}")
    return found


def _handle(data: bytes, at: int) -> tuple[tuple[int, int], int]:
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return (offset, size), at


def _block(data: bytes, handle: tuple[int, int]) -> Iterator[tuple[bytes, bytes]]:
    """The entries of a block."""
    offset, size = handle
    end = offset + size
    if end + 5 > len(data):
        raise FileFormatError(f"a block claims the bytes {offset} to {end + 5} of {len(data)}")
    if data[end] != 0:
        raise FileFormatError(f"the block at byte {offset} is compressed (type {data[end]}), expected type 0")
    stored = int.from_bytes(data[end + 1 : end + 5], "little")
    if stored != masked(data[offset : end + 1]):
        raise FileFormatError(f"the block at byte {offset} does not have the checksum {stored:#x} that stands after it")
    block = data[offset:end]
    restarts = int.from_bytes(block[-4:], "little")
    limit = len(block) - 4 - 4 * restarts
    if limit < 0:
        raise FileFormatError(f"the block at byte {offset} claims {restarts} restart points in {len(block)} bytes")
    at, key = 0, b""
    while at < limit:
        shared, at = varint(block, at)
        fresh, at = varint(block, at)
        length, at = varint(block, at)
        if shared > len(key) or at + fresh + length > limit:
            raise FileFormatError(f"an entry of the block at byte {offset} claims more bytes than the block has")
        key = key[:shared] + block[at : at + fresh]
        yield key, block[at + fresh : at + fresh + length]
        at += fresh + length


# ---- writing ------------------------------------------------------------------------------------------------


def table(content: dict[bytes, bytes]) -> bytes:
    """A table of `content`, sorted by key, without compression."""
    data, index = bytearray(), {}
    for pairs in _blocks(sorted(content.items())):
        index[pairs[-1][0]] = _append(data, _packed(pairs))
    metaindex = _append(data, _packed([]))
    handles = metaindex + _append(data, _packed(list(index.items()), 1))
    return bytes(data) + handles.ljust(FOOTER - 8, b"\0") + MAGIC.to_bytes(8, "little")


def _blocks(pairs: list[tuple[bytes, bytes]]) -> Iterator[list[tuple[bytes, bytes]]]:
    block: list[tuple[bytes, bytes]] = []
    size = 0
    for key, value in pairs:
        block.append((key, value))
        size += len(key) + len(value)
        if size >= BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _packed(pairs: list[tuple[bytes, bytes]], every: int = RESTART) -> bytes:
    """A block: every key but each `every`-th without the bytes that it shares with the one before."""
    block, restarts, last = bytearray(), [0], b""
    for count, (key, value) in enumerate(pairs):
        shared = _common(key, last) if count % every else 0
        restarts += [len(block)] * bool(count and not count % every)
        block += encoded(shared) + encoded(len(key) - shared) + encoded(len(value)) + key[shared:] + value
        last = key
    return bytes(block) + b"".join(at.to_bytes(4, "little") for at in [*restarts, len(restarts)])


def _common(key: bytes, last: bytes) -> int:
    """How many bytes two keys begin with in common."""
    count = 0
    while count < min(len(key), len(last)) and key[count] == last[count]:
        count += 1
    return count


def _append(data: bytearray, block: bytes) -> bytes:
    """Append a block with its type and checksum; returns its handle."""
    handle = encoded(len(data)) + encoded(len(block))
    data += block + b"\0" + masked(block + b"\0").to_bytes(4, "little")
    return handle
