"""Constraints: what a variable's value is turned into after each step.

Source       keras 3.15.1, src/constraints/constraints.py; keras 2.15.0, src/constraints.py;
             tensorflow 2.4.4, python/keras/constraints.py.
Units        max_value and min_value are in units of w; rate is a pure number; axis says which dimensions a norm
             runs over, one or several that lie side by side.

edition             NonNeg         norms
tf2.4               non_neg_mask   norms_2_4
tf2.9 ... tf2.15    non_neg_mask   norms
keras3              non_neg        norms
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np

from .bits import (
    Array,
    cast,
    column_totals,
    down,
    maximum,
    minimum,
    row_totals,
    row_totals_in_two,
    run_one,
    sqrt,
    sqrt_2_4,
    totals,
)
from .errors import InvalidArgumentError

Axis = int | Sequence[int]
Constraint = Callable[[Array], Array]
Norms = Callable[[Array, Axis], Array]


def norms(w: Array, axis: Axis) -> Array:
    """Euclidean norms, with their dimensions kept."""
    return sqrt(totals(w * w, axis, row_totals, column_totals))


def norms_2_4(w: Array, axis: Axis) -> Array:
    """The same as TF 2.4 sums them and takes the root."""
    return sqrt_2_4(totals(w * w, axis, row_totals_in_two, down))


def non_neg(w: Array) -> Array:
    """Nothing below 0; what is below becomes 0."""
    return maximum(w, w.dtype.type(0))


def non_neg_mask(w: Array) -> Array:
    """w times a float32 mask: what is below 0 becomes -0.0, and an infinity there NaN."""
    if w.dtype != np.float32:
        raise InvalidArgumentError(f"the mask is float32, the variable {w.dtype}")
    return w * (w >= 0).astype(np.float32)


def max_norm(w: Array, norms: Norms, max_value: float, axis: Axis) -> Array:
    """Norms of at most max_value."""
    low, high, epsilon = cast(w.dtype, 0, max_value, 1e-7)
    norm = norms(w, axis)
    return w * (maximum(minimum(norm, high), low) / (epsilon + norm))


def unit_norm(w: Array, norms: Norms, axis: Axis) -> Array:
    """Norms of 1."""
    (epsilon,) = cast(w.dtype, 1e-7)
    return w / (epsilon + norms(w, axis))


def min_max_norm(w: Array, norms: Norms, min_value: float, max_value: float, rate: float, axis: Axis) -> Array:
    """Norms drawn by `rate` of the way to the range from min_value to max_value."""
    low, high, share, rest, epsilon = cast(w.dtype, min_value, max_value, rate, 1 - rate, 1e-7)
    norm = norms(w, axis)
    desired = share * maximum(minimum(norm, high), low) + rest * norm
    return w * (desired / (epsilon + norm))


def constraints_with(non_neg: Constraint, norms: Norms) -> SimpleNamespace:
    """The constraints of an edition by their public names, each with its arguments and their defaults."""

    def running(function: Callable[..., Array], *given: object) -> Constraint:
        return lambda w: np.asarray(run_one(lambda w: function(w, *given), w))

    def make_non_neg() -> Constraint:
        return running(non_neg)

    def make_max_norm(max_value: float = 2, axis: Axis = 0) -> Constraint:
        return running(max_norm, norms, max_value, axis)

    def make_unit_norm(axis: Axis = 0) -> Constraint:
        return running(unit_norm, norms, axis)

    def make_min_max_norm(
        min_value: float = 0.0, max_value: float = 1.0, rate: float = 1.0, axis: Axis = 0
    ) -> Constraint:
        return running(min_max_norm, norms, min_value, max_value, rate, axis)

    return SimpleNamespace(
        NonNeg=make_non_neg, MaxNorm=make_max_norm, UnitNorm=make_unit_norm, MinMaxNorm=make_min_max_norm
    )


TF2_4 = constraints_with(non_neg_mask, norms_2_4)
KERAS_2 = constraints_with(non_neg_mask, norms)
KERAS_3 = constraints_with(non_neg, norms)
