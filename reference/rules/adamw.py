"""AdamW: Adam whose weights also decay, apart from the gradient.

Source       Loshchilov & Hutter 2017, arXiv:1711.05101, without its schedule multiplier; the Adam part as in adam.py.
State        m, v, and vhat with amsgrad: dtype and shape of w, start at 0.  t is 1 on the first update.
Units        learning_rate is in units of w per step; epsilon in units of g; the betas are pure numbers;
             weight_decay times learning_rate is the fraction of w that a step takes away.
Constraints  weight_decay=None is a ValueError: AdamW needs a number.

edition               plain       amsgrad         the weights decay
tf2.9                 adamw_ops   amsgradw_ops    inside the rule, by all but lr * weight_decay (as shipped: E-008)
tf2.12, 2.15, keras3  adam_ops    amsgrad_ops     before the rule, in the pipeline

edition, sparse   plain        amsgrad         duplicate rows
tf2.9             adamw_rows   amsgradw_rows   squared each
tf2.12, tf2.15    adam_rows    amsgrad_rows    summed in the pipeline
keras3            adam_slices  amsgrad_slices  squared each, then summed
"""

from __future__ import annotations

from ..bits import cast, cast_tensor, maximum, power, sqrt
from ..slices import added
from .adam import OPS, ROWS, SLICES


def adamw_ops(w, g, m, v, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon):
    """AdamW.update_step of TF 2.9: it keeps the part of w that it means to take away."""
    lr, t, epsilon = cast(w.dtype, learning_rate, t, epsilon)
    b1, b2, decay = cast_tensor(w.dtype, beta_1, beta_2, weight_decay)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    w = w - w * (1 - lr * decay) if weight_decay != 0 else w
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def amsgradw_ops(w, g, m, v, vhat, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon):
    """AdamW.update_step of TF 2.9 with amsgrad=True."""
    lr, t, epsilon = cast(w.dtype, learning_rate, t, epsilon)
    b1, b2, decay = cast_tensor(w.dtype, beta_1, beta_2, weight_decay)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    w = w - w * (1 - lr * decay) if weight_decay != 0 else w
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    vhat = maximum(vhat, v)
    w = w - (m * alpha) / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


def adamw_rows(w, g, indices, m, v, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon):
    """AdamW.update_step of IndexedSlices of TF 2.9."""
    lr, t, epsilon = cast(w.dtype, learning_rate, t, epsilon)
    b1, b2, decay = cast_tensor(w.dtype, beta_1, beta_2, weight_decay)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    w = w - w * (1 - lr * decay) if weight_decay != 0 else w
    m = added(m + -m * rest_1, indices, g * rest_1)
    v = added(v + -v * rest_2, indices, g * g * rest_2)
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def amsgradw_rows(w, g, indices, m, v, vhat, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon):
    """AdamW.update_step of IndexedSlices of TF 2.9 with amsgrad=True."""
    lr, t, epsilon = cast(w.dtype, learning_rate, t, epsilon)
    b1, b2, decay = cast_tensor(w.dtype, beta_1, beta_2, weight_decay)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    w = w - w * (1 - lr * decay) if weight_decay != 0 else w
    m = added(m + -m * rest_1, indices, g * rest_1)
    v = added(v + -v * rest_2, indices, g * g * rest_2)
    vhat = maximum(vhat, v)
    w = w - (m * alpha) / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


RULES = {
    "tf2.9": {"plain": adamw_ops, "amsgrad": amsgradw_ops},
    "tf2.12": OPS,
    "tf2.15": OPS,
    "keras3": OPS,
}

SPARSE = {
    "tf2.9": {"plain": adamw_rows, "amsgrad": amsgradw_rows},
    "tf2.12": ROWS,
    "tf2.15": ROWS,
    "keras3": SLICES,
}
