"""Clipping of gradients: by value, by each one's norm, by the norm of all together.

Source       tensorflow, python/ops/clip_ops.py: clip_by_value, clip_by_norm, clip_by_global_norm;
             keras 3.15.1, src/optimizers/base_optimizer.py: clip_by_global_norm.
Units        every threshold is in units of the gradient.
Sparse       the rows are clipped as they are, duplicates not yet summed; keras3 alone differs by global norm.

edition             the sums of squares run    clipnorm           global_clipnorm
tf2.4               in two packets             norm_clipped       globally_clipped
tf2.9 ... tf2.15    in four packets            norm_clipped       globally_clipped
keras3              in four packets            norm_clipped       globally_clipped_keras3
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .bits import Array, cast, flush, maximum, minimum, run, run_one, sqrt, total
from .errors import refuse_mixture
from .slices import densified, values_of, with_values
from .variable import Gradient, IndexedSlices

Sum = Callable[[Array], Array]
Arrays = tuple[Array, ...]


def value_clipped(g: Array, clipvalue: float) -> Array:
    """Each element brought into [-clipvalue, clipvalue]; NaN stays NaN. TensorFlow knows only one float zero, 0.0."""
    low, high = cast(g.dtype, -clipvalue or 0.0, clipvalue)
    return maximum(minimum(g, high), low)


def norm_clipped(g: Array, clipnorm: float, total: Sum) -> Array:
    """g * clipnorm / max(norm of g, clipnorm), in this order."""
    (limit,) = cast(g.dtype, clipnorm)
    squares = total(g * g)
    norm = sqrt(squares) if squares > 0 else squares
    return g * limit / maximum(norm, limit)


def globally_clipped(*gradients: Array, clipnorm: float, total: Sum) -> Arrays:
    """All gradients times clipnorm * min(1 / norm, 1 / clipnorm); NaN if the norm is not finite."""
    refuse_mixture(*(g.dtype for g in gradients))
    limit, one, two, half = cast(gradients[0].dtype, clipnorm, 1, 2, 0.5)
    norm = sqrt(total(np.stack([total(g * g * half) for g in gradients])) * two)
    scale = limit * minimum(one / norm, one / limit) + (norm - norm)
    return tuple(g * scale for g in gradients)


def globally_clipped_keras3(*gradients_and_squares: Array, clipnorm: float, total: Sum) -> Arrays:
    """The same with whole squares, which are given after the gradients, and with 1 / clipnorm taken in float64."""
    count = len(gradients_and_squares) // 2
    gradients, squares = gradients_and_squares[:count], gradients_and_squares[count:]
    limit, inverse, one = (flush(x) for x in cast(gradients[0].dtype, clipnorm, 1 / clipnorm, 1))
    norm = sqrt(total(np.stack([total(square) for square in squares])))
    scale = limit * minimum(one / norm, inverse) + (norm - norm)
    return tuple(g * scale for g in gradients)


def each(function: Callable[..., Array], gradients: Sequence[Array], *given: Any) -> list[Array]:
    """A function of one gradient on every gradient, as TensorFlow's threads run it."""
    return [run_one(lambda g: function(g, *given), g) for g in gradients]


def by_value_norm_and_global_norm(
    gradients: Sequence[Array],
    clipvalue: float | None,
    clipnorm: float | None,
    global_clipnorm: float | None,
    total: Sum,
) -> list[Array]:
    """OptimizerV2: every kind that is set, 0 included, in this order."""
    if clipvalue is not None:
        gradients = each(value_clipped, gradients, clipvalue)
    if clipnorm is not None:
        gradients = each(norm_clipped, gradients, clipnorm, total)
    if global_clipnorm is not None:
        gradients = run(globally_clipped, *gradients, clipnorm=global_clipnorm, total=total)
    return list(gradients)


def by_norm_or_global_norm_or_value(gradients: Sequence[Array], config: dict[str, Any]) -> list[Array]:
    """tf2.9 to tf2.15: the first kind that is set and positive."""
    if (config["clipnorm"] or 0) > 0:
        return each(norm_clipped, gradients, config["clipnorm"], total)
    if (config["global_clipnorm"] or 0) > 0:
        return list(run(globally_clipped, *gradients, clipnorm=config["global_clipnorm"], total=total))
    if (config["clipvalue"] or 0) > 0:
        return each(value_clipped, gradients, config["clipvalue"])
    return list(gradients)


def by_the_one_given(gradients: Sequence[Gradient], config: dict[str, Any]) -> list[Gradient]:
    """keras3: the one kind that is set, if it is positive; the first, if others were set later.

    A global norm makes an array of a sparse gradient, with its duplicate rows summed after they were squared.
    """
    values = values_of(gradients)
    if (config["clipnorm"] or 0) > 0:
        return with_values(gradients, each(norm_clipped, values, config["clipnorm"], total))
    if (config["global_clipnorm"] or 0) > 0:
        refuse_narrow(gradients)
        squares = with_values(gradients, each(lambda g: g * g, values))
        arrays = [densified(gradient) for gradient in [*gradients, *squares]]
        return list(run(globally_clipped_keras3, *arrays, clipnorm=config["global_clipnorm"], total=total))
    if (config["clipvalue"] or 0) > 0:
        return with_values(gradients, each(value_clipped, values, config["clipvalue"]))
    return list(gradients)


def refuse_narrow(gradients: Sequence[Gradient]) -> None:
    """InvalidArgumentError, or ValueError if it is sparse, for a gradient of a narrower dtype than their common one."""
    scale = np.result_type(*values_of(gradients))
    for gradient, values in zip(gradients, values_of(gradients), strict=True):
        if isinstance(gradient, IndexedSlices) and values.dtype != scale:
            raise ValueError(f"Incompatible tensor conversion requested to dtype {scale} for {values.dtype} slices")
        refuse_mixture(scale, values.dtype)
