"""InverseTimeDecay: the learning rate falls with the inverse of the time.

Source       Robbins & Monro 1951, doi:10.1214/aoms/1177729586: step sizes like 1 / n; here 1 / (1 + rate * n).
Units        the result is in units of initial_learning_rate; decay_steps in steps; decay_rate is a pure number.
Dtypes       the result has the dtype of initial_learning_rate, and so has every operation on the way.
Errors       an integer as initial_learning_rate: tf2.* raise at the call; keras3 casts decay_rate to an integer too, so
             that 0.5 becomes 0 and the rate stays constant, and gives float64.

edition                               function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  inverse_time_decay

edition, graph                        function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  inverse_time_decay_graph
"""

from __future__ import annotations

from .scalars import cast, floor, tensor


def inverse_time_decay(step, *, initial_learning_rate, decay_steps, decay_rate, staircase):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps), with the quotient cut to whole numbers or not."""
    lr = tensor(initial_learning_rate)
    step, steps, rate = cast(lr.dtype, step, decay_steps, decay_rate)
    p = step / steps
    if staircase:
        p = floor(p)
    return lr / (1 + rate * p)


def inverse_time_decay_graph(step, *, initial_learning_rate, decay_steps, decay_rate, staircase):
    """inverse_time_decay inside tf.function: Grappler multiplies by the reciprocal of a number that stays."""
    lr = tensor(initial_learning_rate)
    step, steps, rate = cast(lr.dtype, step, decay_steps, decay_rate)
    p = step * (1 / steps)
    if staircase:
        p = floor(p)
    return lr / (1 + rate * p)


SCHEDULES = {
    "tf2.4": inverse_time_decay,
    "tf2.9": inverse_time_decay,
    "tf2.12": inverse_time_decay,
    "tf2.15": inverse_time_decay,
    "keras3": inverse_time_decay,
}

GRAPH = {
    "tf2.4": inverse_time_decay_graph,
    "tf2.9": inverse_time_decay_graph,
    "tf2.12": inverse_time_decay_graph,
    "tf2.15": inverse_time_decay_graph,
    "keras3": inverse_time_decay_graph,
}
