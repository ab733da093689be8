"""Powers as Eigen's packets take them: `x ** y = 2 ** (y * log2(x))`, with the logarithm in double words.

Source   Eigen/src/Core/arch/Default/GenericPacketMathFunctions.h (generic_pow, accurate_log2,
         fast_accurate_exp2, generic_exp2, pexp, unary_pow) as TensorFlow 2.9.3, 2.12.1, 2.15.1 and 2.21.0
         ship it, compiled for AVX without fused multiply-add.
Packets  8 float32 or 4 float64 numbers in flat order, whatever the shape.  What does not fill a packet
         goes to the C library's pow, and so does all float16.
Words    A Word (high, low) stands for the sum of two numbers of one dtype, low far below high.

used by                                 function         log2 of float32  log2 of float64  2 ** x
tf.pow of 2.9 ... 2.15, kernels of 2.9  pow_2_9          log2_2_9         log2_double      exp2
kernels of 2.12 and 2.15                pow_kernel_2_12  the same, but a whole exponent multiplies
tf.pow of 2.21                          pow_2_21         log2_2_21        log2_double      exp2_2_21

TF 2.9 divides in log2_double in another way, without a difference in 2e7 random numbers, and drops the
sign of odd powers of -0 and -infinity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .bits import flush, lanes, powers, sqrt

Array = np.ndarray
Scalar = np.floating
Word = tuple[Array, Array]


def pow_2_9(x: Array, y: Scalar) -> Array:
    """`x ** y` as tf.pow of TF 2.9 to 2.15 takes it."""
    return in_packets(lambda x: power(x, y, LOG2_2_9[x.dtype.name], exp2), x, y)


def pow_kernel_2_12(x: Array, y: Scalar) -> Array:
    """`x ** y`, y not negative, as the kernels of TF 2.12 to 2.15 take it: x times x for a whole y."""
    return in_packets(lambda x: repeated(x, y), x, y) if y % 1 == 0 else pow_2_9(x, y)


def root_2_9(x: Array, y: Scalar) -> Array:
    """`pow_2_9`, and the square root for the exponent 1/2: the FTRL kernels of TF 2.9."""
    return sqrt(x) if y == 0.5 else pow_2_9(x, y)


def root_2_12(x: Array, y: Scalar) -> Array:
    """`pow_kernel_2_12`, and the square root for the exponent 1/2: the FTRL kernels of TF 2.12 to 2.15."""
    return sqrt(x) if y == 0.5 else pow_kernel_2_12(x, y)


def pow_2_21(x: Array, y: Scalar) -> Array:
    """`x ** y` as tf.pow of TF 2.21 takes it."""
    return in_packets(lambda x: power(x, y, LOG2_2_21[x.dtype.name], exp2_2_21), x, y)


def in_packets(packets: Callable[[Array], Array], x: Array, y: Scalar) -> Array:
    """`packets` of what fills packets, and the C library's pow of the rest."""
    if x.dtype == np.float16:
        return powers(x, y)
    flat = np.ravel(x)
    whole = flat.size - flat.size % lanes(flat)
    rest = flush(powers(flush(flat[whole:]), y))
    return np.concatenate([packets(flat[:whole]), rest]).reshape(x.shape)


# Any base and exponent


def power(x: Array, y: Scalar, log2: Callable[[Array], Word], exp2: Callable[[Array], Array]) -> Array:
    """`x ** y`: the first power is x itself, and those of zero, infinity and NaN are the C library's."""
    if y == 1:
        return x
    x = flush(x)
    size = np.abs(x)
    known = (size == 0) | ~np.isfinite(size) | (y == 0)
    result = np.where(known, np.power(size, y), flush(power_of_positive(size, np.asarray(y), log2, exp2)))
    result = np.where(np.signbit(x) & (y % 2 == 1), -result, result)
    return np.where((x < 0) & np.isfinite(x) & (y % 1 != 0), x.dtype.type(np.nan), result)


def power_of_positive(x: Array, y: Array, log2: Callable[[Array], Word], exp2: Callable[[Array], Array]) -> Array:
    """`2 ** (y * (e + log2(m)))`, where `x = m * 2**e` and m is within sqrt(2) of 1."""
    m, e = np.frexp(x)
    small = m < x.dtype.type(0.70710678118654752440)
    m, e = np.where(small, 2 * m, m), np.where(small, e - 1, e).astype(x.dtype)
    high, low = add(product(e, y), times(log2(m), y))
    n = nearest(high)
    rest = (high - n) + low
    carry = nearest(rest)
    return np.ldexp(exp2(rest - carry), np.clip(n + carry, -2099, 2099).astype(np.int32))


