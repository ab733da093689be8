"""Adamax: Adam scaled by the largest gradient seen, which fades, in place of the mean of squares.

Source       Kingma & Ba 2014, arXiv:1412.6980, section 7.1, algorithm 2; Keras adds epsilon to its divisor.
State        m, u: dtype and shape of w, start at 0.  t is 1 on the first update.
Units        learning_rate is in units of w per step; epsilon in units of g; the betas are pure numbers.

edition           rule           a NaN gradient  the bias correction divides  1 - beta_1 is taken in
tf2.4, *.legacy   adamax_kernel  leaves u alone  the learning rate            w.dtype, from beta_1 in float32
tf2.9 ... keras3  adamax_ops     spoils u        the step, with u + epsilon   float64, then rounded to w.dtype

edition, sparse         plain          duplicate rows in u                   untouched rows
tf2.4, *.legacy         adamax_lazy    summed                                stay, and their state too
tf2.9, tf2.12, tf2.15   adamax_rows    excesses added in tf2.9, else summed  go on
keras3                  adamax_slices  absolute values added                 go on
"""

from __future__ import annotations

from ..bits import cast, cast_tensor, larger, maximum, power
from ..slices import added, dense, gathered, replaced, summed


def adamax_kernel(w, g, m, u, *, t, learning_rate, beta_1, beta_2, epsilon):
    """TF's fused CPU kernel ResourceApplyAdaMax."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    m = m + (g - m) * (1 - b1)
    u = larger(b2 * u, abs(g))
    w = w - lr / (1 - power(b1, t)) * (m / (u + epsilon))
    return w, m, u


def adamax_ops(w, g, m, u, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Adamax.update_step, one tensor operation after the other."""
    lr, t, b2, epsilon, rest_1 = cast(w.dtype, learning_rate, t, beta_2, epsilon, 1 - beta_1)
    (b1,) = cast_tensor(w.dtype, beta_1)
    m = m + (g - m) * rest_1
    u = maximum(b2 * u, abs(g))
    w = w - (lr * m) / ((1 - power(b1, t)) * (u + epsilon))
    return w, m, u


def adamax_lazy(w, g, indices, m, u, *, t, learning_rate, beta_1, beta_2, epsilon):
    """OptimizerV2's Adamax._resource_apply_sparse: only the rows with a gradient, and their state, move."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    indices, g = summed(indices, g)
    m_row = gathered(m, indices) * b1 + g * (1 - b1)
    u_row = maximum(gathered(u, indices) * b2, abs(g))
    w = added(w, indices, -lr / (1 - power(b1, t)) * (m_row / (u_row + epsilon)))
    return w, replaced(m, indices, m_row), replaced(u, indices, u_row)


def adamax_rows(w, g, indices, m, u, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras 2 Adamax.update_step of IndexedSlices: u grows by what the row exceeds it, duplicates one by one."""
    lr, t, b2, epsilon, rest_1 = cast(w.dtype, learning_rate, t, beta_2, epsilon, 1 - beta_1)
    (b1,) = cast_tensor(w.dtype, beta_1)
    m = added(m + -m * rest_1, indices, g * rest_1)
    u = u * b2
    row = gathered(u, indices)
    u = added(u, indices, maximum(row, abs(g)) - row)
    w = w - (lr * m) / ((1 - power(b1, t)) * (u + epsilon))
    return w, m, u


def adamax_slices(w, g, indices, m, u, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras 3 Adamax.update_step of IndexedSlices: of duplicates, u sees the sum of their absolute values."""
    lr, t, b2, epsilon, rest_1 = cast(w.dtype, learning_rate, t, beta_2, epsilon, 1 - beta_1)
    (b1,) = cast_tensor(w.dtype, beta_1)
    m = m + (dense(w.shape, indices, g) - m) * rest_1
    u = maximum(b2 * u, dense(w.shape, indices, abs(g)))
    w = w - (lr * m) / ((1 - power(b1, t)) * (u + epsilon))
    return w, m, u


KERNEL = {"plain": adamax_kernel}
OPS = {"plain": adamax_ops}

RULES = {
    "tf2.4": KERNEL,
    "tf2.9.legacy": KERNEL,
    "tf2.12.legacy": KERNEL,
    "tf2.15.legacy": KERNEL,
    "tf2.9": OPS,
    "tf2.12": OPS,
    "tf2.15": OPS,
    "keras3": OPS,
}

SPARSE = {
    "tf2.4": {"plain": adamax_lazy},
    "tf2.9.legacy": {"plain": adamax_lazy},
    "tf2.12.legacy": {"plain": adamax_lazy},
    "tf2.15.legacy": {"plain": adamax_lazy},
    "tf2.9": {"plain": adamax_rows},
    "tf2.12": {"plain": adamax_rows},
    "tf2.15": {"plain": adamax_rows},
    "keras3": {"plain": adamax_slices},
}
