"""RMSprop: per-weight step size from a running mean of the squared gradient.

Source       Tieleman & Hinton 2012, Coursera lecture 6.5; centered: Graves 2013, arXiv:1308.0850, equations 38-41.
State        v; m with momentum; a with centered: dtype and shape of w, start at 0.
Units        learning_rate is in units of w per step; rho and momentum are pure numbers.  epsilon is in units of g
             where it is added outside the square root, and of g*g inside.  m is in units of w, in tf2.9 a pure number.
Errors       ValueError for a momentum outside [0, 1] in tf2.4 and *.legacy; the others accept it.
             There, too, an epsilon of 0 or None means 1e-7.

edition    plain              momentum             centered              centered_momentum
tf2.4      outside_2_4        momentum_kernel_2_4  centered_outside_2_4  centered_momentum_kernel_2_4
*.legacy   outside            momentum_kernel      centered_outside      centered_momentum_kernel
tf2.9      outside_ops        momentum_outside     centered_flawed       centered_momentum_flawed
tf2.12     inside_rsqrt       momentum_rsqrt       centered_rsqrt        centered_momentum_rsqrt
tf2.15     inside_rsqrt_2_15  momentum_rsqrt_2_15  centered_rsqrt_2_15   centered_momentum_rsqrt_2_15
keras3     inside             momentum_inside      centered_inside       centered_momentum_inside

outside, inside: where epsilon is added, relative to the square root; the kernels add it inside.
1 - rho is taken in the dtype of w in tf2.4 and *.legacy, elsewhere in float64 and then rounded to the dtype of w.

The rules of sparse gradients:

edition       plain                centered                  momentum                  centered_momentum
tf2.4         outside_scatter_2_4  centered_scatter_2_4      momentum_lazy_2_4         centered_momentum_lazy_2_4
*.legacy      outside_scatter      centered_scatter          momentum_lazy             centered_momentum_lazy
tf2.15.legacy outside_scatter      centered_scatter          momentum_lazy_2_15        centered_momentum_lazy_2_15
tf2.9         outside_rows         flawed_rows               momentum_rows             momentum_flawed_rows
tf2.12        rsqrt_rows           centered_rsqrt_rows       momentum_rsqrt_rows       centered_momentum_rsqrt_rows
tf2.15        rsqrt_rows_2_15      centered_rsqrt_rows_2_15  momentum_rsqrt_rows_2_15  centered_momentum_rsqrt_rows_2_15
keras3        inside_slices        centered_slices           momentum_slices           centered_momentum_slices

The rules inside tf.function, where they are others:

edition   plain       momentum             centered             centered_momentum
tf2.12    graph       momentum_graph       centered_graph       centered_momentum_graph
tf2.15    graph_2_15  momentum_graph_2_15  centered_graph_2_15  centered_momentum_graph_2_15
keras3    graph_2_21  momentum_graph_2_21  centered_graph_2_21  centered_momentum_graph_2_21

The rules of sparse gradients inside tf.function, where they are others:

edition   plain              centered                    momentum                  centered_momentum
tf2.4     scatter_graph_2_4  centered_scatter_graph_2_4  -                         -
*.legacy  scatter_graph      centered_scatter_graph      -                         -
tf2.12    rows_graph         centered_rows_graph         momentum_rows_graph       centered_momentum_rows_graph
tf2.15    rows_graph_2_15    centered_rows_graph_2_15    momentum_rows_graph_2_15  centered_momentum_rows_graph_2_15

Duplicate rows are summed in tf2.4, *.legacy, tf2.12 and tf2.15; in tf2.9 and keras3 each is squared by itself.
Rows without a gradient stand still where there is no momentum; in tf2.4 and *.legacy with momentum, too.
"""

from __future__ import annotations

from ..bits import cast, negated_2_9, rsqrt, rsqrt_2_4, rsqrt_2_15, sqrt, sqrt_2_4
from ..slices import added, by_row, dense, divided, gathered, replaced, summed


