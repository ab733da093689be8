"""LinearCosineDecay: a straight fall times a cosine wave of some periods, on a floor.

Source       Bello et al. 2017, Neural Optimizer Search with Reinforcement Learning, arXiv:1709.07417.
Units        the result is in units of initial_learning_rate; decay_steps in steps; num_periods in waves; alpha and beta
             are pure numbers.
Dtypes       float32 only, since pi is one here.
Errors       an integer or a float64 as initial_learning_rate raises at the call.

edition  function
tf2.4    linear_cosine_decay

edition, graph  function
tf2.4           linear_cosine_decay_graph
"""

from __future__ import annotations

import math

from .scalars import cast, cos, minimum, tensor


def linear_cosine_decay(step, *, initial_learning_rate, decay_steps, num_periods, alpha, beta):
    """initial_learning_rate * ((alpha + fraction left) * (1 + cos(2 pi * num_periods * fraction done)) / 2 + beta)."""
    lr = tensor(initial_learning_rate)
    step, steps, periods, alpha, beta = cast(lr.dtype, step, decay_steps, num_periods, alpha, beta)
    step = minimum(step, steps)
    left = (steps - step) / steps
    fraction = 2 * periods * (step / steps)
    cosine = 0.5 * (1 + cos(lr.dtype.type(math.pi) * fraction))
    return lr * ((alpha + left) * cosine + beta)


def linear_cosine_decay_graph(step, *, initial_learning_rate, decay_steps, num_periods, alpha, beta):
    """linear_cosine_decay inside tf.function: Grappler multiplies by the reciprocal of a number that stays."""
    lr = tensor(initial_learning_rate)
    step, steps, periods, alpha, beta = cast(lr.dtype, step, decay_steps, num_periods, alpha, beta)
    step = minimum(step, steps)
    left = (steps - step) * (1 / steps)
    fraction = 2 * periods * (step * (1 / steps))
    cosine = 0.5 * (1 + cos(lr.dtype.type(math.pi) * fraction))
    return lr * ((alpha + left) * cosine + beta)


SCHEDULES = {
    "tf2.4": linear_cosine_decay,
}

GRAPH = {
    "tf2.4": linear_cosine_decay_graph,
}
