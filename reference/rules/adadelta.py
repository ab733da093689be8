"""Adadelta: per-weight step from running means of the squared gradient and of the squared step itself.

Source       Zeiler 2012, arXiv:1212.5701, algorithm 1, times a learning rate (1.0 is the paper's form).
State        v, d: dtype and shape of w, start at 0.
Units        learning_rate and rho are pure numbers; epsilon is in units of g*g and of w*w at once.
Errors       None; in tf2.4 and *.legacy an epsilon of 0 or None means 1e-7.

edition                       plain                 squares               quotient
tf2.4                         adadelta_kernel_2_4   (g*g) * (1 - rho)     sqrt_2_4 * rsqrt_2_4 * g
tf2.9.legacy, tf2.12.legacy   adadelta_kernel       (g*g) * (1 - rho)     sqrt * rsqrt * g
tf2.15.legacy                 adadelta_kernel_2_15  (g*g) * (1 - rho)     sqrt * rsqrt_2_15 * g
tf2.9, tf2.12, tf2.15         adadelta_left         ((1 - rho) * g) * g   sqrt * g / sqrt
keras3                        adadelta_square       (1 - rho) * (g*g)     sqrt * g / sqrt

The kernels take 1 - rho in the dtype of w; the others take it in float64 and round.

edition, sparse               plain               duplicate rows                       untouched rows
tf2.4                         adadelta_lazy_2_4   summed                               stay, and their state too
tf2.9.legacy, tf2.12.legacy   adadelta_lazy       summed                               stay, and their state too
tf2.15.legacy                 adadelta_lazy_2_15  summed                               stay, and their state too
tf2.9, tf2.12, tf2.15         adadelta_rows       squared each in tf2.9, else summed   stay
keras3                        adadelta_slices     squared each, and a step each        stay, unless a divisor is NaN

edition, graph                plain                     quotient
tf2.9, tf2.12                 adadelta_left_graph       sqrt * g * rsqrt
tf2.15                        adadelta_left_graph_2_15  sqrt * g * rsqrt_2_15
keras3                        adadelta_square_graph     sqrt * g * rsqrt_2_15

edition, sparse, graph        plain                     quotient
tf2.9, tf2.12                 adadelta_rows_graph       sqrt * g * rsqrt
tf2.15                        adadelta_rows_graph_2_15  sqrt * g * rsqrt_2_15
"""

from __future__ import annotations

from ..bits import cast, rsqrt, rsqrt_2_4, rsqrt_2_15, sqrt, sqrt_2_4
from ..slices import added, by_row, dense, divided, gathered, replaced, summed


def adadelta_kernel_2_4(w, g, v, d, *, learning_rate, rho, epsilon):
    """TF 2.4's fused CPU kernel ResourceApplyAdadelta."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = v * rho + (g * g) * (1 - rho)
    delta = sqrt_2_4(d + epsilon) * rsqrt_2_4(v + epsilon) * g
    w = w - delta * lr
    d = d * rho + (delta * delta) * (1 - rho)
    return w, v, d


def adadelta_kernel(w, g, v, d, *, learning_rate, rho, epsilon):
    """The same kernel of TF 2.9 and 2.12."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = v * rho + (g * g) * (1 - rho)
    delta = sqrt(d + epsilon) * rsqrt(v + epsilon) * g
    w = w - delta * lr
    d = d * rho + (delta * delta) * (1 - rho)
    return w, v, d


def adadelta_kernel_2_15(w, g, v, d, *, learning_rate, rho, epsilon):
    """TF 2.15's fused CPU kernel ResourceApplyAdadelta."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = v * rho + (g * g) * (1 - rho)
    delta = sqrt(d + epsilon) * rsqrt_2_15(v + epsilon) * g
    w = w - delta * lr
    d = d * rho + (delta * delta) * (1 - rho)
    return w, v, d


def adadelta_left(w, g, v, d, *, learning_rate, rho, epsilon):
    """keras 2 Adadelta.update_step: the squares are multiplied from left to right."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * g * g
    delta = -sqrt(d + epsilon) * g / sqrt(v + epsilon)
    d = rho * d + rest * delta * delta
    w = w + lr * delta
    return w, v, d


def adadelta_square(w, g, v, d, *, learning_rate, rho, epsilon):
    """keras 3 Adadelta.update_step: squared first."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    delta = -(sqrt(d + epsilon) * g / sqrt(v + epsilon))
    d = rho * d + rest * (delta * delta)
    w = w + lr * delta
    return w, v, d


def adadelta_left_graph(w, g, v, d, *, learning_rate, rho, epsilon):
    """adadelta_left inside tf.function of TF 2.9 and 2.12: Grappler multiplies by a reciprocal root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * g * g
    delta = -sqrt(d + epsilon) * g * rsqrt(v + epsilon)
    d = rho * d + rest * delta * delta
    w = w + lr * delta
    return w, v, d


def adadelta_left_graph_2_15(w, g, v, d, *, learning_rate, rho, epsilon):
    """The same of TF 2.15."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * g * g
    delta = -sqrt(d + epsilon) * g * rsqrt_2_15(v + epsilon)
    d = rho * d + rest * delta * delta
    w = w + lr * delta
    return w, v, d


def adadelta_square_graph(w, g, v, d, *, learning_rate, rho, epsilon):
    """adadelta_square inside tf.function of TF 2.21."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    delta = -(sqrt(d + epsilon) * g * rsqrt_2_15(v + epsilon))
    d = rho * d + rest * (delta * delta)
    w = w + lr * delta
    return w, v, d