def nearest(x: Array) -> Array:
    """The nearest whole number, halves away from zero."""
    return np.trunc(x + np.copysign(np.nextafter(x.dtype.type(0.5), x.dtype.type(0)), x))


def repeated(x: Array, y: Scalar) -> Array:
    """`x ** y` of a whole y: the squares of the squares of x, times each other where y has a bit."""
    result, bits = np.ones_like(x), int(y)
    while bits:
        result = result * x if bits % 2 else result
        x, bits = x * x, bits // 2
    return flush(result)


# Logarithm to the base 2 of numbers within sqrt(2) of 1


def log2_2_9(z: Array) -> Word:
    """Of float32 numbers: a polynomial whose four lowest terms are added in words."""
    x = z - 1
    p = even_odd(x, 0.2885761857, -0.2404672354, 0.205043301, -0.1789081544, 0.1720575392, -0.1690667719, 0.09703654796)
    q = add(word(x, -0.360674142838, -6.13283912543e-09), product(p, x))
    q = add(word(x, 0.480897903442, -1.44861207474e-08), times(q, x))
    q = add(word(x, -0.721347510815, -4.84483164698e-09), times(q, x))
    q = add(word(x, 1.44269502163, 2.01711713999e-08), times(q, x))
    return times(q, x)


def log2_2_21(z: Array) -> Word:
    """Of float32 numbers: a polynomial whose two lowest terms are added in words."""
    x = z - 1
    high = horner(x, 0.09701083, -0.16896486, 0.17200837, -0.17892273, 0.20505345, -0.24046677, 0.28857553)
    p = (high * x - 0.36067414) * x + 0.4808979
    q = add(two_floats(x, -0.7213475158826866), product(x, p))
    q = add(two_floats(x, 1.4426950417421103), times(q, x))
    return times(q, x)


def log2_double(z: Array) -> Word:
    """Of float64 numbers: an odd polynomial of `r = 2 / ln(2) * (z - 1) / (z + 1)`."""
    r = divide(times(word(z, 2.88539008177792677, 4.07660016854549667e-17), z - 1), z + 1)
    r2 = times_word(r, r)
    r4, _ = times_word(r2, r2)
    even = horner(r4, 2.87074255468000586e-9, 2.31032094540014656e-7, 2.31271023278625638e-5, 2.88543873228900172e-3)
    odd = horner(r4, 2.38957980901884082e-8, 2.27279857398537278e-6, 2.47556738444535513e-4)
    p = add(word(z, 0.0400377511598501157, -4.77726582251425391e-19), times(r2, odd * r2[0] + even))
    p = add(word(z, 1, 0), times_word(r2, p))
    return times_word(p, r)


LOG2_2_9 = {"float32": log2_2_9, "float64": log2_double}
LOG2_2_21 = {"float32": log2_2_21, "float64": log2_double}


# Two to the power of numbers from -1/2 to 1/2


def exp2(x: Array) -> Array:
    """`1 + x * (c + x * p(x))`, with the sums and the outer products in words."""
    p = even_odd(x, *EXP2_POLYNOMIAL[x.dtype.name])
    c = word(x, *EXP2_LINEAR[x.dtype.name])
    high, low = times(add_any(product(p, x), c), x)
    one, rest = total(x.dtype.type(1), high)
    return one + (low + rest)


EXP2_LINEAR = {
    "float32": (0.6931471825, 2.36836577e-08),
    "float64": (0.693147180559945286, 4.81927865669806721e-17),
}

EXP2_POLYNOMIAL = {
    "float32": (0.2402264923, 5.550328270e-2, 9.618283249e-3, 1.340007293e-3, 1.539513905e-4),
    "float64": (
        0.240226506959101332,
        5.550410866481961247e-2,
        9.618129107593478832e-3,
        1.333355814685869807e-3,
        1.540353045780084423e-4,
        1.525273342728892877e-5,
        1.321543498017646657e-6,
        1.017822306737031311e-7,
        7.073829923303358410e-9,
        4.431642109085495276e-10,
    ),
}


