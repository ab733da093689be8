"""FTRL: the weights that would have been best for all gradients so far, each computed anew from their sum.

Source       McMahan et al. 2013, "Ad Click Prediction: a View from the Trenches", algorithm 1, with the exponent free.
State        accumulator: dtype and shape of w, starts at initial_accumulator_value; linear: the same, starts at 0.
Units        l1_regularization_strength and beta are in units of g; l2_regularization_strength and
             l2_shrinkage_regularization_strength in units of g per unit of w.
Constraints  A learning_rate_power above 0, and any of the strengths or initial_accumulator_value below 0: ValueError.

edition           without shrinkage  with shrinkage         power -0.5 is  a NaN in linear
tf2.4             ftrl_kernel_2_4    ftrl_kernel_scaled     a square root  makes w 0
*.legacy          ftrl_kernel        ftrl_kernel_shrinkage  a square root  makes w 0
tf2.9 ... keras3  ftrl_ops           ftrl_ops               a pow          makes w NaN
"""

from __future__ import annotations

import numpy as np

from ..bits import cast, cast_tensor, maximum, minimum, powers, root, root_2_4, sign


def ftrl_kernel_2_4(
    w,
    g,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    beta,
):
    """TF 2.4's fused CPU kernel ResourceApplyFtrl: the root for linear is taken in packets, that for w is not."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root_2_4(accumulator, p), root_2_4(accumulator + g * g, p)
    linear = linear + (g - (after - before) / lr * w)
    after = root(accumulator + g * g, p)
    w = np.where(abs(linear) > l1, (l1 * sign(linear) - linear) / (after / lr + 2 * l2), w.dtype.type(0))
    return w, accumulator + g * g, linear


def ftrl_kernel(
    w,
    g,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    beta,
):
    """TF's fused CPU kernel ResourceApplyFtrl."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root(accumulator, p), root(accumulator + g * g, p)
    linear = linear + (g - (after - before) / lr * w)
    w = np.where(abs(linear) > l1, (l1 * sign(linear) - linear) / (after / lr + 2 * l2), w.dtype.type(0))
    return w, accumulator + g * g, linear


def ftrl_kernel_shrinkage(
    w,
    g,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    l2_shrinkage_regularization_strength,
    beta,
):
    """TF's fused CPU kernel ResourceApplyFtrlV2."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root(accumulator, p), root(accumulator + g * g, p)
    linear = linear + (g + 2 * shrinkage * w - (after - before) / lr * w)
    w = np.where(abs(linear) > l1, (l1 * sign(linear) - linear) / (after / lr + 2 * l2), w.dtype.type(0))
    return w, accumulator + g * g, linear


def ftrl_kernel_scaled(
    w,
    g,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    l2_shrinkage_regularization_strength,
    beta,
):
    """ResourceApplyFtrlV2 of TF 2.4, whose linear is learning_rate times that of the others."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root_2_4(accumulator, p), root_2_4(accumulator + g * g, p)
    linear = linear + ((g + 2 * shrinkage * w) * lr - (after - before) * w)
    after = root(accumulator + g * g, p)
    w = np.where(abs(linear) > l1 * lr, (l1 * lr * sign(linear) - linear) / (after + 2 * l2 * lr), w.dtype.type(0))
    return w, accumulator + g * g, linear


def ftrl_ops(
    w,
    g,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    l2_shrinkage_regularization_strength,
    beta,
):
    """keras Ftrl.update_step, one tensor operation after the other."""
    lr, l1, l2, beta = cast(w.dtype, learning_rate, l1_regularization_strength, l2_regularization_strength, beta)
    power, shrinkage = cast(w.dtype, learning_rate_power, 2 * l2_shrinkage_regularization_strength)
    before, after = powers(accumulator, -power), powers(accumulator + g * g, -power)
    linear = linear + (g + shrinkage * w - (after - before) / lr * w)
    quadratic = after / lr + 2 * (l2 + beta / (2 * lr))
    w = (maximum(minimum(linear, l1), -l1) - linear) / quadratic
    return w, accumulator + g * g, linear


def with_any_power(plain, shrinkage):
    """The variants of an edition; those called power have a learning_rate_power other than -0.5."""
    return {"plain": plain, "power": plain, "shrinkage": shrinkage, "shrinkage_power": shrinkage}


KERNEL = with_any_power(ftrl_kernel, ftrl_kernel_shrinkage)
OPS = with_any_power(ftrl_ops, ftrl_ops)

RULES = {
    "tf2.4": with_any_power(ftrl_kernel_2_4, ftrl_kernel_scaled),
    "tf2.9.legacy": KERNEL,
    "tf2.12.legacy": KERNEL,
    "tf2.15.legacy": KERNEL,
    "tf2.9": OPS,
    "tf2.12": OPS,
    "tf2.15": OPS,
    "keras3": OPS,
}
