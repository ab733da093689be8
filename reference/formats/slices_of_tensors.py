"""Tensors of a checkpoint that are stored in slices: under which key each slice lies, and the tensor put together.

Source   tensorflow/core/util/tensor_slice_util.cc: EncodeTensorNameSlice; tensorflow/core/lib/strings/ordered_code.cc
         a key is the number 0, the name, the rank, and start and length of each dimension, so coded that keys sort as
         the values do. TensorSliceProto: 1 an extent for each dimension: 1 start, 2 length, none for all of it.
Seen     TensorFlow 2.21 with MaxShardSizePolicy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from . import protobuf
from .errors import FileFormatError

Extent = tuple[int, int]
Place = Sequence[Extent]
ALL = -1


def extents(message: bytes) -> list[Extent]:
    """Start and length in each dimension of a slice; the length is -1 where it is all of it."""
    dimensions = map(protobuf.fields, protobuf.messages(protobuf.fields(message), 1))
    found = [(protobuf.number(dimension, 1), protobuf.number(dimension, 2, ALL)) for dimension in dimensions]
    if any(start >= 1 << 62 or length >= 1 << 62 for start, length in found):
        raise FileFormatError(f"a slice {found}, expected no negative numbers")
    return found


def key(name: bytes, place: Place) -> bytes:
    """The key of a slice of the tensor `name`."""
    escaped = name.replace(b"\x00", b"\x00\xff")  # UTF-8 has no byte 255, which would be written as 255, 0
    rank = len(place).to_bytes((len(place).bit_length() + 7) // 8, "big")
    numbers = b"".join(_signed(start) + _signed(length) for start, length in place)
    return b"\x00" + escaped + b"\x00\x01" + bytes([len(rank)]) + rank + numbers


def _signed(value: int) -> bytes:
    """A number so that the bytes sort as the numbers do: its length stands in the first bits."""
    bits = max(value, ~value).bit_length()
    size = bits // 7 + 1
    header = ((1 << size) - 1) << (7 * size)
    return ((value & ((1 << 8 * size) - 1)) ^ header).to_bytes(size, "big")


def assembled(
    shape: tuple[int, ...],
    kind: np.dtype,
    places: Sequence[Sequence[Extent]],
    read: Callable[[Sequence[Extent]], object],
) -> np.ndarray:
    """The tensor of `shape` whose slices `read` gives; they must cover each element once."""
    if len(set(map(tuple, places))) < len(places):
        raise FileFormatError("slices that stand several times, expected each once")
    if any(len(place) != len(shape) for place in places):
        raise FileFormatError(f"slices {list(places)} of the shape {shape}, expected one extent for each dimension")
    boxes = [[(a, size if n == ALL else n) for (a, n), size in zip(place, shape, strict=True)] for place in places]
    if any(start + length > size for box in boxes for (start, length), size in zip(box, shape, strict=True)):
        raise FileFormatError(f"slices {list(places)}, expected some inside the shape {shape}")
    if sum(math.prod(length for _, length in box) for box in boxes) != math.prod(shape):
        raise FileFormatError(f"slices {list(places)}, expected every element of the shape {shape} once")
    pieces = [read(place) for place in places]
    for box, piece in zip(boxes, pieces, strict=True):
        lengths = tuple(length for _, length in box)
        if not isinstance(piece, np.ndarray) or piece.shape != lengths or piece.dtype != kind:
            raise FileFormatError(f"a slice that is not of shape {lengths} and {kind}")
    try:
        whole, covered = np.empty(shape, kind), np.zeros(shape, bool)
    except ValueError as error:
        raise FileFormatError(f"a tensor of the shape {shape}: {error}") from error
    for box, piece in zip(boxes, pieces, strict=True):
        at = tuple(slice(start, start + length) for start, length in box)
        whole[at], covered[at] = piece, True
    if not covered.all():
        raise FileFormatError(f"slices {list(places)} that overlap, expected every element of the shape {shape} once")
    return whole
