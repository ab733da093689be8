"""Adagrad: per-weight step size from the sum of all squared gradients.

Source       Duchi, Hazan & Singer 2011, jmlr.org/papers/v12/duchi11a, the diagonal form; epsilon is not in the paper.
State        a: dtype and shape of w, starts at initial_accumulator_value (in keras3 rounded to float32 first).
Units        learning_rate is in units of w per step; epsilon in units of g in the kernel, of g*g in the operations.
Errors       ValueError for a negative initial_accumulator_value in tf2.4 and *.legacy; the others accept it.
             There, too, an epsilon of 0 or None means 1e-7.

edition            plain               epsilon is added
tf2.4              adagrad_kernel_2_4  outside the square root
*.legacy           adagrad_kernel      outside the square root
tf2.9 ... keras3   adagrad_ops         inside the square root

edition, sparse   plain             duplicate rows                       untouched rows
tf2.4             adagrad_lazy_2_4  summed                               stay
*.legacy          adagrad_lazy      summed                               stay
tf2.9             adagrad_sum       squared each; the step has the sum   stay, unless the divisor is 0
tf2.12, tf2.15    adagrad_rows      summed in the pipeline               stay
keras3            adagrad_slices    squared each, and a step each        stay, unless a divisor is 0 or NaN

edition, graph    plain               divided by the root
tf2.9, tf2.12     adagrad_graph       * rsqrt
tf2.15, keras3    adagrad_graph_2_15  * rsqrt_2_15

edition, sparse, graph  plain                     divided by the root
tf2.9                   adagrad_sum_graph         * rsqrt
tf2.12                  adagrad_rows_graph        * rsqrt
tf2.15                  adagrad_rows_graph_2_15   * rsqrt_2_15
"""

from __future__ import annotations

from ..bits import cast, rsqrt, rsqrt_2_15, sqrt, sqrt_2_4
from ..slices import added, by_row, dense, divided, gathered, replaced, summed


def adagrad_kernel_2_4(w, g, a, *, learning_rate, epsilon):
    """TF 2.4's fused CPU kernel ResourceApplyAdagradV2."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = a + g * g
    w = w - g * lr / (sqrt_2_4(a) + epsilon)
    return w, a


def adagrad_kernel(w, g, a, *, learning_rate, epsilon):
    """TF's fused CPU kernel ResourceApplyAdagradV2."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = a + g * g
    w = w - g * lr / (sqrt(a) + epsilon)
    return w, a


def adagrad_ops(w, g, a, *, learning_rate, epsilon):
    """keras Adagrad.update_step, one tensor operation after the other."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = a + g * g
    w = w - lr * g / sqrt(a + epsilon)
    return w, a


def adagrad_graph(w, g, a, *, learning_rate, epsilon):
    """adagrad_ops inside tf.function of TF 2.9 and 2.12: Grappler multiplies by a reciprocal root."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = a + g * g
    w = w - lr * g * rsqrt(a + epsilon)
    return w, a


def adagrad_graph_2_15(w, g, a, *, learning_rate, epsilon):
    """The same of TF 2.15 and 2.21."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = a + g * g
    w = w - lr * g * rsqrt_2_15(a + epsilon)
    return w, a


def adagrad_lazy_2_4(w, g, indices, a, *, learning_rate, epsilon):
    """TF 2.4's fused CPU kernel ResourceSparseApplyAdagradV2: row by row."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    indices, g = summed(indices, g)
    row = gathered(a, indices) + g * g
    w = added(w, indices, -(g * lr / (by_row(sqrt_2_4, row) + epsilon)))
    return w, replaced(a, indices, row)


def adagrad_lazy(w, g, indices, a, *, learning_rate, epsilon):
    """TF's fused CPU kernel ResourceSparseApplyAdagradV2."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    indices, g = summed(indices, g)
    row = gathered(a, indices) + g * g
    w = added(w, indices, -(g * lr / (sqrt(row) + epsilon)))
    return w, replaced(a, indices, row)


def adagrad_sum(w, g, indices, a, *, learning_rate, epsilon):
    """TF 2.9's Adagrad.update_step of IndexedSlices: the squares are summed, and so is the gradient."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = added(a, indices, g * g)
    w = w - lr * dense(w.shape, indices, g) / sqrt(a + epsilon)
    return w, a


def adagrad_rows(w, g, indices, a, *, learning_rate, epsilon):
    """keras 2 Adagrad.update_step of IndexedSlices from TF 2.12 on."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = added(a, indices, g * g)
    w = added(w, indices, -lr * g / sqrt(gathered(a, indices) + epsilon))
    return w, a


def adagrad_sum_graph(w, g, indices, a, *, learning_rate, epsilon):
    """adagrad_sum inside tf.function."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = added(a, indices, g * g)
    w = w - lr * dense(w.shape, indices, g) * rsqrt(a + epsilon)
    return w, a


def adagrad_rows_graph(w, g, indices, a, *, learning_rate, epsilon):
    """adagrad_rows inside tf.function of TF 2.12."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = added(a, indices, g * g)
    w = added(w, indices, -lr * g * rsqrt(gathered(a, indices) + epsilon))
    return w, a


def adagrad_rows_graph_2_15(w, g, indices, a, *, learning_rate, epsilon):
    """The same of TF 2.15."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = added(a, indices, g * g)
    w = added(w, indices, -lr * g * rsqrt_2_15(gathered(a, indices) + epsilon))
    return w, a


def adagrad_slices(w, g, indices, a, *, learning_rate, epsilon):
    """keras 3 Adagrad.update_step of IndexedSlices."""
    lr, epsilon = cast(w.dtype, learning_rate, epsilon)
    a = added(a, indices, g * g)
    indices, step = divided(indices, lr * g, sqrt(a + epsilon))
    w = added(w, indices, -step)
    return w, a


KERNEL_2_4 = {"plain": adagrad_kernel_2_4}
KERNEL = {"plain": adagrad_kernel}
OPS = {"plain": adagrad_ops}

RULES = {
    "tf2.4": KERNEL_2_4,
    "tf2.9.legacy": KERNEL,
    "tf2.12.legacy": KERNEL,
    "tf2.15.legacy": KERNEL,
    "tf2.9": OPS,
    "tf2.12": OPS,
    "tf2.15": OPS,
    "keras3": OPS,
}

SPARSE = {
    "tf2.4": {"plain": adagrad_lazy_2_4},
    "tf2.9.legacy": {"plain": adagrad_lazy},
    "tf2.12.legacy": {"plain": adagrad_lazy},
    "tf2.15.legacy": {"plain": adagrad_lazy},
    "tf2.9": {"plain": adagrad_sum},
    "tf2.12": {"plain": adagrad_rows},
    "tf2.15": {"plain": adagrad_rows},
    "keras3": {"plain": adagrad_slices},
}

GRAPH = {
    "tf2.9": {"plain": adagrad_graph},
    "tf2.12": {"plain": adagrad_graph},
    "tf2.15": {"plain": adagrad_graph_2_15},
    "keras3": {"plain": adagrad_graph_2_15},
}

GRAPH_SPARSE = {
    "tf2.9": {"plain": adagrad_sum_graph},
    "tf2.12": {"plain": adagrad_rows_graph},
    "tf2.15": {"plain": adagrad_rows_graph_2_15},
}
