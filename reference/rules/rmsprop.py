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
"""

from __future__ import annotations

from ..bits import cast, rsqrt, rsqrt_2_15, sqrt, sqrt_2_4


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
