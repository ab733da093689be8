"""Adam: per-weight step size from running means of the gradient and of its square.

Source       Kingma & Ba 2014, arXiv:1412.6980; the epsilon-hat form printed just above section 2.1.
             AMSGrad: Reddi, Kale & Kumar 2018, arXiv:1904.09237, with the maximum over the uncorrected v.
State        m, v, and vhat with amsgrad: dtype and shape of w, start at 0.  t is 1 on the first update.
Units        learning_rate is in units of w per step; epsilon in units of g; the betas are pure numbers.

edition            plain            amsgrad             1 - beta is taken in
tf2.4              adam_kernel_2_4  amsgrad_kernel_2_4  the dtype of w, from betas that are float32 variables
*.legacy           adam_kernel      amsgrad_kernel      the same
tf2.9 ... keras3   adam_ops         amsgrad_ops         float64, then rounded to the dtype of w

A NaN in v stays out of vhat in the kernels; the operations let it in.

edition, sparse         plain             amsgrad              duplicate rows
tf2.4                   adam_scatter_2_4  amsgrad_scatter_2_4  summed
*.legacy                adam_scatter      amsgrad_scatter      summed
tf2.9, tf2.12, tf2.15   adam_rows         amsgrad_rows         squared each in tf2.9, else summed in the pipeline
keras3                  adam_slices       amsgrad_slices       squared each, then summed

edition, sparse, graph  plain                   amsgrad                    squares
tf2.4                   adam_scatter_graph_2_4  amsgrad_scatter_graph_2_4  (g * (1 - beta_2)) * g
*.legacy                adam_scatter_graph      amsgrad_scatter_graph      the same
"""

from __future__ import annotations

from ..bits import cast, cast_tensor, larger, maximum, power, sqrt, sqrt_2_4
from ..slices import added, dense, summed


