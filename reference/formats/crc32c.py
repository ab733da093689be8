"""CRC-32C (Castagnoli), as TensorFlow's tables and tensors carry it.

Source   RFC 3720, appendix B.4 (polynomial 0x1EDC6F41, here bit-reversed); the mask is LevelDB's.
"""

from __future__ import annotations

import functools

import numpy as np

POLYNOMIAL = 0x82F63B78
LANES = 4096
MASK = 0xA282EAD8


@functools.cache
def _table() -> np.ndarray:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(POLYNOMIAL), table >> 1)
    return table


def crc32c(data: bytes) -> int:
    """The checksum of `data`: many lanes side by side, each one byte per step, then one after the other."""
    length = len(data) // LANES
    crc = 0xFFFFFFFF
    if length >= 64:
        lanes = np.frombuffer(data, np.uint8, length * LANES).reshape(LANES, length)
        state = np.zeros(LANES, np.uint32)
        for column in lanes.T.copy():
            state = _table()[(state ^ column) & 0xFF] ^ (state >> 8)
        over = _over_zeros(length)
        for lane in state.tolist():
            crc = _times(over, crc) ^ lane
    else:
        length = 0
    table = _numbers()
    for byte in data[length * LANES :]:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


@functools.cache
def _numbers() -> list[int]:
    return list(_table().tolist())


def _times(matrix: list[int], vector: int) -> int:
    """The product of a 32 x 32 matrix of bits, given by columns, and a vector of bits."""
    product = 0
    for column in matrix:
        if vector & 1:
            product ^= column
        vector >>= 1
    return product


@functools.cache
def _over_zeros(count: int) -> list[int]:
    """What `count` zero bytes do to a checksum, as a matrix: the one-byte matrix to the power of `count`."""
    power = [_numbers()[(1 << bit) & 0xFF] ^ ((1 << bit) >> 8) for bit in range(32)]
    result = [1 << bit for bit in range(32)]
    while count:
        if count & 1:
            result = [_times(power, column) for column in result]
        power = [_times(power, column) for column in power]
        count >>= 1
    return result


def masked(data: bytes) -> int:
    """The checksum as it is stored: rotated by 15 bits, plus a constant."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + MASK) & 0xFFFFFFFF
