"""SGD: a step against the gradient, with a velocity that decays by the momentum, and Nesterov's look-ahead.

Source       Robbins & Monro 1951, doi:10.1214/aoms/1177729586.  Momentum: Polyak 1964, the learning rate inside m.
             Nesterov: Sutskever et al. 2013, rewritten around the looked-ahead weights (arXiv:1212.0901).
State        m: dtype and shape of w, starts at 0; only with momentum, but in tf2.12 and tf2.15 always.
Units        learning_rate is in units of w per unit of g; m in units of w; momentum is a pure number.
Errors       ValueError for a momentum outside [0, 1]; in keras3 for an integer too.

edition            plain            idle_nesterov (momentum = 0)   momentum        nesterov
tf2.4, *.legacy    descent          descent                        momentum_step   nesterov_step
tf2.9              descent_2_9      descent_2_9                    momentum_step   nesterov_step
keras3             descent          descent                        momentum_step   nesterov_step
tf2.12, tf2.15     momentum_step    nesterov_step                  momentum_step   nesterov_step

edition, sparse    plain              idle_nesterov      momentum          nesterov         duplicate rows
tf2.4              descent_rows_2_9   descent_rows_2_9   momentum_lazy     nesterov_lazy    summed if there is momentum
tf2.9.legacy       descent_rows_2_9   descent_rows_2_9   momentum_lazy     nesterov_lazy    summed if there is momentum
other *.legacy     descent_rows       descent_rows       momentum_lazy     nesterov_lazy    summed if there is momentum
tf2.9              descent_rows_2_9   descent_rows_2_9   momentum_rows     nesterov_rows    added one after the other
tf2.12, tf2.15     momentum_rows      nesterov_rows      momentum_rows     nesterov_rows    summed in the pipeline
keras3             descent_rows       descent_rows       momentum_slices   nesterov_slices  scaled, then summed

edition, sparse, graph   plain                 idle_nesterov         m * 0 is
tf2.12, tf2.15           momentum_rows_graph   nesterov_rows_graph   0, also where m is below 0
"""

from __future__ import annotations

import numpy as np

from ..bits import cast, cast_tensor, negated_2_9
from ..slices import added, dense, gathered, replaced, summed


def descent(w, g, *, learning_rate):
    """Against the gradient, without state."""
    (lr,) = cast(w.dtype, learning_rate)
    w = w - g * lr
    return (w,)


def descent_2_9(w, g, *, learning_rate):
    """Keras 2.9's: minus the gradient is added, so that in whole packets a weight of -0.0 becomes 0.0 if it is 0."""
    (lr,) = cast(w.dtype, learning_rate)
    w = w + negated_2_9(g) * lr
    return (w,)


def momentum_step(w, g, m, *, learning_rate, momentum):
    """Along a velocity that decays by the momentum; a momentum of 0 still makes NaN of an infinite velocity."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    m = m * momentum - g * lr
    w = w + m
    return w, m


def nesterov_step(w, g, m, *, learning_rate, momentum):
    """Along the velocity that the next step would have, were the gradient the same."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    m = m * momentum - g * lr
    w = w + (m * momentum - g * lr)
    return w, m


def descent_rows(w, g, indices, *, learning_rate):
    """Each row by itself, duplicates one after the other."""
    (lr,) = cast(w.dtype, learning_rate)
    w = added(w, indices, -g * lr)
    return (w,)


def descent_rows_2_9(w, g, indices, *, learning_rate):
    """The same up to TF 2.9, which adds minus the gradient; the packets go on from row to row."""
    (lr,) = cast(w.dtype, learning_rate)
    w = added(w, indices, negated_2_9(g) * lr)
    return (w,)


def momentum_lazy(w, g, indices, m, *, learning_rate, momentum):
    """TF's fused CPU kernel ResourceSparseApplyKerasMomentum: rows without a gradient stand still."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    indices, g = summed(indices, g)
    step = gathered(m, indices) * momentum - g * lr
    m = replaced(m, indices, step)
    w = added(w, indices, step)
    return w, m


def nesterov_lazy(w, g, indices, m, *, learning_rate, momentum):
    """The same kernel with use_nesterov."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    indices, g = summed(indices, g)
    step = gathered(m, indices) * momentum - g * lr
    m = replaced(m, indices, step)
    w = added(w, indices, step * momentum - g * lr)
    return w, m


