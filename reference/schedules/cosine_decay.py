"""CosineDecay: the learning rate falls along half a cosine wave, after a straight climb if one is asked for.

Source       Loshchilov & Hutter 2016, arXiv:1608.03983, equation 5 without restarts.
Units        the result and warmup_target are in units of initial_learning_rate; decay_steps and warmup_steps in steps;
             alpha is the fraction of the highest rate that is left at the end.
Dtypes       the result has the dtype of initial_learning_rate, and so has every operation on the way; alpha and
             1 - alpha are rounded to it directly, the other arguments through float32.
Errors       an integer as initial_learning_rate: tf2.* raise at the call; keras3 casts pi to 3, so that the end is
             never reached, and gives float32; while it warms up it raises too.  tf2.4 takes only float32: pi is one.
Note         warmup_steps without warmup_target has no effect.

edition               function
tf2.4, tf2.9, tf2.12  cosine_decay
tf2.15, keras3        cosine_decay_after_warmup

edition, graph        function
tf2.4, tf2.9, tf2.12  cosine_decay_graph
tf2.15, keras3        cosine_decay_after_warmup_graph
"""

from __future__ import annotations

import math

from .scalars import cast, cos, divide, minimum, tensor


def cosine_decay(step, *, initial_learning_rate, decay_steps, alpha):
    """initial_learning_rate * ((1 - alpha) * (1 + cos(pi * step / decay_steps)) / 2 + alpha)."""
    lr = tensor(initial_learning_rate)
    step, steps = cast(lr.dtype, step, decay_steps)
    fraction = minimum(step, steps) / steps
    cosine = 0.5 * (1 + cos(lr.dtype.type(math.pi) * fraction))
    return lr * ((1 - alpha) * cosine + alpha)


def cosine_decay_after_warmup(step, *, initial_learning_rate, decay_steps, alpha, warmup_target, warmup_steps):
    """Up to warmup_target along a straight line, if there is one, then down along the cosine."""
    lr = tensor(initial_learning_rate)
    step, steps = cast(lr.dtype, step, decay_steps)
    if warmup_target is None:
        step = minimum(step, steps)
        highest = lr
    else:
        highest, warmup = cast(lr.dtype, warmup_target, warmup_steps)
        step = minimum(step, steps + warmup)
        if step < warmup:
            return (highest - lr) * (step / warmup) + lr
        step = step - warmup
    fraction = divide(step, steps)
    pi, highest = cast(fraction.dtype, lr.dtype.type(math.pi), highest)
    cosine = 0.5 * (1 + cos(pi * fraction))
    return highest * ((1 - alpha) * cosine + alpha)


def cosine_decay_graph(step, *, initial_learning_rate, decay_steps, alpha):
    """cosine_decay inside tf.function: Grappler multiplies by the reciprocal of a number that stays."""
    lr = tensor(initial_learning_rate)
    step, steps = cast(lr.dtype, step, decay_steps)
    fraction = minimum(step, steps) * (1 / steps)
    cosine = 0.5 * (1 + cos(lr.dtype.type(math.pi) * fraction))
    return lr * ((1 - alpha) * cosine + alpha)


def cosine_decay_after_warmup_graph(step, *, initial_learning_rate, decay_steps, alpha, warmup_target, warmup_steps):
    """The same; what is computed only after a warm-up, or only during it, stays as it is."""
    lr = tensor(initial_learning_rate)
    step, steps = cast(lr.dtype, step, decay_steps)
    if warmup_target is None:
        fraction, highest = minimum(step, steps) * (1 / steps), lr
    else:
        highest, warmup = cast(lr.dtype, warmup_target, warmup_steps)
        step = minimum(step, steps + warmup)
        if step < warmup:
            return (highest - lr) * (step / warmup) + lr
        fraction = divide(step - warmup, steps)
    pi, highest = cast(fraction.dtype, lr.dtype.type(math.pi), highest)
    cosine = 0.5 * (1 + cos(pi * fraction))
    return highest * ((1 - alpha) * cosine + alpha)


SCHEDULES = {
    "tf2.4": cosine_decay,
    "tf2.9": cosine_decay,
    "tf2.12": cosine_decay,
    "tf2.15": cosine_decay_after_warmup,
    "keras3": cosine_decay_after_warmup,
}

GRAPH = {
    "tf2.4": cosine_decay_graph,
    "tf2.9": cosine_decay_graph,
    "tf2.12": cosine_decay_graph,
    "tf2.15": cosine_decay_after_warmup_graph,
    "keras3": cosine_decay_after_warmup_graph,
}
