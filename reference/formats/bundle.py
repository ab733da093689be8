"""TensorFlow's checkpoint files as tensors by key: an index (a sorted table) and data shards.

Source   tensorflow/core/util/tensor_bundle/tensor_bundle.cc and protobuf/tensor_bundle.proto
         BundleHeaderProto  1 num_shards, 2 endianness, 3 version          under the empty key
         BundleEntryProto   1 dtype, 2 shape, 3 shard_id, 4 offset, 5 size, 6 crc32c (masked), 7 slices
                            (slices_of_tensors.py: their data have entries of their own)
         A tensor of strings: the lengths as varints, a masked checksum of the lengths, the strings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from . import protobuf, slices_of_tensors, table
from .crc32c import masked
from .errors import FileFormatError
from .protobuf import field, fixed32

DTYPES = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    6: "int8",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    19: "float16",
}
STRING = 7
MOST_INDEX = 256 << 20
MOST_DIMENSIONS = 64
Tensor = np.ndarray | bytes


def read(prefix: Path) -> dict[str, Tensor]:
    """Every tensor of the checkpoint `prefix`.index, by key; a string is bytes."""
    index = Path(f"{prefix}.index")
    if not index.is_file():
        raise FileFormatError("expected a file that can be read: there is none")
    if index.stat().st_size > MOST_INDEX:
        raise FileFormatError(f"an index of {index.stat().st_size} bytes, expected at most {MOST_INDEX}")
    content = table.entries(index.read_bytes())
    if b"" not in content:
        raise FileFormatError("the index has no header, expected one under the empty key")
    header = protobuf.fields(content.pop(b""))
    shards, endianness = protobuf.number(header, 1), protobuf.number(header, 2)
    if endianness != 0:
        raise FileFormatError(f"data of endianness {endianness}, expected 0: the low byte first")
    _refuse_more_than_there_is(prefix, content, shards)
    found: dict[str, Tensor] = {}
    for key, value in content.items():
        if key.startswith(b"\0"):
            continue  # a slice of a tensor that has an entry of its own
        try:
            name = key.decode()
            found[name] = _whole(prefix, key, protobuf.fields(value), content, shards)
        except UnicodeDecodeError as error:
            raise FileFormatError(f"the key {key!r} is no UTF-8") from error
        except FileFormatError as error:
            raise FileFormatError(f"{name}: {error}") from error
    return found


def _refuse_more_than_there_is(prefix: Path, content: Mapping[bytes, bytes], shards: int) -> None:
    """Tensors lie side by side; those that overlap could claim any number of bytes."""
    there = 0
    for shard in range(shards):
        path = shard_path(prefix, shard, shards)
        if not path.is_file():
            raise FileFormatError(f"expected the data in {path.name} beside the index, which is not there")
        there += path.stat().st_size
    claimed = sum(protobuf.number(protobuf.fields(value), 5) for value in content.values())
    if claimed > there:
        raise FileFormatError(f"tensors of {claimed} bytes, the data beside the index are {there}")


def _whole(prefix: Path, key: bytes, entry: protobuf.Fields, content: Mapping[bytes, bytes], shards: int) -> Tensor:
    """A tensor, put together if it is stored in slices."""
    if not protobuf.messages(entry, 7):
        return _tensor(prefix, entry, shards)

    def piece(place: slices_of_tensors.Place) -> Tensor:
        own = slices_of_tensors.key(key, place)
        if own not in content:
            raise FileFormatError(f"the slice {list(place)} is not in the index")
        return _tensor(prefix, protobuf.fields(content[own]), shards)

    places = [slices_of_tensors.extents(message) for message in protobuf.messages(entry, 7)]
    return slices_of_tensors.assembled(_shape(entry), _kind(protobuf.number(entry, 1)), places, piece)


def _tensor(prefix: Path, entry: protobuf.Fields, shards: int) -> Tensor:
    dtype, shard, offset, size = (protobuf.number(entry, name) for name in (1, 3, 4, 5))
    shape = _shape(entry)
    if shard >= shards:
        raise FileFormatError(f"shard {shard}, expected less than {shards}")
    if dtype == STRING and math.prod(shape) == 1:
        return _string(_piece(prefix, shard, shards, offset, size), protobuf.number(entry, 6))
    kind = _kind(dtype)
    if math.prod(shape) * kind.itemsize != size:
        raise FileFormatError(
            f"{size} bytes for the shape {shape} of {kind}, expected {math.prod(shape) * kind.itemsize}"
        )
    data = _piece(prefix, shard, shards, offset, size)
    if masked(data) != protobuf.number(entry, 6):
        raise FileFormatError(f"{size} bytes whose checksum is {masked(data):#x}, not what the index says")
    try:
        return np.frombuffer(data, kind).reshape(shape).copy()
    except ValueError as error:  # no bytes for 0 elements, whatever the other dimensions are
        raise FileFormatError(f"a tensor of the shape {shape}: {error}") from error


def _kind(number: int) -> np.dtype:
    """The dtype of a number of DataType."""
    if number not in DTYPES:
        raise FileFormatError(f"the dtype number {number}, expected one of {sorted(DTYPES)}, or one string")
    return numpy_dtype(DTYPES[number])


def numpy_dtype(name: str) -> np.dtype:
    """numpy's dtype by its name; bfloat16 is ml_dtypes'."""
    if name == "bfloat16":
        import ml_dtypes

        return np.dtype(ml_dtypes.bfloat16)
    return np.dtype(name)


def _shape(entry: protobuf.Fields) -> tuple[int, ...]:
    """TensorShapeProto: 2 dimensions, each 1 its size; 3 the rank is unknown."""
    shape = tuple(
        protobuf.number(protobuf.fields(dimension), 1)
        for message in protobuf.messages(entry, 2)
        for dimension in protobuf.messages(protobuf.fields(message), 2)
    )
    if len(shape) > MOST_DIMENSIONS:
        raise FileFormatError(f"a shape of {len(shape)} dimensions, expected at most {MOST_DIMENSIONS}")
    return shape


def shard_path(prefix: Path, shard: int, shards: int) -> Path:
    """Where a data shard lies."""
    return Path(f"{prefix}.data-{shard:05d}-of-{shards:05d}")


def _piece(prefix: Path, shard: int, shards: int, offset: int, size: int) -> bytes:
    path = shard_path(prefix, shard, shards)
    length = path.stat().st_size
    if offset + size > length:
        raise FileFormatError(f"the bytes {offset} to {offset + size} of {path.name}, which has {length}")
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _string(data: bytes, checksum: int) -> bytes:
    """The one string of a tensor."""
    length, at = protobuf.varint(data, 0)
    text = data[at + 4 :]
    if len(text) != length:
        raise FileFormatError(f"a string of {len(text)} bytes, expected {length}")
    lengths, stored = _of_length(length), data[at : at + 4]
    if stored != masked(lengths).to_bytes(4, "little") or masked(lengths + stored + text) != checksum:
        raise FileFormatError(f"a string of {length} bytes whose checksum is not what the index says")
    return text


def _of_length(length: int) -> bytes:
    """A length as its checksum sees it."""
    return length.to_bytes(4 if length < 1 << 32 else 8, "little")


# ---- writing ------------------------------------------------------------------------------------------------


def write(prefix: Path, tensors: Mapping[str, Tensor]) -> list[Path]:
    """Write the tensors as `prefix`.index and one shard; returns both paths."""
    content = {b"": field(1, 1) + field(3, field(1, 1))}
    data = bytearray()
    for key in sorted(tensors, key=str.encode):
        entry, raw = _entry(tensors[key], len(data))
        content[key.encode()] = entry
        data += raw
    paths = [shard_path(prefix, 0, 1), Path(f"{prefix}.index")]
    paths[0].write_bytes(data)
    paths[1].write_bytes(table.table(content))
    return paths


def _entry(value: Tensor, offset: int) -> tuple[bytes, bytes]:
    """The index's entry and the shard's bytes of a tensor."""
    if isinstance(value, bytes):
        lengths = _of_length(len(value))
        stored = masked(lengths).to_bytes(4, "little")
        raw = protobuf.encoded(len(value)) + stored + value
        return _described(STRING, b"", offset, len(raw), masked(lengths + stored + value)), raw
    numbers = {name: number for number, name in DTYPES.items()}
    raw = value.astype(value.dtype.newbyteorder("<")).tobytes()
    shape = b"".join(field(2, _unless_zero(1, size)) for size in value.shape)
    return _described(numbers[value.dtype.name], shape, offset, len(raw), masked(raw)), raw


def _described(dtype: int, shape: bytes, offset: int, size: int, checksum: int) -> bytes:
    where = _unless_zero(4, offset) + _unless_zero(5, size)
    return field(1, dtype) + field(2, shape) + where + fixed32(6, checksum)


def _unless_zero(number: int, value: int) -> bytes:
    """A number as it is written, 0 by nothing."""
    return field(number, value) if value else b""
