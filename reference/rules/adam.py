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
"""

from __future__ import annotations

from ..bits import cast, cast_tensor, larger, maximum, power, sqrt, sqrt_2_4


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
