"""ExponentialDecay: the learning rate shrinks by the same factor in every `decay_steps` steps.

Source       the rule of thumb of every textbook; TensorFlow's tf.train.exponential_decay of 2015.
Units        the result is in units of initial_learning_rate; decay_steps in steps; decay_rate is a pure number.
Dtypes       the result has the dtype of initial_learning_rate, and so has every operation on the way.
Errors       an integer as initial_learning_rate: tf2.* raise at the call; keras3 casts decay_rate to an integer too, so
             that 0.5 becomes 0, and gives float64.

edition                               function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  exponential_decay

edition, graph                        function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  exponential_decay_graph
"""

from __future__ import annotations

from .scalars import cast, floor, power, tensor


def exponential_decay(step, *, initial_learning_rate, decay_steps, decay_rate, staircase):
    """initial_learning_rate * decay_rate ** (step / decay_steps), with the exponent cut to whole numbers or not."""
    lr = tensor(initial_learning_rate)
    step, steps, rate = cast(lr.dtype, step, decay_steps, decay_rate)
    p = step / steps
    if staircase:
        p = floor(p)
    return lr * power(rate, p)


def exponential_decay_graph(step, *, initial_learning_rate, decay_steps, decay_rate, staircase):
    """exponential_decay inside tf.function: Grappler multiplies by the reciprocal of a number that stays."""
    lr = tensor(initial_learning_rate)
    step, steps, rate = cast(lr.dtype, step, decay_steps, decay_rate)
    p = step * (1 / steps)
    if staircase:
        p = floor(p)
    return lr * power(rate, p)


SCHEDULES = {
    "tf2.4": exponential_decay,
    "tf2.9": exponential_decay,
    "tf2.12": exponential_decay,
    "tf2.15": exponential_decay,
    "keras3": exponential_decay,
}

GRAPH = {
    "tf2.4": exponential_decay_graph,
    "tf2.9": exponential_decay_graph,
    "tf2.12": exponential_decay_graph,
    "tf2.15": exponential_decay_graph,
    "keras3": exponential_decay_graph,
}
