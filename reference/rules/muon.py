"""Muon: momentum made nearly orthogonal by a Newton-Schulz iteration, for matrices; Adam for every other variable.

Source       Jordan et al. 2024, https://kellerjordan.github.io/posts/muon; scaled by rms_rate as in Liu et al. 2025,
             arXiv:2502.16982.  Adam as in rules/adam.py, with its own betas, decay and learning rate ratio.
State        m, and v for an Adam variable only: dtype and shape of w, start at 0.  t is 1 on the first update.
Units        learning_rate is in units of w per step; epsilon in units of g; everything else is a pure number.
             Of a matrix the step has singular values near learning_rate * rms_rate * sqrt(its longer side).
Constraints  A float64 matrix is an error on its first step: learning_rate is float32 and is not cast.

edition   a matrix                       with rms_rate=None   where uses_adam holds
keras3    muon                           unscaled             adam

edition, sparse   a matrix   with rms_rate=None   where uses_adam holds
keras3            as dense   as dense             adam_slices

edition, graph    a matrix     with rms_rate=None   where uses_adam holds
keras3            muon_graph   unscaled_graph       as dense
"""

from __future__ import annotations

import numpy as np

from ..bits import cast, cast_tensor, matmul, matmul_with_transpose, power, sqrt, total
from ..slices import dense


def orthogonal(x, steps, a, b, c):
    """Newton-Schulz on the wide side up: singular values of x / |x| are driven towards 1."""
    wide = x.T if x.shape[0] > x.shape[1] else x
    wide = wide / (sqrt(total(wide * wide)) + 1e-7)
    for _ in range(steps):
        s = matmul(wide, wide.T)
        wide = a * wide + matmul(b * s + matmul(c * s, s), wide)
    return wide.T if x.shape[0] > x.shape[1] else wide


def muon(w, g, m, *, learning_rate, momentum, nesterov, ns_steps, muon_a, muon_b, muon_c, rms_rate):
    """keras Muon's step of a matrix: the update is float32 until it is cast to the dtype of w."""
    m = m + (g + m * (momentum - 1))
    x = orthogonal(g + momentum * m if nesterov else m, ns_steps, muon_a, muon_b, muon_c)
    w = w - (learning_rate * x * sqrt(np.float32(max(w.shape))) * rms_rate).astype(w.dtype)
    return w, m


def unscaled(w, g, m, *, learning_rate, momentum, nesterov, ns_steps, muon_a, muon_b, muon_c):
    """keras Muon's step of a matrix with rms_rate=None."""
    m = m + (g + m * (momentum - 1))
    x = orthogonal(g + momentum * m if nesterov else m, ns_steps, muon_a, muon_b, muon_c)
    w = w - (learning_rate * x).astype(w.dtype)
    return w, m


def orthogonal_graph(x, steps, a, b, c):
    """orthogonal inside tf.function: Grappler makes a transposition part of the product."""
    wide = x.T if x.shape[0] > x.shape[1] else x
    wide = wide / (sqrt(total(wide * wide)) + 1e-7)
    for _ in range(steps):
        s = matmul_with_transpose(wide)
        wide = a * wide + matmul(b * s + matmul(c * s, s), wide)
    return wide.T if x.shape[0] > x.shape[1] else wide


def muon_graph(w, g, m, *, learning_rate, momentum, nesterov, ns_steps, muon_a, muon_b, muon_c, rms_rate):
    """muon inside tf.function: numbers are multiplied before the matrix is."""
    m = m + (g + m * (momentum - 1))
    x = orthogonal_graph(g + momentum * m if nesterov else m, ns_steps, muon_a, muon_b, muon_c)
    w = w - (learning_rate * sqrt(np.float32(max(w.shape))) * rms_rate * x).astype(w.dtype)
    return w, m


def unscaled_graph(w, g, m, *, learning_rate, momentum, nesterov, ns_steps, muon_a, muon_b, muon_c):
    """unscaled inside tf.function."""
    m = m + (g + m * (momentum - 1))
    x = orthogonal_graph(g + momentum * m if nesterov else m, ns_steps, muon_a, muon_b, muon_c)
    w = w - (learning_rate * x).astype(w.dtype)
    return w, m


def adam(w, g, m, v, *, t, learning_rate, adam_lr_ratio, adam_beta_1, adam_beta_2, epsilon):
    """keras Muon's step of every other variable."""
    t, epsilon = cast(w.dtype, t, epsilon)
    lr, b1, b2 = cast_tensor(w.dtype, learning_rate * adam_lr_ratio, adam_beta_1, adam_beta_2)
    rest_1, rest_2 = cast(w.dtype, 1 - adam_beta_1, 1 - adam_beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def adam_slices(w, g, indices, m, v, *, t, learning_rate, adam_lr_ratio, adam_beta_1, adam_beta_2, epsilon):
    """keras Muon's step of every other variable that has a sparse gradient."""
    t, epsilon = cast(w.dtype, t, epsilon)
    lr, b1, b2 = cast_tensor(w.dtype, learning_rate * adam_lr_ratio, adam_beta_1, adam_beta_2)
    rest_1, rest_2 = cast(w.dtype, 1 - adam_beta_1, 1 - adam_beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (dense(w.shape, indices, g) - m) * rest_1
    v = v + (dense(w.shape, indices, g * g) - v) * rest_2
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


RULES = {"keras3": {"adam": adam, "unscaled": unscaled, "muon": muon}}

SPARSE = {"keras3": {"adam": adam_slices}}

GRAPH = {"keras3": {"unscaled": unscaled_graph, "muon": muon_graph}}
