"""Gradients of some rows: how they meet an array.

Source       tensorflow, core/kernels: scatter_functor, segment_reduction_ops, unique_op, gather_op;
             keras 3.15.1, src/backend/tensorflow/sparse.py: elementwise_division.
What it is   One row after the other, in the order of the indices; every addition is rounded.
             An array's rows run along its first axis; `indices[i]` says which of them `rows[i]` belongs to.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .bits import Array, run, run_one
from .errors import InvalidArgumentError
from .variable import Gradient, IndexedSlices


def added(x: Array, indices: Array, rows: Array) -> Array:
    """`x` with each row added in its place: ResourceScatterAdd; with rows of the other sign ResourceScatterSub."""
    check(indices, len(x))
    x = x.copy()
    for k, i in enumerate(indices.tolist()):
        x[i : i + 1] = x[i : i + 1] + rows[k : k + 1]
    return x


def gathered(x: Array, indices: Array) -> Array:
    """The rows of `x` that the indices name."""
    check(indices, len(x))
    return x[indices]


def replaced(x: Array, indices: Array, rows: Array) -> Array:
    """`x` with each row put in its place: ResourceScatterUpdate, and what a kernel writes that goes row by row.

    The rows have been gathered before, so that the indices are in range.
    """
    x = x.copy()
    x[indices] = rows
    return x


def dense(shape: tuple[int, ...], indices: Array, rows: Array) -> Array:
    """The rows added up in zeros: UnsortedSegmentSum, by which TensorFlow makes a tensor of IndexedSlices.

    A row with a negative index is left out.
    """
    return added(np.zeros_like(rows, shape=shape), indices[indices >= 0], rows[indices >= 0])


def summed(indices: Array, rows: Array) -> tuple[Array, Array]:
    """Each index once, where it first stands, with the sum of its rows."""
    places = {i: place for place, i in enumerate(dict.fromkeys(indices.tolist()))}
    zeros = np.zeros_like(rows, shape=(len(places), *rows.shape[1:]))
    return np.array(list(places), int), added(zeros, np.array([places[i] for i in indices.tolist()], int), rows)


def check(indices: Array, length: int) -> None:
    """InvalidArgumentError for an index outside [0, length)."""
    if ((indices < 0) | (indices >= length)).any():
        raise InvalidArgumentError(f"indices {indices.tolist()} are not all in [0, {length})")


def divided(indices: Array, rows: Array, divisor: Array) -> tuple[Array, Array]:
    """Rows divided by those of a dense array, as Keras 3 does it.

    Where the divisor has zeros or NaN, their rows join in, all in ascending order.  As shipped, the dividend's rows
    stay in their old order if there are as many; otherwise each is sought at the sum of its places, counted from 1
    behind a row of zeros, which is not there if there are no rows.  The scatter that follows checks the indices.
    """
    odd = ((divisor == 0) | np.isnan(divisor)).reshape(len(divisor), -1).any(axis=1)
    if not odd.any():
        return indices, rows / divisor[indices]
    count = len(rows)
    odd[indices] = True
    (union,) = np.nonzero(odd)
    if len(union) != count:
        places = np.zeros(len(divisor), int)
        np.add.at(places, indices, np.arange(1, count + 1))
        rows = gathered(np.concatenate([np.zeros_like(rows[:1]), rows]), places[union])
    return union, rows / divisor[union]


def by_row(function: Callable[..., Array], x: Array, *given: Any) -> Array:
    """`function` of each row by itself: so the fused kernels go, with packets that end where the row ends."""
    return np.concatenate([function(x[k : k + 1], *given) for k in range(len(x))]) if len(x) else x


# ---- lists of gradients, of which some may be sparse ---------------------------------------------------


def values_of(gradients: Sequence[Gradient]) -> list[Array]:
    """What there is of each gradient: an array, or the rows of a sparse one, duplicates and all."""
    return [g.values if isinstance(g, IndexedSlices) else np.asarray(g) for g in gradients]


def with_values(gradients: Sequence[Gradient], values: Sequence[Array]) -> list[Gradient]:
    """The gradients with other values, sparse where they were sparse."""
    return [
        IndexedSlices(v, g.indices, g.dense_shape) if isinstance(g, IndexedSlices) else v
        for g, v in zip(gradients, values, strict=True)
    ]


def deduplicated(gradient: Gradient) -> Gradient:
    """A sparse gradient with each index once; any other as it is."""
    if not isinstance(gradient, IndexedSlices):
        return gradient
    values, indices = run(lambda rows: summed(gradient.indices, rows)[::-1], gradient.values)
    return IndexedSlices(values, indices, gradient.dense_shape)


def densified(gradient: Gradient) -> Array:
    """The gradient as an array of its variable's shape."""
    if not isinstance(gradient, IndexedSlices):
        return np.asarray(gradient)
    total = run_one(lambda rows: dense(gradient.dense_shape, gradient.indices, rows), gradient.values)
    return np.asarray(total)
