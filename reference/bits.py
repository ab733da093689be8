"""Every rounding choice of the reference, and nothing else.

A rule written with these functions and with numpy's own `+ - * /` rounds after every operation to the
dtype of its operands, as TensorFlow's CPU kernels do in eager mode on x86-64.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .errors import InvalidArgumentError

Array = np.ndarray
Scalar = np.floating
Operand = Any  # an array or a scalar of one floating dtype


class Flushing(np.ndarray):
    """An array whose operations read and write denormal numbers as zero, as TensorFlow's threads do."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        operands = (flush(np.asarray(x)) if isinstance(x, np.ndarray | np.generic) else x for x in inputs)
        result = getattr(ufunc, method)(*operands, **kwargs)
        return flush(np.asarray(result)).view(Flushing)


def flush(x: Operand) -> Operand:
    """`x` with its denormal float32 and float64 numbers replaced by zeros of the same sign.

    float16 is left alone: its kernels compute in float32, where no half is denormal.
    """
    smallest = SMALLEST.get(x.dtype)
    if smallest is None:
        return x
    denormal = np.abs(x) < smallest
    return np.where(denormal, np.copysign(x.dtype.type(0), x), x) if denormal.any() else np.asarray(x)


SMALLEST = {np.dtype(kind): np.finfo(kind).tiny for kind in (np.float32, np.float64)}


def flushing(x: Array) -> Array:
    """`x` as a Flushing array, unless it holds indices: a step that is a whole number is cast to a float."""
    return x.view(Flushing) if x.dtype.kind == "f" or x.ndim == 0 else x


def run(rule: Callable[..., tuple[Any, ...]], *arrays: Operand, **hyperparameters: Any) -> tuple[Any, ...]:
    """`rule` as TensorFlow's threads run it: silent on overflow and NaN, with denormals flushed to zero.

    Denormals are rare and numpy doesn't flush them, so the rule runs as it stands; it runs again on Flushing arrays
    if the processor saw one, if a hyperparameter is one, or if a gradient or result is so small that one may have
    come and gone unseen: a denormal number that is exact, as a quarter of another may be, is no exception to it.
    """
    try:
        with np.errstate(all="ignore", under="raise"):
            results = rule(*arrays, **hyperparameters)
            for x in (*arrays[1:2], *results):
                x * PROBES.get(x.dtype, 1 / 3)
            if results:
                refuse_denormal(results[0].dtype, hyperparameters)
            return results
    except FloatingPointError:
        with np.errstate(all="ignore"):
            read = {name: flush(x) if hasattr(x, "dtype") else x for name, x in hyperparameters.items()}
            results = rule(*(flushing(np.asarray(x)) for x in arrays), **read)
            return tuple(np.asarray(x) for x in results)


def refuse_denormal(dtype: np.dtype, hyperparameters: dict[str, Any]) -> None:
    """FloatingPointError if one of them is denormal: a tensor in its own dtype, a number in this one."""
    for x in hyperparameters.values():
        if isinstance(x, float | np.floating) and 0 < abs(float(x)) < SMALLEST.get(getattr(x, "dtype", dtype), 0.0):
            raise FloatingPointError("a hyperparameter is denormal")


PROBES = {np.dtype(np.float32): 2.0**-62 / 3, np.dtype(np.float64): 2.0**-510 / 3}
"""Factors that make a denormal number, never an exact one, of whatever has a square near the denormal ones."""


def run_one(rule: Callable[..., Any], *arrays: Operand) -> Any:
    """The same of a rule that gives one array, and no tuple."""
    (result,) = run(lambda *arrays: (rule(*arrays),), *arrays)
    return result


def cast(dtype: np.dtype, *values: Operand) -> list[Any]:
    """Each value rounded once to `dtype`: how a hyperparameter meets the variable."""
    return [dtype.type(value) for value in values]


def narrowed(x: Array, dtype: np.dtype) -> Array:
    """An array in another dtype, as TensorFlow casts it: on its way to float16 it is rounded to float32 first."""
    return x.astype(np.float32).astype(dtype) if dtype == np.float16 else x.astype(dtype)


