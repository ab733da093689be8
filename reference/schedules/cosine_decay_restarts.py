"""CosineDecayRestarts: half cosine waves, each `t_mul` times as long and `m_mul` times as high as the last.

Source       Loshchilov & Hutter 2016, arXiv:1608.03983 (SGDR), section 3; the factor m_mul is TensorFlow's.
Units        the result is in units of initial_learning_rate; first_decay_steps in steps; t_mul, m_mul and alpha are
             pure numbers; alpha is the fraction of initial_learning_rate below which no wave goes.
Dtypes       the result has the dtype of initial_learning_rate, and so has every operation on the way.  Which wave a
             step belongs to is the quotient of two rounded logarithms: near a restart it may be one too high or low.
Errors       an integer as initial_learning_rate: tf2.* raise at the call, and so does keras3 unless t_mul is 1, where
             it casts pi to 3 and gives float64.  tf2.4 takes only float32: pi is one.  A t_mul below 1 ends in NaN.

edition                               function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  cosine_decay_restarts

edition, graph                        function
tf2.4, tf2.9, tf2.12, tf2.15, keras3  cosine_decay_restarts_graph
"""

from __future__ import annotations

import math

from .scalars import cast, cos, floor, log, power, tensor


def cosine_decay_restarts(step, *, initial_learning_rate, first_decay_steps, t_mul, m_mul, alpha):
    """initial_learning_rate * ((1 - alpha) * m_mul ** wave * (1 + cos(pi * fraction of the wave)) / 2 + alpha)."""
    lr = tensor(initial_learning_rate)
    step, steps, t_mul, m_mul, alpha = cast(lr.dtype, step, first_decay_steps, t_mul, m_mul, alpha)
    fraction = step / steps
    if t_mul == 1:
        wave = floor(fraction)
        fraction = fraction - wave
    else:
        wave = floor(log(1 - fraction * (1 - t_mul)) / log(t_mul))
        before = (1 - power(t_mul, wave)) / (1 - t_mul)
        fraction = (fraction - before) / power(t_mul, wave)
    cosine = 0.5 * power(m_mul, wave) * (1 + cos(lr.dtype.type(math.pi) * fraction))
    return lr * ((1 - alpha) * cosine + alpha)


def cosine_decay_restarts_graph(step, *, initial_learning_rate, first_decay_steps, t_mul, m_mul, alpha):
    """cosine_decay_restarts inside tf.function: Grappler multiplies by the reciprocal of a number that stays."""
    lr = tensor(initial_learning_rate)
    step, steps, t_mul, m_mul, alpha = cast(lr.dtype, step, first_decay_steps, t_mul, m_mul, alpha)
    fraction = step * (1 / steps)
    if t_mul == 1:
        wave = floor(fraction)
        fraction = fraction - wave
    else:
        wave = floor(log(1 - fraction * (1 - t_mul)) / log(t_mul))
        before = (1 - power(t_mul, wave)) / (1 - t_mul)
        fraction = (fraction - before) / power(t_mul, wave)
    cosine = 0.5 * power(m_mul, wave) * (1 + cos(lr.dtype.type(math.pi) * fraction))
    return lr * ((1 - alpha) * cosine + alpha)


SCHEDULES = {
    "tf2.4": cosine_decay_restarts,
    "tf2.9": cosine_decay_restarts,
    "tf2.12": cosine_decay_restarts,
    "tf2.15": cosine_decay_restarts,
    "keras3": cosine_decay_restarts,
}

GRAPH = {
    "tf2.4": cosine_decay_restarts_graph,
    "tf2.9": cosine_decay_restarts_graph,
    "tf2.12": cosine_decay_restarts_graph,
    "tf2.15": cosine_decay_restarts_graph,
    "keras3": cosine_decay_restarts_graph,
}
