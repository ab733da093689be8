"""Every rounding choice of the reference, and nothing else.

A rule written with these functions and with numpy's own `+ - * /` rounds after every operation to the
dtype of its operands, as TensorFlow's CPU kernels do in eager mode on x86-64.
"""

from __future__ import annotations

import numpy as np

Array = np.ndarray
Scalar = np.floating


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