def exp2_2_21(x: Array) -> Array:
    """The exponential of the high word of `x * ln(2)`, times 1 plus the low one."""
    high, low = product(x.dtype.type(0.69314718055994530942), x)
    return EXP[x.dtype.name](high) * (1 + low)


def exp_float(x: Array) -> Array:
    """Exponential of float32 numbers."""
    m = np.floor(x * 1.44269504088896341 + 0.5)
    r = m * 2.12194440e-4 + (m * -0.693359375 + x)
    r2 = r * r
    even = horner(r2, 1.37449637986719608306884765625e-3, 4.166965186595916748046875e-2, 0.49999988079071044921875)
    odd = horner(r2, 8.36894474923610687255859375e-3, 0.16666518151760101318359375)
    return np.ldexp(r2 * (r * odd + even) + (r + 1), m.astype(np.int32))


def exp_double(x: Array) -> Array:
    """Exponential of float64 numbers: a quotient of polynomials."""
    m = np.floor(1.4426950408889634073599 * x + 0.5)
    r = x - m * 0.693145751953125 - m * 1.42860682030941723212e-6
    r2 = r * r
    p = r * horner(r2, 1.26177193074810590878e-4, 3.02994407707441961300e-2, 9.99999999999999999910e-1)
    q = horner(
        r2, 3.00198505138664455042e-6, 2.52448340349684104192e-3, 2.27265548208155028766e-1, 2.00000000000000000009e0
    )
    return np.ldexp(2 * (p / (q - p)) + 1, m.astype(np.int32))


EXP = {"float32": exp_float, "float64": exp_double}


# Polynomials in working precision


def horner(x: Array, first: float, *others: float) -> Array:
    """The polynomial with these coefficients, the highest first."""
    p = x.dtype.type(first)
    for coefficient in others:
        p = p * x + coefficient
    return p


def even_odd(x: Array, *coefficients: float) -> Array:
    """The polynomial with these coefficients, the lowest first: those of even and odd powers by themselves."""
    return horner(x * x, *coefficients[1::2][::-1]) * x + horner(x * x, *coefficients[::2][::-1])


# Words


def word(x: Array, high: float, low: float) -> Word:
    """Two constants in the dtype of `x`."""
    return x.dtype.type(high), x.dtype.type(low)


def two_floats(x: Array, value: float) -> Word:
    """A float64 constant as two float32 numbers."""
    high = np.float32(value)
    return word(x, float(high), value - float(high))


def total(x: Array, y: Array) -> Word:
    """`x + y`, exactly, where x is no smaller than y."""
    high = x + y
    return high, y - (high - x)


def product(x: Array, y: Array) -> Word:
    """`x * y`, exactly, by Dekker: the halves are multiplied."""
    (x_high, x_low), (y_high, y_low) = split(x), split(y)
    high = x * y
    return high, x_high * y_high - high + x_high * y_low + x_low * y_high + x_low * y_low


def split(x: Array) -> Word:
    """`x` as the sum of two numbers with half as many bits each, by Veltkamp."""
    shifted = x * (2.0**12 + 1 if x.dtype == np.float32 else 2.0**27 + 1)
    high = (x - shifted) + shifted
    return high, x - high


def add(x: Word, y: Word) -> Word:
    """`x + y`, where x is no smaller than y."""
    high, low = total(x[0], y[0])
    return total(high, (y[1] + low) + x[1])


def add_any(x: Word, y: Word) -> Word:
    """`x + y`, the larger one first."""
    first = np.abs(y[0]) < np.abs(x[0])
    larger = np.where(first, x[0], y[0]), np.where(first, x[1], y[1])
    smaller = np.where(first, y[0], x[0]), np.where(first, y[1], x[1])
    return add(larger, smaller)


def times(x: Word, y: Array) -> Word:
    """`x * y` of a word and a number."""
    high, low = product(x[0], y)
    sum_high, sum_low = total(high, x[1] * y)
    return total(sum_high, sum_low + low)


def times_word(x: Word, y: Word) -> Word:
    """`x * y` of two words."""
    return add(times(x, y[0]), times(x, y[1]))


def divide(x: Word, y: Array) -> Word:
    """`x / y` of a word and a number: the quotient and that of the remainder."""
    quotient = x[0] / y
    high, low = product(quotient, y)
    return total(quotient, ((x[0] - high - low) + x[1]) / y)
