"""The steps of a pipeline that several editions take alike. Each edition says in which order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from goldenstep.spec import misfit

from .bits import Operand, cast, cast_tensor, run_one
from .errors import InvalidArgumentError, refuse_mixture
from .variable import Gradient, Variable

Pair = tuple[Gradient, Variable]


def with_gradient(pairs: Sequence[tuple[Gradient | None, Variable]]) -> list[Pair]:
    """The pairs that have a gradient; ValueError if there are pairs but no gradient at all."""
    present = [(gradient, variable) for gradient, variable in pairs if gradient is not None]
    if pairs and not present:
        raise ValueError(f"No gradients provided for any variable: {[variable.name for _, variable in pairs]}.")
    return present


def decay_weights(variable: Variable, weight_decay: float, learning_rate: Operand) -> None:
    """w -= w * weight_decay * learning_rate, where both have been float32 tensors on their way if they were numbers."""
    decay, rate = cast_tensor(variable.dtype, weight_decay, learning_rate)
    variable.value = run_one(lambda w, d, lr: w - w * d * lr, variable.value, decay, rate)


def decay_weights_graph(variable: Variable, weight_decay: float, learning_rate: Operand) -> None:
    """The same inside tf.function: Grappler multiplies the two numbers first."""
    decay, rate = cast_tensor(variable.dtype, weight_decay, learning_rate)
    variable.value = run_one(lambda w, d, lr: w - w * (d * lr), variable.value, decay, rate)


def quotient(x: np.ndarray, divisor: float) -> np.ndarray:
    """Gradients, or their sum, divided by a number that stays."""
    return np.asarray(run_one(lambda x, d: x / d, x, *cast(x.dtype, divisor)))


def quotient_graph(x: np.ndarray, divisor: float) -> np.ndarray:
    """The same inside tf.function: Grappler multiplies by the reciprocal of the number."""
    return np.asarray(run_one(lambda x, d: x * (1 / d), x, *cast(x.dtype, divisor)))


def move_averages(averages: Sequence[Variable], variables: Sequence[Variable], momentum: float) -> None:
    """average = momentum * average + (1 - momentum) * w; tf2.x takes 1 - momentum in float64 and rounds it."""
    for average, variable in zip(averages, variables, strict=False):
        keep, rest = cast(variable.dtype, momentum, 1 - momentum)
        refuse_mixture(average.dtype, variable.dtype)
        if misfit(variable.shape, average.shape) == "incompatible":
            raise InvalidArgumentError(f"Incompatible shapes: {average.shape} vs. {variable.shape}")
        average.assign(run_one(lambda a, w, k, r: k * a + r * w, average.value, variable.value, keep, rest))


def overwrite(variables: Sequence[Variable], averages: Sequence[Variable]) -> None:
    """Each variable takes the value of its average."""
    for variable, average in zip(variables, averages, strict=False):
        variable.assign(average.value)


def apply_constraints(variables: Sequence[Variable]) -> None:
    """Each variable that has a constraint takes its value."""
    for variable in variables:
        if variable.constraint is not None:
            variable.assign(variable.constraint(variable.value))
