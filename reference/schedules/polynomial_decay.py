"""PolynomialDecay: a fall along a power of the time that is left, down to an end, once or again and again.

Source       the "poly" policy of Caffe (Jia et al. 2014, arXiv:1408.5093), with an end and cycles.
Units        the result and end_learning_rate are in units of initial_learning_rate; decay_steps in steps; power is a
             pure number.
Dtypes       the result has the dtype of initial_learning_rate, and so has every operation on the way; with cycle, a
             decay_steps that is a Python float is rounded to it directly where it divides the step, through float32
             where it multiplies.
Errors       an integer as initial_learning_rate: tf2.* raise at the call; keras3 casts end_learning_rate and power to
             integers too, and gives float32, with cycle float64.

edition                               function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  polynomial_decay

edition, graph                        function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  polynomial_decay_graph
"""

from __future__ import annotations

from . import scalars
from .scalars import cast, ceil, divide, minimum, tensor


def polynomial_decay(step, *, initial_learning_rate, decay_steps, end_learning_rate, power, cycle):
    """(initial_learning_rate - end) * (1 - step / decay_steps) ** power + end; cycle stretches decay_steps to step."""
    lr = tensor(initial_learning_rate)
    step, steps, end, exponent = cast(lr.dtype, step, decay_steps, end_learning_rate, power)
    if cycle:
        steps = steps * (1.0 if step == 0 else ceil(step / decay_steps))
    else:
        step = minimum(step, steps)
    p = divide(step, steps)
    span, end, exponent = cast(p.dtype, lr - end, end, exponent)
    return span * scalars.power(1 - p, exponent) + end


def polynomial_decay_graph(step, *, initial_learning_rate, decay_steps, end_learning_rate, power, cycle):
    """polynomial_decay inside tf.function: Grappler multiplies by the reciprocal of a number that stays."""
    lr = tensor(initial_learning_rate)
    step, steps, end, exponent = cast(lr.dtype, step, decay_steps, end_learning_rate, power)
    if cycle:
        p = divide(step, steps * (1.0 if step == 0 else ceil(step * (1 / steps))))
    else:
        p = minimum(step, steps) * (1 / steps)
    span, end, exponent = cast(p.dtype, lr - end, end, exponent)
    return span * scalars.power(1 - p, exponent) + end


SCHEDULES = {
    "tf2.4": polynomial_decay,
    "tf2.9": polynomial_decay,
    "tf2.12": polynomial_decay,
    "tf2.15": polynomial_decay,
    "keras3": polynomial_decay,
}

GRAPH = {
    "tf2.4": polynomial_decay_graph,
    "tf2.9": polynomial_decay_graph,
    "tf2.12": polynomial_decay_graph,
    "tf2.15": polynomial_decay_graph,
    "keras3": polynomial_decay_graph,
}
