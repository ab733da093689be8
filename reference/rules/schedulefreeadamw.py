"""ScheduleFreeAdamW: AdamW's denominator on a base sequence z, weights between z and a running average x.

Source       Defazio et al. 2024, arXiv:2405.15682, algorithm 1 with Adam's denominator.
             Deviation that ships: x is recovered from the weights with z as it is after its step, not before.
State        z, starts as a copy of w; v, starts at 0.  Both have the dtype and shape of w.  t is 1 on the first update.
             x is not stored.
Units        learning_rate is in units of w per step; epsilon in units of g; warmup_steps in steps; the betas are pure.
Constraints  beta_1 = 0 divides by zero: NaN or infinity from the first step on.

edition, mode   dense                     sparse
keras3          schedulefreeadamw         schedulefreeadamw_slices
keras3, graph   schedulefreeadamw_graph   schedulefreeadamw_slices_graph
"""

from __future__ import annotations

from ..bits import cast, cast_tensor, minimum, power, sqrt
from ..slices import added, dense, divided


def schedulefreeadamw(w, g, z, v, *, t, learning_rate, beta_1, beta_2, epsilon, warmup_steps):
    """keras ScheduleFreeAdamW.update_step on the TensorFlow backend, one tensor operation after the other."""
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon)
    x = (w - (1 - b1) * z) / b1
    x = (1 - 1 / t) * x + 1 / t * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def schedulefreeadamw_graph(w, g, z, v, *, t, learning_rate, beta_1, beta_2, epsilon, warmup_steps):
    """schedulefreeadamw inside tf.function: Grappler multiplies a number by 1 / beta_1, not all of x."""
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon)
    x = (1 - 1 / t) * (1 / b1) * (w - (1 - b1) * z) + 1 / t * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def schedulefreeadamw_slices(w, g, indices, z, v, *, t, learning_rate, beta_1, beta_2, epsilon, warmup_steps):
    """keras ScheduleFreeAdamW.update_step of IndexedSlices: z takes a step of each row."""
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (dense(w.shape, indices, g * g) - v) * (1 - b2)
    indices, step = divided(indices, lr * g, sqrt(v / (1 - power(b2, t))) + epsilon)
    z = added(z, indices, -step)
    x = (w - (1 - b1) * z) / b1
    x = (1 - 1 / t) * x + 1 / t * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def schedulefreeadamw_slices_graph(w, g, indices, z, v, *, t, learning_rate, beta_1, beta_2, epsilon, warmup_steps):
    """schedulefreeadamw_slices inside tf.function."""
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (dense(w.shape, indices, g * g) - v) * (1 - b2)
    indices, step = divided(indices, lr * g, sqrt(v / (1 - power(b2, t))) + epsilon)
    z = added(z, indices, -step)
    x = (1 - 1 / t) * (1 / b1) * (w - (1 - b1) * z) + 1 / t * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


RULES = {"keras3": {"plain": schedulefreeadamw}}

SPARSE = {"keras3": {"plain": schedulefreeadamw_slices}}

GRAPH = {"keras3": {"plain": schedulefreeadamw_graph}}

GRAPH_SPARSE = {"keras3": {"plain": schedulefreeadamw_slices_graph}}
