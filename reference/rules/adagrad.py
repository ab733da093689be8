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
"""

from __future__ import annotations

from ..bits import cast, sqrt, sqrt_2_4


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