def outside_2_4(w, g, v, *, learning_rate, rho, epsilon):
    """TF 2.4's RMSprop, one tensor operation after the other."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + (1 - rho) * (g * g)
    w = w - lr * g / (sqrt_2_4(v) + epsilon)
    return w, v


def centered_outside_2_4(w, g, v, a, *, learning_rate, rho, epsilon):
    """TF 2.4's RMSprop with centered=True, one tensor operation after the other."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + (1 - rho) * (g * g)
    a = rho * a + (1 - rho) * g
    w = w - lr * g / (sqrt_2_4(v - a * a) + epsilon)
    return w, v, a


def momentum_kernel_2_4(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """TF 2.4's fused CPU kernel ResourceApplyRMSProp."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = v + (g * g - v) * (1 - rho)
    m = m * momentum + (g * lr) / sqrt_2_4(v + epsilon)
    w = w - m
    return w, v, m


def centered_momentum_kernel_2_4(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """TF 2.4's fused CPU kernel ResourceApplyCenteredRMSProp."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = v + (g * g - v) * (1 - rho)
    a = a + (g - a) * (1 - rho)
    m = m * momentum + (g * lr) / sqrt_2_4(v - a * a + epsilon)
    w = w - m
    return w, v, m, a


def outside(w, g, v, *, learning_rate, rho, epsilon):
    """OptimizerV2 RMSprop, one tensor operation after the other."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + (1 - rho) * (g * g)
    w = w - lr * g / (sqrt(v) + epsilon)
    return w, v


def centered_outside(w, g, v, a, *, learning_rate, rho, epsilon):
    """OptimizerV2 RMSprop with centered=True, one tensor operation after the other."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + (1 - rho) * (g * g)
    a = rho * a + (1 - rho) * g
    w = w - lr * g / (sqrt(v - a * a) + epsilon)
    return w, v, a


def momentum_kernel(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """TF's fused CPU kernel ResourceApplyRMSProp."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = v + (g * g - v) * (1 - rho)
    m = m * momentum + (g * lr) / sqrt(v + epsilon)
    w = w - m
    return w, v, m


def centered_momentum_kernel(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """TF's fused CPU kernel ResourceApplyCenteredRMSProp."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = v + (g * g - v) * (1 - rho)
    a = a + (g - a) * (1 - rho)
    m = m * momentum + (g * lr) / sqrt(v - a * a + epsilon)
    w = w - m
    return w, v, m, a


def outside_ops(w, g, v, *, learning_rate, rho, epsilon):
    """TF 2.9's experimental RMSprop: the learning rate multiplies the quotient."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * (g / (sqrt(v) + epsilon))
    return w, v


def momentum_outside(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """TF 2.9's experimental RMSprop with momentum: m holds no learning rate."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + g / (sqrt(v) + epsilon)
    w = w - lr * m
    return w, v, m


def centered_flawed(w, g, v, a, *, learning_rate, rho, epsilon):
    """TF 2.9's experimental RMSprop, centered: a averages g*g instead of g, and v loses a*a for good."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * (g * g)
    v = v - a * a
    w = w - lr * (g / (sqrt(v) + epsilon))
    return w, v, a


def centered_momentum_flawed(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """TF 2.9's experimental RMSprop, centered and with momentum: the flaws of both."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * (g * g)
    v = v - a * a
    m = momentum * m + g / (sqrt(v) + epsilon)
    w = w - lr * m
    return w, v, m, a


def inside_rsqrt(w, g, v, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.12: times the reciprocal square root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * g * rsqrt(v + epsilon)
    return w, v


def momentum_rsqrt(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.12 with momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * g * rsqrt(v + epsilon)
    w = w - m
    return w, v, m


def centered_rsqrt(w, g, v, a, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.12 with centered=True."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * g * rsqrt(v - a * a + epsilon)
    return w, v, a


def centered_momentum_rsqrt(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.12 with centered=True and momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * g * rsqrt(v - a * a + epsilon)
    w = w - m
    return w, v, m, a


def inside_rsqrt_2_15(w, g, v, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.15: its own reciprocal square root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * g * rsqrt_2_15(v + epsilon)
    return w, v


def momentum_rsqrt_2_15(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.15 with momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * g * rsqrt_2_15(v + epsilon)
    w = w - m
    return w, v, m


def centered_rsqrt_2_15(w, g, v, a, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.15 with centered=True."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * g * rsqrt_2_15(v - a * a + epsilon)
    return w, v, a


def centered_momentum_rsqrt_2_15(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.15 with centered=True and momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * g * rsqrt_2_15(v - a * a + epsilon)
    w = w - m
    return w, v, m, a


def inside(w, g, v, *, learning_rate, rho, epsilon):
    """keras 3 RMSprop: divided by the square root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * g / sqrt(v + epsilon)
    return w, v


def momentum_inside(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """keras 3 RMSprop with momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * g / sqrt(v + epsilon)
    w = w - m
    return w, v, m


def centered_inside(w, g, v, a, *, learning_rate, rho, epsilon):
    """keras 3 RMSprop with centered=True."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * g / sqrt(v - a * a + epsilon)
    return w, v, a


def centered_momentum_inside(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """keras 3 RMSprop with centered=True and momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * g / sqrt(v - a * a + epsilon)
    w = w - m
    return w, v, m, a


def graph(w, g, v, *, learning_rate, rho, epsilon):
    """inside_rsqrt inside tf.function: Grappler multiplies the gradient last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * rsqrt(v + epsilon) * g
    return w, v


def centered_graph(w, g, v, a, *, learning_rate, rho, epsilon):
    """centered_rsqrt inside tf.function: Grappler multiplies the gradient last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * rsqrt(v - a * a + epsilon) * g
    return w, v, a


def graph_2_15(w, g, v, *, learning_rate, rho, epsilon):
    """inside_rsqrt_2_15 inside tf.function: Grappler multiplies the gradient last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * rsqrt_2_15(v + epsilon) * g
    return w, v


def centered_graph_2_15(w, g, v, a, *, learning_rate, rho, epsilon):
    """centered_rsqrt_2_15 inside tf.function: Grappler multiplies the gradient last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * rsqrt_2_15(v - a * a + epsilon) * g
    return w, v, a


def graph_2_21(w, g, v, *, learning_rate, rho, epsilon):
    """inside inside tf.function: Grappler multiplies by a reciprocal root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * g * rsqrt_2_15(v + epsilon)
    return w, v


def centered_graph_2_21(w, g, v, a, *, learning_rate, rho, epsilon):
    """centered_inside inside tf.function: Grappler multiplies by a reciprocal root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * g * rsqrt_2_15(v - a * a + epsilon)
    return w, v, a


def momentum_graph(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """momentum_rsqrt inside tf.function: Grappler multiplies the gradient last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * rsqrt(v + epsilon) * g
    w = w - m
    return w, v, m


def centered_momentum_graph(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """centered_momentum_rsqrt inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * rsqrt(v - a * a + epsilon) * g
    w = w - m
    return w, v, m, a


def momentum_graph_2_15(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """momentum_rsqrt_2_15 inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * rsqrt_2_15(v + epsilon) * g
    w = w - m
    return w, v, m


def centered_momentum_graph_2_15(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """centered_momentum_rsqrt_2_15 inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * rsqrt_2_15(v - a * a + epsilon) * g
    w = w - m
    return w, v, m, a


def momentum_graph_2_21(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """momentum_inside inside tf.function: Grappler multiplies by a reciprocal root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * g * rsqrt_2_15(v + epsilon)
    w = w - m
    return w, v, m


def centered_momentum_graph_2_21(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """centered_momentum_inside inside tf.function: Grappler multiplies by a reciprocal root."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * g * rsqrt_2_15(v - a * a + epsilon)
    w = w - m
    return w, v, m, a


def outside_scatter_2_4(w, g, indices, v, *, learning_rate, rho, epsilon):
    """TF 2.4's RMSprop._resource_apply_sparse: the means decay everywhere, but only rows with a gradient move."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * g * (1 - rho))
    w = added(w, indices, -lr * g / (sqrt_2_4(gathered(v, indices)) + epsilon))
    return w, v


def centered_scatter_2_4(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """The same with centered=True."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * g * (1 - rho))
    a = added(a * rho, indices, g * (1 - rho))
    mean = gathered(a, indices)
    w = added(w, indices, -lr * g / (sqrt_2_4(gathered(v, indices) - mean * mean) + epsilon))
    return w, v, a


def outside_scatter(w, g, indices, v, *, learning_rate, rho, epsilon):
    """OptimizerV2's RMSprop._resource_apply_sparse."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * g * (1 - rho))
    w = added(w, indices, -lr * g / (sqrt(gathered(v, indices)) + epsilon))
    return w, v


def centered_scatter(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """The same with centered=True."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * g * (1 - rho))
    a = added(a * rho, indices, g * (1 - rho))
    mean = gathered(a, indices)
    w = added(w, indices, -lr * g / (sqrt(gathered(v, indices) - mean * mean) + epsilon))
    return w, v, a


def scatter_graph_2_4(w, g, indices, v, *, learning_rate, rho, epsilon):
    """outside_scatter_2_4 inside tf.function: Grappler multiplies the gradient by a number before it squares it."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * (1 - rho) * g)
    w = added(w, indices, -lr * g / (sqrt_2_4(gathered(v, indices)) + epsilon))
    return w, v


def centered_scatter_graph_2_4(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """centered_scatter_2_4 inside tf.function."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * (1 - rho) * g)
    a = added(a * rho, indices, g * (1 - rho))
    mean = gathered(a, indices)
    w = added(w, indices, -lr * g / (sqrt_2_4(gathered(v, indices) - mean * mean) + epsilon))
    return w, v, a


def scatter_graph(w, g, indices, v, *, learning_rate, rho, epsilon):
    """outside_scatter inside tf.function."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * (1 - rho) * g)
    w = added(w, indices, -lr * g / (sqrt(gathered(v, indices)) + epsilon))
    return w, v


def centered_scatter_graph(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """centered_scatter inside tf.function."""
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    indices, g = summed(indices, g)
    v = added(v * rho, indices, g * (1 - rho) * g)
    a = added(a * rho, indices, g * (1 - rho))
    mean = gathered(a, indices)
    w = added(w, indices, -lr * g / (sqrt(gathered(v, indices) - mean * mean) + epsilon))
    return w, v, a


def momentum_lazy_2_4(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """TF 2.4's fused CPU kernel ResourceSparseApplyRMSProp: float16 has no packets yet."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    indices, g = summed(indices, g)
    square = gathered(v, indices) * rho + g * g * (1 - rho)
    step = gathered(m, indices) * momentum + by_row(rsqrt_2_4, square + epsilon) * lr * g
    w = added(w, indices, -step)
    return w, replaced(v, indices, square), replaced(m, indices, step)


def centered_momentum_lazy_2_4(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """TF 2.4's fused CPU kernel ResourceSparseApplyCenteredRMSProp."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    indices, g = summed(indices, g)
    square = gathered(v, indices) * rho + g * g * (1 - rho)
    mean = gathered(a, indices) * rho + g * (1 - rho)
    step = gathered(m, indices) * momentum + by_row(rsqrt_2_4, square + epsilon - mean * mean) * lr * g
    w = added(w, indices, -step)
    return w, replaced(v, indices, square), replaced(m, indices, step), replaced(a, indices, mean)


def momentum_lazy(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """TF's fused CPU kernel ResourceSparseApplyRMSProp: row by row, with a reciprocal root."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    indices, g = summed(indices, g)
    square = gathered(v, indices) * rho + g * g * (1 - rho)
    step = gathered(m, indices) * momentum + by_row(rsqrt, square + epsilon) * lr * g
    w = added(w, indices, -step)
    return w, replaced(v, indices, square), replaced(m, indices, step)


def centered_momentum_lazy(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """TF's fused CPU kernel ResourceSparseApplyCenteredRMSProp: epsilon is added before the mean is taken away."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    indices, g = summed(indices, g)
    square = gathered(v, indices) * rho + g * g * (1 - rho)
    mean = gathered(a, indices) * rho + g * (1 - rho)
    step = gathered(m, indices) * momentum + by_row(rsqrt, square + epsilon - mean * mean) * lr * g
    w = added(w, indices, -step)
    return w, replaced(v, indices, square), replaced(m, indices, step), replaced(a, indices, mean)


def momentum_lazy_2_15(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """TF 2.15's fused CPU kernel ResourceSparseApplyRMSProp."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    indices, g = summed(indices, g)
    square = gathered(v, indices) * rho + g * g * (1 - rho)
    step = gathered(m, indices) * momentum + by_row(rsqrt_2_15, square + epsilon) * lr * g
    w = added(w, indices, -step)
    return w, replaced(v, indices, square), replaced(m, indices, step)


def centered_momentum_lazy_2_15(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """TF 2.15's fused CPU kernel ResourceSparseApplyCenteredRMSProp."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    indices, g = summed(indices, g)
    square = gathered(v, indices) * rho + g * g * (1 - rho)
    mean = gathered(a, indices) * rho + g * (1 - rho)
    step = gathered(m, indices) * momentum + by_row(rsqrt_2_15, square + epsilon - mean * mean) * lr * g
    w = added(w, indices, -step)
    return w, replaced(v, indices, square), replaced(m, indices, step), replaced(a, indices, mean)


def outside_rows(w, g, indices, v, *, learning_rate, rho, epsilon):
    """TF 2.9's experimental RMSprop of IndexedSlices."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    w = added(w, indices, -lr * (g / (sqrt(gathered(v, indices)) + epsilon)))
    return w, v


def momentum_rows(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """TF 2.9's experimental RMSprop of IndexedSlices with momentum: all rows move."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    m = added(momentum * m, indices, g / (sqrt(gathered(v, indices)) + epsilon))
    w = w + -lr * m
    return w, v, m


def flawed_rows(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """TF 2.9's experimental RMSprop of IndexedSlices, centered, with the flaws of the dense one."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * g * rest)
    v = v + negated_2_9(a * a)
    w = added(w, indices, -lr * (g / (sqrt(gathered(v, indices)) + epsilon)))
    return w, v, a


def momentum_flawed_rows(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """TF 2.9's experimental RMSprop of IndexedSlices, centered and with momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * g * rest)
    v = v + negated_2_9(a * a)
    m = added(momentum * m, indices, g / (sqrt(gathered(v, indices)) + epsilon))
    w = w + -lr * m
    return w, v, m, a


def rsqrt_rows(w, g, indices, v, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.12 of IndexedSlices."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    w = added(w, indices, -(lr * g * rsqrt(gathered(v + epsilon, indices))))
    return w, v


def centered_rsqrt_rows(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.12 of IndexedSlices with centered=True."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    w = added(w, indices, -(lr * g * rsqrt(gathered(v - a * a + epsilon, indices))))
    return w, v, a


def momentum_rsqrt_rows(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.12 of IndexedSlices with momentum: all rows move."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    m = added(momentum * m, indices, lr * g * rsqrt(gathered(v + epsilon, indices)))
    w = w - m
    return w, v, m


def centered_momentum_rsqrt_rows(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.12 of IndexedSlices with centered=True and momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    m = added(momentum * m, indices, lr * g * rsqrt(gathered(v - a * a + epsilon, indices)))
    w = w - m
    return w, v, m, a


def rsqrt_rows_2_15(w, g, indices, v, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.15 of IndexedSlices."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    w = added(w, indices, -(lr * g * rsqrt_2_15(gathered(v + epsilon, indices))))
    return w, v


def centered_rsqrt_rows_2_15(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """keras RMSprop of 2.15 of IndexedSlices with centered=True."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    w = added(w, indices, -(lr * g * rsqrt_2_15(gathered(v - a * a + epsilon, indices))))
    return w, v, a


def momentum_rsqrt_rows_2_15(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.15 of IndexedSlices with momentum: all rows move."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    m = added(momentum * m, indices, lr * g * rsqrt_2_15(gathered(v + epsilon, indices)))
    w = w - m
    return w, v, m


def centered_momentum_rsqrt_rows_2_15(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """keras RMSprop of 2.15 of IndexedSlices with centered=True and momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    m = added(momentum * m, indices, lr * g * rsqrt_2_15(gathered(v - a * a + epsilon, indices)))
    w = w - m
    return w, v, m, a


def rows_graph(w, g, indices, v, *, learning_rate, rho, epsilon):
    """rsqrt_rows inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    w = added(w, indices, -(lr * rsqrt(gathered(v + epsilon, indices)) * g))
    return w, v


def centered_rows_graph(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """centered_rsqrt_rows inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    w = added(w, indices, -(lr * rsqrt(gathered(v - a * a + epsilon, indices)) * g))
    return w, v, a


def momentum_rows_graph(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """momentum_rsqrt_rows inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    m = added(momentum * m, indices, lr * rsqrt(gathered(v + epsilon, indices)) * g)
    w = w - m
    return w, v, m


def centered_momentum_rows_graph(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """centered_momentum_rsqrt_rows inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    m = added(momentum * m, indices, lr * rsqrt(gathered(v - a * a + epsilon, indices)) * g)
    w = w - m
    return w, v, m, a


def rows_graph_2_15(w, g, indices, v, *, learning_rate, rho, epsilon):
    """rsqrt_rows_2_15 inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    w = added(w, indices, -(lr * rsqrt_2_15(gathered(v + epsilon, indices)) * g))
    return w, v


def centered_rows_graph_2_15(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """centered_rsqrt_rows_2_15 inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    w = added(w, indices, -(lr * rsqrt_2_15(gathered(v - a * a + epsilon, indices)) * g))
    return w, v, a


def momentum_rows_graph_2_15(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """momentum_rsqrt_rows_2_15 inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    m = added(momentum * m, indices, lr * rsqrt_2_15(gathered(v + epsilon, indices)) * g)
    w = w - m
    return w, v, m


def centered_momentum_rows_graph_2_15(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """centered_momentum_rsqrt_rows_2_15 inside tf.function: the gradient is multiplied last."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = added(rho * v, indices, g * g * rest)
    a = added(rho * a, indices, g * rest)
    m = added(momentum * m, indices, lr * rsqrt_2_15(gathered(v - a * a + epsilon, indices)) * g)
    w = w - m
    return w, v, m, a


def inside_slices(w, g, indices, v, *, learning_rate, rho, epsilon):
    """keras 3 RMSprop of IndexedSlices."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + dense(w.shape, indices, rest * (g * g))
    indices, step = divided(indices, lr * g, sqrt(v + epsilon))
    w = added(w, indices, -step)
    return w, v


def centered_slices(w, g, indices, v, a, *, learning_rate, rho, epsilon):
    """keras 3 RMSprop of IndexedSlices with centered=True."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + dense(w.shape, indices, rest * (g * g))
    a = rho * a + dense(w.shape, indices, rest * g)
    indices, step = divided(indices, lr * g, sqrt(v - a * a + epsilon))
    w = added(w, indices, -step)
    return w, v, a


def momentum_slices(w, g, indices, v, m, *, learning_rate, rho, momentum, epsilon):
    """keras 3 RMSprop of IndexedSlices with momentum: all rows move."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + dense(w.shape, indices, rest * (g * g))
    indices, step = divided(indices, lr * g, sqrt(v + epsilon))
    m = momentum * m + dense(w.shape, indices, step)
    w = w - m
    return w, v, m


def centered_momentum_slices(w, g, indices, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """keras 3 RMSprop of IndexedSlices with centered=True and momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + dense(w.shape, indices, rest * (g * g))
    a = rho * a + dense(w.shape, indices, rest * g)
    indices, step = divided(indices, lr * g, sqrt(v - a * a + epsilon))
    m = momentum * m + dense(w.shape, indices, step)
    w = w - m
    return w, v, m, a


LEGACY_2_4 = {
    "plain": outside_2_4,
    "momentum": momentum_kernel_2_4,
    "centered": centered_outside_2_4,
    "centered_momentum": centered_momentum_kernel_2_4,
}
LEGACY = {
    "plain": outside,
    "momentum": momentum_kernel,
    "centered": centered_outside,
    "centered_momentum": centered_momentum_kernel,
}
FLAWED = {
    "plain": outside_ops,
    "momentum": momentum_outside,
    "centered": centered_flawed,
    "centered_momentum": centered_momentum_flawed,
}
RSQRT = {
    "plain": inside_rsqrt,
    "momentum": momentum_rsqrt,
    "centered": centered_rsqrt,
    "centered_momentum": centered_momentum_rsqrt,
}
RSQRT_2_15 = {
    "plain": inside_rsqrt_2_15,
    "momentum": momentum_rsqrt_2_15,
    "centered": centered_rsqrt_2_15,
    "centered_momentum": centered_momentum_rsqrt_2_15,
}
INSIDE = {
    "plain": inside,
    "momentum": momentum_inside,
    "centered": centered_inside,
    "centered_momentum": centered_momentum_inside,
}

RULES = {
    "tf2.4": LEGACY_2_4,
    "tf2.9.legacy": LEGACY,
    "tf2.12.legacy": LEGACY,
    "tf2.15.legacy": LEGACY,
    "tf2.9": FLAWED,
    "tf2.12": RSQRT,
    "tf2.15": RSQRT_2_15,
    "keras3": INSIDE,
}

LAZY_2_4 = {
    "plain": outside_scatter_2_4,
    "momentum": momentum_lazy_2_4,
    "centered": centered_scatter_2_4,
    "centered_momentum": centered_momentum_lazy_2_4,
}
LAZY = {
    "plain": outside_scatter,
    "momentum": momentum_lazy,
    "centered": centered_scatter,
    "centered_momentum": centered_momentum_lazy,
}
LAZY_2_15 = {**LAZY, "momentum": momentum_lazy_2_15, "centered_momentum": centered_momentum_lazy_2_15}
FLAWED_ROWS = {
    "plain": outside_rows,
    "momentum": momentum_rows,
    "centered": flawed_rows,
    "centered_momentum": momentum_flawed_rows,
}
RSQRT_ROWS = {
    "plain": rsqrt_rows,
    "momentum": momentum_rsqrt_rows,
    "centered": centered_rsqrt_rows,
    "centered_momentum": centered_momentum_rsqrt_rows,
}
RSQRT_ROWS_2_15 = {
    "plain": rsqrt_rows_2_15,
    "momentum": momentum_rsqrt_rows_2_15,
    "centered": centered_rsqrt_rows_2_15,
    "centered_momentum": centered_momentum_rsqrt_rows_2_15,
}
SLICES = {
    "plain": inside_slices,
    "momentum": momentum_slices,
    "centered": centered_slices,
    "centered_momentum": centered_momentum_slices,
}

SPARSE = {
    "tf2.4": LAZY_2_4,
    "tf2.9.legacy": LAZY,
    "tf2.12.legacy": LAZY,
    "tf2.15.legacy": LAZY_2_15,
    "tf2.9": FLAWED_ROWS,
    "tf2.12": RSQRT_ROWS,
    "tf2.15": RSQRT_ROWS_2_15,
    "keras3": SLICES,
}

GRAPH = {
    "tf2.12": {
        "plain": graph,
        "momentum": momentum_graph,
        "centered": centered_graph,
        "centered_momentum": centered_momentum_graph,
    },
    "tf2.15": {
        "plain": graph_2_15,
        "momentum": momentum_graph_2_15,
        "centered": centered_graph_2_15,
        "centered_momentum": centered_momentum_graph_2_15,
    },
    "keras3": {
        "plain": graph_2_21,
        "momentum": momentum_graph_2_21,
        "centered": centered_graph_2_21,
        "centered_momentum": centered_momentum_graph_2_21,
    },
}

SCATTER_GRAPH = {"plain": scatter_graph, "centered": centered_scatter_graph}

GRAPH_SPARSE = {
    "tf2.4": {"plain": scatter_graph_2_4, "centered": centered_scatter_graph_2_4},
    "tf2.9.legacy": SCATTER_GRAPH,
    "tf2.12.legacy": SCATTER_GRAPH,
    "tf2.15.legacy": SCATTER_GRAPH,
    "tf2.12": {
        "plain": rows_graph,
        "momentum": momentum_rows_graph,
        "centered": centered_rows_graph,
        "centered_momentum": centered_momentum_rows_graph,
    },
    "tf2.15": {
        "plain": rows_graph_2_15,
        "momentum": momentum_rows_graph_2_15,
        "centered": centered_rows_graph_2_15,
        "centered_momentum": centered_momentum_rows_graph_2_15,
    },
}