def sqrt(x: Operand) -> Operand:
    """Square root, correctly rounded (IEEE 754), in the dtype of `x`."""
    return np.sqrt(x)


def power(base: Operand, exponent: Operand) -> Operand:
    """`base ** exponent` of two scalars, in their own dtype: the C library's pow; a denormal result is zero.

    numpy's array loop may use a vector library with other last bits; the scalar operator does not.
    """
    try:
        return base**exponent
    except FloatingPointError:
        with np.errstate(all="ignore"):
            return flush(np.asarray(base**exponent))[()]


def maximum(x: Operand, y: Operand) -> Operand:
    """Elementwise maximum as Eigen's packets take it; of two zeros, see `one_of_two_zeros`."""
    return one_of_two_zeros(np.maximum(x, y), x, y)


def minimum(x: Operand, y: Operand) -> Operand:
    """Elementwise minimum as Eigen's packets take it; of two zeros, see `one_of_two_zeros`."""
    return one_of_two_zeros(np.minimum(x, y), x, y)


def one_of_two_zeros(result: Operand, x: Operand, y: Operand) -> Operand:
    """`result` with the sign of the zero that the processor picks of two: of `y` in whole packets, else of `x`.

    float16 has no packets here.
    """
    zero = (x == 0) & (y == 0)
    if not np.any(zero):
        return result
    whole = 0 if result.dtype == np.float16 else result.size - result.size % lanes(result)
    packet = (np.arange(result.size) < whole).reshape(result.shape)
    return np.where(zero, np.where(packet, y, x), result)


def cast_tensor(dtype: np.dtype, *values: Operand | float) -> list[Any]:
    """Each value cast to `dtype`, as `tf.cast` does it: a Python float is a float32 tensor first, for float64 too.

    ValueError for what is no number: a function, None.
    """
    if any(value is None for value in values):  # of which numpy would make NaN
        raise ValueError(f"expected numbers, of which {dtype} is made. Received: {values}")
    try:
        return [dtype.type(value if isinstance(value, np.generic) else np.float32(value)) for value in values]
    except TypeError as error:
        raise ValueError(f"expected numbers, of which {dtype} is made. Received: {values}") from error


def in_range(number: float, dtype: Any) -> np.ndarray:
    """A number of Python as a scalar of a dtype; ValueError if it is too large for it."""
    with np.errstate(over="ignore"):
        scalar = np.asarray(number, dtype)
    if np.isfinite(number) and not np.isfinite(scalar):
        raise ValueError("Can't convert Python sequence with a value out of range for a double-precision float.")
    return scalar


def sign(x: Operand) -> Operand:
    """-1, 0 or 1 with the sign of `x`; NaN stays NaN."""
    return np.sign(x)


def larger(x: Operand, y: Operand) -> Operand:
    """`y` where it is larger than `x`, else `x`: the kernels' maximum, which overlooks a NaN in `y`."""
    return np.where(y > x, y, x)


def rsqrt(x: Operand) -> Operand:
    """Reciprocal square root as TF 2.9 and 2.12 take it."""
    return refined(x, lambda x, y: y * (1.5 - 0.5 * y * (x * y)))


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


def total(x: Array) -> Array:
    """Sum of all elements as `tf.reduce_sum` takes it from TF 2.9 on; above 47,000 elements it may use threads."""
    return row_totals(x.reshape(1, -1))[0]


def total_in_two(x: Array) -> Array:
    """Sum of all elements as `tf.reduce_sum` takes it in TF 2.4."""
    return halves(x.ravel(), 1024, two_packets)


def half_sum_of_squares(x: Array) -> Array:
    """`tf.nn.l2_loss` from TF 2.9 on: the sum of x * x * 0.5."""
    return total(x * x * 0.5)


def half_sum_of_squares_in_two(x: Array) -> Array:
    """`tf.nn.l2_loss` of TF 2.4: the sum of x * x * 0.5."""
    return total_in_two(x * x * 0.5)


def mean(x: Array) -> Array:
    """Mean of all elements as `tf.reduce_mean` takes it from TF 2.9 on: sum, then division."""
    return total(x) / x.dtype.type(x.size)


