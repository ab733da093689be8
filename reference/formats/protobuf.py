"""Protocol buffers on the wire, without a schema: fields by number in, fields by number out.

Source   protobuf.dev/programming-guides/encoding. A field is a varint `number << 3 | type` and its value:
         type 0 a varint, 1 eight bytes, 2 a length and that many bytes, 5 four bytes. Groups (3, 4) are refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from .errors import FileFormatError

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
Value = int | bytes
Fields = dict[int, list[Value]]


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that starts at `at`, at most 64 bits in at most ten bytes, and where the next byte is."""
    value = 0
    for count in range(10):
        if at + count >= len(data):
            raise FileFormatError(f"a varint at byte {at} runs over the end of its {len(data)} bytes")
        byte = data[at + count]
        value |= (byte & 0x7F) << (7 * count)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + count + 1
    raise FileFormatError(f"a varint at byte {at} has more than ten bytes")


def fields(message: bytes) -> Fields:
    """Every field of a message: its values, in their order, by its number."""
    found: Fields = {}
    for number, value in _fields(message):
        found.setdefault(number, []).append(value)
    return found


def _fields(message: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        number, kind = key >> 3, key & 7
        if kind not in (VARINT, EIGHT, BYTES, FOUR) or number == 0:
            raise FileFormatError(f"field {number} has the wire type {kind}, expected one from 1 on, and 0, 1, 2 or 5")
        if kind == VARINT:
            value, at = varint(message, at)
            yield number, value
            continue
        length, at = varint(message, at) if kind == BYTES else ({EIGHT: 8, FOUR: 4}[kind], at)
        if at + length > len(message):
            raise FileFormatError(f"field {number} claims {length} bytes, {len(message) - at} are left")
        piece = message[at : at + length]
        at += length
        yield number, piece if kind == BYTES else int.from_bytes(piece, "little")


def number(found: Fields, field: int, default: int = 0) -> int:
    """The last value of a number field; FileFormatError if it is none."""
    value = found.get(field, [default])[-1]
    if not isinstance(value, int):
        raise FileFormatError(f"field {field}: expected a number, got {len(value)} bytes")
    return value


def messages(found: Fields, field: int) -> list[bytes]:
    """Every value of a field of messages or strings; FileFormatError if one is a number."""
    values = found.get(field, [])
    pieces = [value for value in values if isinstance(value, bytes)]
    if len(pieces) < len(values):
        raise FileFormatError(f"field {field}: expected bytes, got a number")
    return pieces


def text(found: Fields, field: int) -> str:
    """The last value of a string field, "" without one; FileFormatError if it is no UTF-8."""
    try:
        return (messages(found, field) or [b""])[-1].decode()
    except UnicodeDecodeError as error:
        raise FileFormatError(f"field {field}: expected UTF-8 text: {error}") from error


# ---- writing ------------------------------------------------------------------------------------------------


def encoded(value: int) -> bytes:
    """A number as a varint."""
    pieces = bytearray()
    while value >= 0x80:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*pieces, value])


def field(number: int, value: int | bytes | str) -> bytes:
    """A field as it is written: a number as a varint, text and messages with their length."""
    if isinstance(value, int):
        return encoded(number << 3 | VARINT) + encoded(value)
    data = value.encode() if isinstance(value, str) else value
    return encoded(number << 3 | BYTES) + encoded(len(data)) + data


def fixed32(number: int, value: int) -> bytes:
    """A field of four bytes."""
    return encoded(number << 3 | FOUR) + value.to_bytes(4, "little")
