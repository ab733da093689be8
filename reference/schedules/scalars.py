"""Every rounding choice of the schedules: how TensorFlow casts single numbers, and takes cos, log and powers of them.

A schedule written with these functions and with numpy's own `+ - * /` on numpy scalars rounds after every operation,
as TensorFlow's CPU kernels do in eager mode.  A single number goes through the C library there, not through packets,
so all editions agree.  cos and log of float32 are glibc's (since 2.28; measured on 2.36), which are not correctly
rounded: one cosine in 75 differs from the rounded float64 cosine, one logarithm in 930 from the rounded logarithm.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from .. import bits
from ..bits import Flushing, flush


def tensor(value: Any) -> Any:
    """A Python number as TensorFlow takes it: an int as int32 or, if too long, int64; a float as float32.

    ValueError for a finite float that is too large for float32.
    """
    if isinstance(value, np.ndarray | np.generic):
        return value
    if value is None:
        raise ValueError("Attempt to convert a value (None) with an unsupported type to a Tensor.")
    if isinstance(value, bool):
        return np.bool_(value)
    if isinstance(value, int):
        return np.int32(value) if -(2**31) <= value < 2**31 else np.int64(value)
    return bits.in_range(value, np.float32)[()]


def cast(dtype: np.dtype, *values: Any) -> list[Any]:
    """Each value as a tensor and then of `dtype`: a Python float goes through float32, for float64 too."""
    return [tensor(value).astype(dtype) for value in values]


def divide(x: Any, y: Any) -> Any:
    """`x / y`; two integers give float32, as keras 3 has it (the operator on two int32 tensors gives float64)."""
    return np.float32(x) / np.float32(y) if x.dtype.kind == y.dtype.kind == "i" else x / y


def floor(x: Any) -> Any:
    """The largest whole number that is not above `x`, in the dtype of `x`."""
    return np.floor(x)


def ceil(x: Any) -> Any:
    """The smallest whole number that is not below `x`, in the dtype of `x`."""
    return np.ceil(x)


def minimum(x: Any, y: Any) -> Any:
    """The smaller of two numbers."""
    return np.minimum(x, y)


def sqrt(x: Any) -> Any:
    """Square root, correctly rounded."""
    return np.sqrt(x)


def power(base: Any, exponent: Any) -> Any:
    """`base ** exponent`: the C library's pow."""
    return plainly(bits.power, base, exponent)


def cos(x: Any) -> Any:
    """Cosine: the C library's; float16 goes through float32."""
    return plainly(lambda x: x.dtype.type(math_cos(x) if x.dtype == np.float64 else np.float32(cosf(float(x)))), x)


def log(x: Any) -> Any:
    """Natural logarithm: the C library's; float16 goes through float32."""
    return plainly(lambda x: x.dtype.type(math_log(x) if x.dtype == np.float64 else np.float32(logf(x))), x)


def plainly(function: Callable[..., Any], *operands: Any) -> Any:
    """`function` of plain numpy scalars; what it makes of Flushing ones is Flushing again."""
    result = function(*(np.asarray(x)[()] for x in operands))
    return flush(np.asarray(result)).view(Flushing) if any(isinstance(x, Flushing) for x in operands) else result


def math_cos(x: float) -> float:
    """float64 cosine of the C library."""
    return math.cos(x) if math.isfinite(x) else math.nan


def math_log(x: float) -> float:
    """float64 logarithm of the C library."""
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def cosf(x: float) -> float:
    """glibc's cosf before its last rounding: a polynomial in the distance to the next multiple of pi / 2.

    glibc knows that distance less well below 120, which tells in the last bit of cosines near 0 alone.
    """
    if not math.isfinite(x):
        return math.nan
    quarters = Fraction(x) * TWO_OVER_PI
    quarter = round(quarters)
    x = float(quarters - quarter) * (math.pi / 2)
    y = x * x
    if quarter % 2:
        value = x + x * y * S[0] + x * y * y * (S[1] + y * S[2])
    else:
        value = (1 + y * C[0]) + y * y * C[1] + y * y * y * (C[2] + y * C[3])
    return -value if quarter % 4 in (1, 2) else value


TWO_OVER_PI = Fraction(0xA2F9836E4E441529FC2757D1F534DDC0DB6295993C439041FE, 2**200)
C = [float.fromhex(c) for c in (
    "-0x1.ffffffd0c621cp-2", "0x1.55553e1068f19p-5", "-0x1.6c087e89a359dp-10", "0x1.99343027bf8c3p-16"
)]  # fmt: skip
S = [float.fromhex(s) for s in ("-0x1.555545995a603p-3", "0x1.1107605230bc4p-7", "-0x1.994eb3774cf24p-13")]


def logf(x: np.floating) -> float:
    """glibc's logf before its last rounding: k log(2) + log(c) + a polynomial in x / (2**k c) - 1, for one of 16 c."""
    (pattern,) = struct.unpack("<i", struct.pack("<f", x))
    if not bits.TINY <= x < np.inf:
        return math_log(float(x))
    beyond = pattern - 0x3F330000
    (z,) = struct.unpack("<f", struct.pack("<i", pattern - (beyond >> 23 << 23)))
    inverse = INVERSES[(beyond >> 19) % 16]
    r = z * inverse - 1
    return (L[0] * (r * r) + (L[1] * r + L[2])) * (r * r) + ((beyond >> 23) * math.log(2) - math.log(inverse) + r)


L = [float.fromhex(c) for c in ("-0x1.00ea348b88334p-2", "0x1.5575b0be00b6ap-2", "-0x1.ffffef20a4123p-2")]
INVERSES = [float.fromhex(c) for c in (
    "0x1.661ec79f8f3bep+0", "0x1.571ed4aaf883dp+0", "0x1.49539f0f010bp+0", "0x1.3c995b0b80385p+0",
    "0x1.30d190c8864a5p+0", "0x1.25e227b0b8eap+0", "0x1.1bb4a4a1a343fp+0", "0x1.12358f08ae5bap+0",
    "0x1.0953f419900a7p+0", "0x1p+0", "0x1.e608cfd9a47acp-1", "0x1.ca4b31f026aap-1",
    "0x1.b2036576afce6p-1", "0x1.9c2d163a1aa2dp-1", "0x1.886e6037841edp-1", "0x1.767dcf5534862p-1",
)]  # fmt: skip