def momentum_rows(w, g, indices, m, *, learning_rate, momentum):
    """keras 2: the velocity decays everywhere, then the rows are added to it."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    m = added(m * momentum, indices, -g * lr)
    w = w + m
    return w, m


def nesterov_rows(w, g, indices, m, *, learning_rate, momentum):
    """keras 2 with nesterov=True: the rows are added to w before the velocity is."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    m = added(m * momentum, indices, -g * lr)
    w = added(w, indices, -g * lr) + m * momentum
    return w, m


def momentum_rows_graph(w, g, indices, m, *, learning_rate):
    """momentum_rows inside tf.function, where the momentum is 0: Grappler takes 0 for the product with it."""
    (lr,) = cast_tensor(w.dtype, learning_rate)
    m = added(np.zeros_like(m), indices, -g * lr)
    w = w + m
    return w, m


def nesterov_rows_graph(w, g, indices, m, *, learning_rate):
    """The same with nesterov=True."""
    (lr,) = cast_tensor(w.dtype, learning_rate)
    m = added(np.zeros_like(m), indices, -g * lr)
    w = added(w, indices, -g * lr)
    return w, m


def momentum_slices(w, g, indices, m, *, learning_rate, momentum):
    """keras 3: the rows are scaled, then summed."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    step = dense(w.shape, indices, g * lr)
    m = m * momentum - step
    w = w + m
    return w, m


def nesterov_slices(w, g, indices, m, *, learning_rate, momentum):
    """keras 3 with nesterov=True."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    step = dense(w.shape, indices, g * lr)
    m = m * momentum - step
    w = w + (m * momentum - step)
    return w, m


SLOT_IF_NEEDED = {
    "plain": descent,
    "idle_nesterov": descent,
    "momentum": momentum_step,
    "nesterov": nesterov_step,
}
SLOT_ALWAYS = {
    "plain": momentum_step,
    "idle_nesterov": nesterov_step,
    "momentum": momentum_step,
    "nesterov": nesterov_step,
}

RULES = {
    "tf2.4": SLOT_IF_NEEDED,
    "tf2.9.legacy": SLOT_IF_NEEDED,
    "tf2.12.legacy": SLOT_IF_NEEDED,
    "tf2.15.legacy": SLOT_IF_NEEDED,
    "tf2.9": {**SLOT_IF_NEEDED, "plain": descent_2_9, "idle_nesterov": descent_2_9},
    "tf2.12": SLOT_ALWAYS,
    "tf2.15": SLOT_ALWAYS,
    "keras3": SLOT_IF_NEEDED,
}

LAZY = {
    "plain": descent_rows,
    "idle_nesterov": descent_rows,
    "momentum": momentum_lazy,
    "nesterov": nesterov_lazy,
}
ROWS = {
    "plain": descent_rows,
    "idle_nesterov": descent_rows,
    "momentum": momentum_rows,
    "nesterov": nesterov_rows,
}
ROWS_ALWAYS = {
    "plain": momentum_rows,
    "idle_nesterov": nesterov_rows,
    "momentum": momentum_rows,
    "nesterov": nesterov_rows,
}
SLICES = {
    "plain": descent_rows,
    "idle_nesterov": descent_rows,
    "momentum": momentum_slices,
    "nesterov": nesterov_slices,
}

ROWS_2_9 = {"plain": descent_rows_2_9, "idle_nesterov": descent_rows_2_9}

SPARSE = {
    "tf2.4": {**LAZY, **ROWS_2_9},
    "tf2.9.legacy": {**LAZY, **ROWS_2_9},
    "tf2.12.legacy": LAZY,
    "tf2.15.legacy": LAZY,
    "tf2.9": {**ROWS, **ROWS_2_9},
    "tf2.12": ROWS_ALWAYS,
    "tf2.15": ROWS_ALWAYS,
    "keras3": SLICES,
}

ROWS_GRAPH = {"plain": momentum_rows_graph, "idle_nesterov": nesterov_rows_graph}

GRAPH_SPARSE = {"tf2.12": ROWS_GRAPH, "tf2.15": ROWS_GRAPH}