def adadelta_lazy_2_4(w, g, indices, v, d, *, learning_rate, rho, epsilon):
    """TF 2.4's fused CPU kernel ResourceSparseApplyAdadelta: row by row."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    squares = gathered(v, indices) * rho + g * g * (1 - rho)
    delta = by_row(sqrt_2_4, gathered(d, indices) + epsilon) * by_row(rsqrt_2_4, squares + epsilon) * g
    deltas = gathered(d, indices) * rho + delta * delta * (1 - rho)
    w = added(w, indices, -(delta * lr))
    return w, replaced(v, indices, squares), replaced(d, indices, deltas)


def adadelta_lazy(w, g, indices, v, d, *, learning_rate, rho, epsilon):
    """The same kernel of TF 2.9 and 2.12."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    squares = gathered(v, indices) * rho + g * g * (1 - rho)
    delta = sqrt(gathered(d, indices) + epsilon) * by_row(rsqrt, squares + epsilon) * g
    deltas = gathered(d, indices) * rho + delta * delta * (1 - rho)
    w = added(w, indices, -(delta * lr))
    return w, replaced(v, indices, squares), replaced(d, indices, deltas)


def adadelta_lazy_2_15(w, g, indices, v, d, *, learning_rate, rho, epsilon):
    """TF 2.15's fused CPU kernel ResourceSparseApplyAdadelta."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    squares = gathered(v, indices) * rho + g * g * (1 - rho)
    delta = sqrt(gathered(d, indices) + epsilon) * by_row(rsqrt_2_15, squares + epsilon) * g
    deltas = gathered(d, indices) * rho + delta * delta * (1 - rho)
    w = added(w, indices, -(delta * lr))
    return w, replaced(v, indices, squares), replaced(d, indices, deltas)


def adadelta_rows(w, g, indices, v, d, *, learning_rate, rho, epsilon):
    """keras 2 Adadelta.update_step of IndexedSlices: the squares are added row by row, the step is that of the sum."""
    rest, less = cast(w.dtype, 1 - rho, rho - 1)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(v + less * v, indices, rest * (g * g))
    delta = -sqrt(d + epsilon) * dense(w.shape, indices, g) / sqrt(v + epsilon)
    d = rho * d + rest * delta * delta
    w = w + lr * delta
    return w, v, d


def adadelta_rows_graph(w, g, indices, v, d, *, learning_rate, rho, epsilon):
    """adadelta_rows inside tf.function of TF 2.9 and 2.12."""
    rest, less = cast(w.dtype, 1 - rho, rho - 1)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(v + less * v, indices, rest * (g * g))
    delta = -sqrt(d + epsilon) * dense(w.shape, indices, g) * rsqrt(v + epsilon)
    d = rho * d + rest * delta * delta
    w = w + lr * delta
    return w, v, d


def adadelta_rows_graph_2_15(w, g, indices, v, d, *, learning_rate, rho, epsilon):
    """The same of TF 2.15."""
    rest, less = cast(w.dtype, 1 - rho, rho - 1)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(v + less * v, indices, rest * (g * g))
    delta = -sqrt(d + epsilon) * dense(w.shape, indices, g) * rsqrt_2_15(v + epsilon)
    d = rho * d + rest * delta * delta
    w = w + lr * delta
    return w, v, d


def adadelta_slices(w, g, indices, v, d, *, learning_rate, rho, epsilon):
    """keras 3 Adadelta.update_step of IndexedSlices."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + dense(w.shape, indices, rest * (g * g))
    indices, quotient = divided(indices, gathered(sqrt(d + epsilon), indices) * g, sqrt(v + epsilon))
    d = rho * d + dense(w.shape, indices, rest * (quotient * quotient))
    w = added(w, indices, lr * -quotient)
    return w, v, d


KERNEL_2_4 = {"plain": adadelta_kernel_2_4}
KERNEL = {"plain": adadelta_kernel}
KERNEL_2_15 = {"plain": adadelta_kernel_2_15}
LEFT = {"plain": adadelta_left}
SQUARE = {"plain": adadelta_square}

RULES = {
    "tf2.4": KERNEL_2_4,
    "tf2.9.legacy": KERNEL,
    "tf2.12.legacy": KERNEL,
    "tf2.15.legacy": KERNEL_2_15,
    "tf2.9": LEFT,
    "tf2.12": LEFT,
    "tf2.15": LEFT,
    "keras3": SQUARE,
}

SPARSE = {
    "tf2.4": {"plain": adadelta_lazy_2_4},
    "tf2.9.legacy": {"plain": adadelta_lazy},
    "tf2.12.legacy": {"plain": adadelta_lazy},
    "tf2.15.legacy": {"plain": adadelta_lazy_2_15},
    "tf2.9": {"plain": adadelta_rows},
    "tf2.12": {"plain": adadelta_rows},
    "tf2.15": {"plain": adadelta_rows},
    "keras3": {"plain": adadelta_slices},
}

GRAPH = {
    "tf2.9": {"plain": adadelta_left_graph},
    "tf2.12": {"plain": adadelta_left_graph},
    "tf2.15": {"plain": adadelta_left_graph_2_15},
    "keras3": {"plain": adadelta_square_graph},
}

GRAPH_SPARSE = {
    "tf2.9": {"plain": adadelta_rows_graph},
    "tf2.12": {"plain": adadelta_rows_graph},
    "tf2.15": {"plain": adadelta_rows_graph_2_15},
}