def adam_kernel_2_4(w, g, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """TF 2.4's fused CPU kernel ResourceApplyAdam, on one thread: if w does not fill packets, threads split them."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    w = w - (m * alpha) / (sqrt_2_4(v) + epsilon)
    return w, m, v


def amsgrad_kernel_2_4(w, g, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """TF 2.4's fused CPU kernel ResourceApplyAdamWithAmsgrad."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    vhat = larger(vhat, v)
    w = w - (m * alpha) / (sqrt_2_4(vhat) + epsilon)
    return w, m, v, vhat


def adam_kernel(w, g, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """TF's fused CPU kernel ResourceApplyAdam."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def amsgrad_kernel(w, g, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """TF's fused CPU kernel ResourceApplyAdamWithAmsgrad."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    vhat = larger(vhat, v)
    w = w - (m * alpha) / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


def adam_ops(w, g, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Adam.update_step, one tensor operation after the other."""
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    lr, t, epsilon, rest_1, rest_2 = cast(w.dtype, learning_rate, t, epsilon, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def amsgrad_ops(w, g, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Adam.update_step with amsgrad=True."""
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    lr, t, epsilon, rest_1, rest_2 = cast(w.dtype, learning_rate, t, epsilon, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    vhat = maximum(vhat, v)
    w = w - (m * alpha) / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


def adam_scatter_2_4(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """TF 2.4's Adam._resource_apply_sparse: both means decay everywhere, then the rows are added to them."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * g * (1 - b2))
    w = w - alpha * m / (sqrt_2_4(v) + epsilon)
    return w, m, v


def amsgrad_scatter_2_4(w, g, indices, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """The same with amsgrad: its maximum lets a NaN in."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * g * (1 - b2))
    vhat = maximum(vhat, v)
    w = w - alpha * m / (sqrt_2_4(vhat) + epsilon)
    return w, m, v, vhat


def adam_scatter(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """OptimizerV2's Adam._resource_apply_sparse."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * g * (1 - b2))
    w = w - alpha * m / (sqrt(v) + epsilon)
    return w, m, v


def amsgrad_scatter(w, g, indices, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """OptimizerV2's Adam._resource_apply_sparse with amsgrad."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * g * (1 - b2))
    vhat = maximum(vhat, v)
    w = w - alpha * m / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


def adam_scatter_graph_2_4(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """adam_scatter_2_4 inside tf.function: Grappler multiplies the gradient by a number before it squares it."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * (1 - b2) * g)
    w = w - alpha * m / (sqrt_2_4(v) + epsilon)
    return w, m, v


def amsgrad_scatter_graph_2_4(w, g, indices, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """amsgrad_scatter_2_4 inside tf.function."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * (1 - b2) * g)
    vhat = maximum(vhat, v)
    w = w - alpha * m / (sqrt_2_4(vhat) + epsilon)
    return w, m, v, vhat


def adam_scatter_graph(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """adam_scatter inside tf.function."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * (1 - b2) * g)
    w = w - alpha * m / (sqrt(v) + epsilon)
    return w, m, v


def amsgrad_scatter_graph(w, g, indices, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """amsgrad_scatter inside tf.function."""
    lr, t, b1, b2, epsilon = cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)
    alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * (1 - b2) * g)
    vhat = maximum(vhat, v)
    w = w - alpha * m / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


def adam_rows(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras 2 Adam.update_step of IndexedSlices."""
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    lr, t, epsilon, rest_1, rest_2 = cast(w.dtype, learning_rate, t, epsilon, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = added(m + -m * rest_1, indices, g * rest_1)
    v = added(v + -v * rest_2, indices, g * g * rest_2)
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def amsgrad_rows(w, g, indices, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras 2 Adam.update_step of IndexedSlices with amsgrad=True."""
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    lr, t, epsilon, rest_1, rest_2 = cast(w.dtype, learning_rate, t, epsilon, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = added(m + -m * rest_1, indices, g * rest_1)
    v = added(v + -v * rest_2, indices, g * g * rest_2)
    vhat = maximum(vhat, v)
    w = w - (m * alpha) / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


def adam_slices(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras 3 Adam.update_step of IndexedSlices, which are summed after they are squared."""
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    lr, t, epsilon, rest_1, rest_2 = cast(w.dtype, learning_rate, t, epsilon, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (dense(w.shape, indices, g) - m) * rest_1
    v = v + (dense(w.shape, indices, g * g) - v) * rest_2
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def amsgrad_slices(w, g, indices, m, v, vhat, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras 3 Adam.update_step of IndexedSlices with amsgrad=True."""
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    lr, t, epsilon, rest_1, rest_2 = cast(w.dtype, learning_rate, t, epsilon, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    m = m + (dense(w.shape, indices, g) - m) * rest_1
    v = v + (dense(w.shape, indices, g * g) - v) * rest_2
    vhat = maximum(vhat, v)
    w = w - (m * alpha) / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


KERNEL_2_4 = {"plain": adam_kernel_2_4, "amsgrad": amsgrad_kernel_2_4}
KERNEL = {"plain": adam_kernel, "amsgrad": amsgrad_kernel}
OPS = {"plain": adam_ops, "amsgrad": amsgrad_ops}

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

SCATTER_2_4 = {"plain": adam_scatter_2_4, "amsgrad": amsgrad_scatter_2_4}
SCATTER = {"plain": adam_scatter, "amsgrad": amsgrad_scatter}
ROWS = {"plain": adam_rows, "amsgrad": amsgrad_rows}
SLICES = {"plain": adam_slices, "amsgrad": amsgrad_slices}

SPARSE = {
    "tf2.4": SCATTER_2_4,
    "tf2.9.legacy": SCATTER,
    "tf2.12.legacy": SCATTER,
    "tf2.15.legacy": SCATTER,
    "tf2.9": ROWS,
    "tf2.12": ROWS,
    "tf2.15": ROWS,
    "keras3": SLICES,
}

SCATTER_GRAPH = {"plain": adam_scatter_graph, "amsgrad": amsgrad_scatter_graph}

GRAPH_SPARSE = {
    "tf2.4": {"plain": adam_scatter_graph_2_4, "amsgrad": amsgrad_scatter_graph_2_4},
    "tf2.9.legacy": SCATTER_GRAPH,
    "tf2.12.legacy": SCATTER_GRAPH,
    "tf2.15.legacy": SCATTER_GRAPH,
}