def row_mean(x: Array) -> Array:
    """Mean over the last axis as `tf.reduce_mean` takes it from TF 2.9 on."""
    return row_totals(x) / x.dtype.type(x.shape[-1])


def column_mean(x: Array) -> Array:
    """Mean over the last axis but one as `tf.reduce_mean` takes it from TF 2.9 on."""
    return column_totals(x) / x.dtype.type(x.shape[-2])


def row_totals(x: Array) -> Array:
    """Sums over the last axis as TF takes them from 2.9 on: each row like a whole tensor of its own."""
    leaf, length = 200 if x.dtype == np.float16 else 1024, x.shape[-1]
    if length <= leaf * lanes(x):
        return four_packets(x)
    sums = [halves(row, leaf, four_packets, i * length) for i, row in enumerate(x.reshape(-1, length))]
    return np.array(sums, x.dtype).reshape(x.shape[:-1])


def column_totals(x: Array) -> Array:
    """Sums over the last axis but one as TF takes them from 2.9 on: row after row, or four at a time.

    Four at a time from 16 rows on, where a packet of the result lies within one matrix; a single column is a row.
    """
    (*lead, rows, columns), width = x.shape, lanes(x)
    if columns == 1:
        return row_totals(x[..., 0])[..., None]
    x = x.ravel().reshape(x.shape)
    plain = down(x)
    if rows < 16:
        return plain
    fours = x[..., : rows - rows % 4, :].reshape(*lead, rows // 4, 4 * columns)
    sums = down(fours).reshape(*lead, 4, columns)
    by_four = down(np.concatenate([sums, x[..., rows - rows % 4 :, :]], axis=-2))
    start = np.arange(plain.size) // width * width
    packet = (start % columns + width <= columns) & (start + width <= plain.size)
    return np.where(packet.reshape(plain.shape), by_four, plain)


def halves(x: Array, leaf: int, packets: Callable[[Array], Array], first: int = 0) -> Array:
    """Sum of a row that starts at index `first`; one of more than `leaf` packets is cut in two between packets."""
    width = lanes(x)
    if x.size <= leaf * width:
        return packets(x)
    cut = -(-(first + -(-x.size // 2)) // width) * width - first
    return halves(x[:cut], leaf, packets, first) + halves(x[cut:], leaf, packets, first + cut)


def four_packets(x: Array) -> Array:
    """Sums over the last axis: four running packets are added up, then single packets, then all lanes and the rest."""
    (*lead, length), width = x.shape, lanes(x)
    whole, fours = length // width, length // width // 4
    packets = x[..., : whole * width].reshape(*lead, whole, width)
    sums = down(packets[..., : 4 * fours, :].reshape(*lead, fours, 4 * width)).reshape(*lead, 4, width)
    packet = down(np.concatenate([sums, packets[..., 4 * fours :, :]], axis=-2))
    return fold(packet) + down(x[..., whole * width :, None])[..., 0]


def two_packets(x: Array) -> Array:
    """Sums over the last axis: two running packets; a single packet goes to the first, before the second is added."""
    (*lead, length), width = x.shape, lanes(x)
    whole, twos = length // width, length // width // 2
    packets = x[..., : whole * width].reshape(*lead, whole, width)
    sums = down(packets[..., : 2 * twos, :].reshape(*lead, twos, 2 * width)).reshape(*lead, 2, width)
    packet = down(np.concatenate([sums[..., :1, :], packets[..., 2 * twos :, :], sums[..., 1:, :]], axis=-2))
    return fold(packet) + down(x[..., whole * width :, None])[..., 0]


def lanes(x: Array) -> int:
    """How many numbers of the dtype of `x` Eigen keeps in a packet of an AVX register."""
    return 4 if x.dtype == np.float64 else 8


def fold(packet: Array) -> Array:
    """Sum over the lanes: the upper half onto the lower one until one is left; float16 in float32."""
    x = packet.astype(np.float32) if packet.dtype == np.float16 else packet
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        x = x[..., :half] + x[..., half:]
    return x[..., 0].astype(packet.dtype)


def down(x: Array) -> Array:
    """Sums over the last axis but one, from 0, one row after the other; numpy goes pairwise in a single column."""
    if x.shape[-1] == 1:
        return down(np.repeat(x, 2, axis=-1))[..., :1]
    return np.add.reduce(x, axis=-2, initial=0)


def powers(x: Operand, exponent: Operand) -> Operand:
    """`x ** exponent` element by element with the C library's pow, which TensorFlow has for single numbers."""
    return np.array([value**exponent for value in x.flat], x.dtype).reshape(x.shape)


def root(x: Operand, exponent: Operand) -> Operand:
    """`x ** exponent`, and the square root for the exponent 1/2: the FTRL kernels."""
    return sqrt(x) if exponent == 0.5 else powers(x, exponent)


def in_float32(reduce: Callable[[Array], Array], x: Array) -> Array:
    """`reduce(x)`; of float16 it is taken in float32 and rounded once at the end, as keras 3 takes a mean."""
    return reduce(x.astype(np.result_type(x, np.float32))).astype(x.dtype)


def matmul_with_transpose(a: Array) -> Array:
    """`a @ a.T` as oneDNN takes it inside a graph: of 2 to 15 rows each element in 16 lanes, which fold in halves."""
    if not 2 <= a.shape[0] <= 15:
        return matmul(a, a.T)
    wide = np.pad(a.astype(np.float32), ((0, 0), (0, -a.shape[1] % 16)))
    lanes = np.zeros((len(a), len(a), 16), np.float32)
    for start in range(0, wide.shape[1], 16):
        piece = wide[:, start : start + 16]
        lanes = (lanes + np.multiply(piece[:, None], piece[None], dtype=np.float64)).astype(np.float32)
    for half in (8, 4, 2, 1):
        lanes = lanes[..., :half] + lanes[..., half : 2 * half]
    return lanes[..., 0].astype(a.dtype)


def estimate(x: Operand) -> Operand:
    """The processor's rsqrtps of float32 numbers, from Intel's table: 13 bits for each 1024th of an octave.

    They are those of the reciprocal root of the middle.  Processors of other makers have other tables.
    """
    normal = (x >= TINY) & (x < np.inf)
    bits = (x if normal.all() else np.where(normal, x, np.float32(1))).view(np.uint32)
    result = (ESTIMATES[bits >> 13 & 0x7FF] + (64 - (bits >> 24) << 23)).view(np.float32)
    return result if normal.all() else np.where(normal, result, 1 / np.sqrt(flush(x)))


TINY = np.finfo(np.float32).tiny
MIDDLES = np.concatenate([octave + octave * (np.arange(1024) + 0.5) / 1024 for octave in (2.0, 4.0)])
BITS = np.where(MIDDLES < 4, 2.0**13, 2.0**14)  # a root below 1/2 has one more binary place
ESTIMATES = (np.rint(BITS / np.sqrt(MIDDLES)) / BITS).astype(np.float32).view(np.uint32)


def refined(x: Operand, step: Callable[..., Any]) -> Operand:
    """Reciprocal square root: rounded twice, but in whole packets of 8 an estimate y that `step(x, y)` corrects.

    Packets of float16 go through float32; float64 has no estimate.
    """
    result = np.reciprocal(np.sqrt(x))
    if x.dtype == np.float64:
        return result
    whole = x.size - x.size % 8
    if not whole:
        return result
    packets = x.ravel()[:whole].astype(np.float32)
    y = estimate(packets)
    normal = (packets >= TINY) & (packets < np.inf)
    packets = np.where(normal, step(packets, y), y).astype(x.dtype)
    return np.concatenate([packets, result.ravel()[whole:]]).reshape(x.shape)


def rsqrt_2_15(x: Operand) -> Operand:
    """Reciprocal square root as TF 2.15 takes it: from the same estimate, corrected in another form."""
    return refined(x, lambda x, y: y - 0.5 * y * (x * y * y - 1))


def rsqrt_2_4(x: Operand) -> Operand:
    """Reciprocal square root as TF 2.4 takes it: 1.5 times too large below 2**-125, where half of x is denormal."""
    if x.dtype != np.float32:
        return np.reciprocal(np.sqrt(x))
    return refined(x, lambda x, y: y * (1.5 - y * (half(x) * y)))


def sqrt_2_4(x: Operand) -> Operand:
    """Square root as TF 2.4 takes it: up to 4 ulp off in whole packets of 8 float32 numbers, exact in the others.

    Outside [2**-125, 2**126) half of x or y * y is denormal, and the packets' root 1.5 times too large;
    there the root of infinity is NaN and that of -0.0 is 0.0.
    """
    if x.dtype != np.float32:
        return np.sqrt(x)
    whole = x.size - x.size % 8
    if not whole:
        return np.sqrt(x)
    packets = x.ravel()[:whole]
    y = estimate(packets)
    if ((packets >= 2 * TINY) & (packets < 2.0**126)).all():
        packets = packets * (y * (1.5 - packets * 0.5 * (y * y)))
    else:
        packets = flush(packets)
        packets = np.where(packets == 0, np.float32(0), packets * (y * (1.5 - half(packets) * flush(y * y))))
    return np.concatenate([packets, np.sqrt(x.ravel()[whole:])]).reshape(x.shape)


def half(x: Operand) -> Operand:
    """Half of each float32 number, or 0 where that is denormal."""
    return np.where(np.abs(x) < 2 * np.finfo(np.float32).tiny, np.float32(0), x * 0.5)


def root_2_4(x: Operand, exponent: Operand) -> Operand:
    """`root` as TF 2.4 takes it."""
    return sqrt_2_4(x) if exponent == 0.5 else powers(x, exponent)


def totals(
    x: Array, axis: int | Sequence[int], rows: Callable[[Array], Array], columns: Callable[[Array], Array]
) -> Array:
    """Sums over some dimensions, which stay with length 1, as TensorFlow's ReductionHelper arranges them.

    Neighbours that are both summed, or both kept, are one; then there are `rows` or `columns` totals, sums of the
    first and the last of three one after the other, or, in all other cases, `rows` totals of a transposed array.
    """
    axes = [axis] if isinstance(axis, int) else list(axis)
    if any(not -x.ndim <= a < x.ndim for a in axes):
        raise InvalidArgumentError(f"expected dimensions of an array that has {x.ndim}, got {axes}")
    summed = {a % x.ndim for a in axes}
    kept = tuple(1 if a in summed else n for a, n in enumerate(x.shape))
    if x.size == 0:
        return np.zeros(kept, x.dtype)
    long = [a for a, n in enumerate(x.shape) if n != 1]
    groups = [list(group) for _, group in itertools.groupby(long, summed.__contains__)]
    x = x.reshape([math.prod(x.shape[a] for a in group) for group in groups])
    along = [i for i, group in enumerate(groups) if group[0] in summed]
    if not along:
        sums = x
    elif along == [len(groups) - 1]:
        sums = rows(x.reshape(-1, x.shape[-1]))
    elif len(along) == 1 and len(groups) <= 3:
        sums = columns(x.reshape(-1, *x.shape[-2:]))
    elif len(groups) == 3:
        sums = down(x.transpose(1, 2, 0).reshape(x.shape[1], -1, 1))
    else:
        apart = x.transpose([*(i for i in range(x.ndim) if i not in along), *along])
        sums = rows(apart.reshape(-1, math.prod(x.shape[i] for i in along)))
    return sums.reshape(kept)


def row_totals_in_two(x: Array) -> Array:
    """Sums over the last axis as TF 2.4 takes them: each row like a whole tensor of its own."""
    return np.array([total_in_two(row) for row in x], x.dtype)


def negated_2_9(x: Array) -> Array:
    """Minus `x` as TF 2.9 takes it: 0 - x in whole packets, where a zero has no sign then; float16 has no packets."""
    if x.dtype == np.float16:
        return -x
    whole = x.size - x.size % lanes(x)
    return np.concatenate([0 - x.ravel()[:whole], -x.ravel()[whole:]]).reshape(x.shape)
