"""Every rounding choice of the reference, and nothing else.

A rule written with these functions and with numpy's own `+ - * /` rounds after every operation to the
dtype of its operands, as TensorFlow's CPU kernels do in eager mode on x86-64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Array = np.ndarray
Scalar = np.floating


class Flushing(np.ndarray):
    """An array whose operations read and write denormal numbers as zero, as TensorFlow's threads do."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        result = getattr(ufunc, method)(*(flush(np.asarray(x)) for x in inputs), **kwargs)
        return flush(np.asarray(result)).view(Flushing)


def flush(x: Array) -> Array:
    """`x` with its denormal float32 and float64 numbers replaced by zeros of the same sign.

    float16 is left alone: its kernels compute in float32, where no half is denormal.
    """
    if x.dtype.kind != "f" or x.dtype == np.float16:
        return x
    return np.where(np.abs(x) < np.finfo(x.dtype).tiny, np.copysign(x.dtype.type(0), x), x)


def run(rule: Callable[..., tuple], *arrays: Array, **hyperparameters) -> tuple:
    """`rule` as TensorFlow's threads run it: silent on overflow and NaN, with denormals flushed to zero.

    Denormals are rare and numpy doesn't flush them, so the rule runs as it stands; only if the processor
    saw one, in a result or (by a multiplication that no denormal survives exactly) in an operand, it runs
    again on Flushing arrays.
    """
    third = 1 / 3
    try:
        with np.errstate(all="ignore", under="raise"):
            results = rule(*arrays, **hyperparameters)
            for x in (arrays[1], *results):
                x * third
            return results
    except FloatingPointError:
        with np.errstate(all="ignore"):
            results = rule(*(np.asarray(x).view(Flushing) for x in arrays), **hyperparameters)
            return tuple(np.asarray(x) for x in results)


def cast(dtype: np.dtype, *values: float | Scalar) -> list[Scalar]:
    """Each value rounded once to `dtype`: how a hyperparameter meets the variable."""
    return [dtype.type(value) for value in values]


def sqrt(x):
    """Square root, correctly rounded (IEEE 754), in the dtype of `x`."""
    return np.sqrt(x)


def power(base: Scalar, exponent: Scalar) -> Scalar:
    """`base ** exponent` of two scalars, in their own dtype: the C library's pow.

    numpy's array loop may use a vector library with other last bits; the scalar operator does not.
    """
    return base**exponent


def maximum(x, y):
    """Elementwise maximum as Eigen's packets take it."""
    return np.maximum(x, y)


def minimum(x, y):
    """Elementwise minimum as Eigen's packets take it."""
    return np.minimum(x, y)


def cast_tensor(dtype: np.dtype, *values: float) -> list[Scalar]:
    """Each value rounded to float32 and then to `dtype`: how `tf.cast` takes a Python float, for float64 too."""
    return [dtype.type(np.float32(value)) for value in values]


def sign(x):
    """-1, 0 or 1 with the sign of `x`; NaN stays NaN."""
    return np.sign(x)


def larger(x, y):
    """`y` where it is larger than `x`, else `x`: the kernels' maximum, which overlooks a NaN in `y`."""
    return np.where(y > x, y, x)


def rsqrt(x):
    """Reciprocal square root in two roundings; TensorFlow's vectorized float32 one is off by an ulp or two."""
    return 1 / np.sqrt(x)


def total(x: Array) -> Scalar:
    """Sum of all elements as TensorFlow 2.21 takes it: four packets side by side, then lane by lane; float16 in float32."""
    if x.dtype == np.float16:
        return np.float16(total(x.astype(np.float32)))
    x, width = x.ravel(), 32 // x.itemsize
    if x.size > 1024 * width:
        half = -(-x.size // (2 * width)) * width
        return total(x[:half]) + total(x[half:])
    whole = x.size // width
    packets = x[: whole * width].reshape(whole, width)
    four = np.zeros((4, width), x.dtype)
    for i in range(0, whole - 3, 4):
        four = four + packets[i : i + 4]
    lanes = four[0] + four[1] + four[2] + four[3]
    for packet in packets[whole // 4 * 4 :]:
        lanes = lanes + packet
    rest = x.dtype.type(0)
    for element in x[whole * width :]:
        rest = rest + element
    while lanes.size > 1:
        lanes = lanes[: lanes.size // 2] + lanes[lanes.size // 2 :]
    return rest + lanes[0]


def matmul(a: Array, b: Array) -> Array:
    """Matrix product as oneDNN takes it: float32 multiply-adds rounded once, along at most 384 of the inner dimension.

    Longer ones are cut in pieces whose sums are added; float16 is rounded at the end.  The multiply-add goes
    through float64, which differs from a fused one about once in 2**29 operations.
    """
    dtype, inner = a.dtype, a.shape[1]
    a, b = a.astype(np.float32), b.astype(np.float32)
    result, start = np.zeros((a.shape[0], b.shape[1]), np.float32), 0
    while start < inner:
        rest = inner - start
        stop = start + (384 if rest >= 768 else (rest + 1) // 2 if rest > 384 else rest)
        piece = np.zeros_like(result)
        for k in range(start, stop):
            piece = (piece + np.multiply.outer(a[:, k], b[k], dtype=np.float64)).astype(np.float32)
        result, start = (result + piece if start else piece), stop
    return result.astype(dtype)
