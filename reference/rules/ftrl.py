"""FTRL: the weights that would have been best for all gradients so far, each computed anew from their sum.

Source       McMahan et al. 2013, "Ad Click Prediction: a View from the Trenches", algorithm 1, with the exponent free.
State        accumulator: dtype and shape of w, starts at initial_accumulator_value; linear: the same, starts at 0.
Units        l1_regularization_strength and beta are in units of g; l2_regularization_strength and
             l2_shrinkage_regularization_strength in units of g per unit of w.
Constraints  A learning_rate_power above 0, and any of the strengths or initial_accumulator_value below 0: ValueError.

edition                       without shrinkage  with shrinkage             powers                   a NaN in linear
tf2.4                         ftrl_kernel_2_4    ftrl_kernel_scaled         the C library's          makes w 0
tf2.9.legacy                  ftrl_kernel_2_9    ftrl_kernel_shrinkage_2_9  Eigen's, for w C's       makes w 0
tf2.12.legacy, tf2.15.legacy  ftrl_kernel        ftrl_kernel_shrinkage      Eigen's, x * x for 2     makes w 0
tf2.9, tf2.12, tf2.15         ftrl_ops           ftrl_ops                   Eigen's, of g, too       makes w NaN
keras3                        ftrl_ops_2_21      ftrl_ops_2_21              Eigen's of TF 2.21       makes w NaN

Where learning_rate_power is -0.5 the kernels take a square root, and ftrl_kernel and ftrl_kernel_shrinkage serve
tf2.9.legacy as well.  Eigen's packets and the C library's pow differ in the last bits: see eigen_pow.

edition, sparse               without shrinkage  with shrinkage           duplicate rows
tf2.4                         ftrl_lazy_2_4      ftrl_lazy_shrinkage_2_4  summed
tf2.9.legacy                  ftrl_lazy_2_9      ftrl_lazy_shrinkage_2_9  summed
tf2.12.legacy, tf2.15.legacy  ftrl_lazy          ftrl_lazy_shrinkage      summed
tf2.9, tf2.12, tf2.15         as dense           as dense                 summed
keras3                        ftrl_slices        ftrl_slices              squared each, then summed

edition, graph                learning_rate_power=-0.5  others
tf2.9, tf2.12, tf2.15         ftrl_graph                ftrl_graph_power
keras3                        ftrl_graph                as outside

The sparse kernels leave the other rows alone.  They never scale linear by the learning rate, not even in tf2.4.
"""

from __future__ import annotations

import numpy as np

from ..bits import cast, cast_tensor, larger, minimum, powers, root, root_2_4, sign, sqrt
from ..eigen_pow import pow_2_9, pow_2_21, root_2_9, root_2_12
from ..errors import InvalidArgumentError
from ..slices import by_row, dense, gathered, replaced, summed


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


def ftrl_kernel_2_9(
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
    """TF 2.9's fused CPU kernel ResourceApplyFtrl: the power for linear is taken in packets, that for w is not."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root_2_9(accumulator, p), root_2_9(accumulator + g * g, p)
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
    """The same kernel of TF 2.12 and 2.15."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root_2_12(accumulator, p), root_2_12(accumulator + g * g, p)
    linear = linear + (g - (after - before) / lr * w)
    w = np.where(abs(linear) > l1, (l1 * sign(linear) - linear) / (after / lr + 2 * l2), w.dtype.type(0))
    return w, accumulator + g * g, linear


def ftrl_kernel_shrinkage_2_9(
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
    """TF 2.9's fused CPU kernel ResourceApplyFtrlV2."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root_2_9(accumulator, p), root_2_9(accumulator + g * g, p)
    linear = linear + (g + 2 * shrinkage * w - (after - before) / lr * w)
    after = root(accumulator + g * g, p)
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
    """The same kernel of TF 2.12 and 2.15."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root_2_12(accumulator, p), root_2_12(accumulator + g * g, p)
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
    """keras 2 Ftrl.update_step, one tensor operation after the other; the square of g is a power, too."""
    lr, l1, l2, beta = cast(w.dtype, learning_rate, l1_regularization_strength, l2_regularization_strength, beta)
    power, shrinkage = cast(w.dtype, learning_rate_power, 2 * l2_shrinkage_regularization_strength)
    new = accumulator + pow_2_9(g, w.dtype.type(2))
    before, after = pow_2_9(accumulator, -power), pow_2_9(new, -power)
    linear = linear + (g + shrinkage * w - (after - before) / lr * w)
    quadratic = after / lr + 2 * (l2 + beta / (2 * lr))
    w = (larger(minimum(linear, l1), -l1) - linear) / quadratic
    return w, new, linear


def ftrl_ops_2_21(
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
    """keras 3 Ftrl.update_step, one tensor operation after the other."""
    lr, l1, l2, beta = cast(w.dtype, learning_rate, l1_regularization_strength, l2_regularization_strength, beta)
    power, shrinkage = cast(w.dtype, learning_rate_power, 2 * l2_shrinkage_regularization_strength)
    before, after = pow_2_21(accumulator, -power), pow_2_21(accumulator + g * g, -power)
    linear = linear + (g + shrinkage * w - (after - before) / lr * w)
    quadratic = after / lr + 2 * (l2 + beta / (2 * lr))
    w = (larger(minimum(linear, l1), -l1) - linear) / quadratic
    return w, accumulator + g * g, linear


def summed_by_kernel(linear, g, old, new, row, p, lr, power):
    """Rows of linear, and the powers of `new`, as the sparse kernels take them.

    Where a row is one number, g is added first, and the powers in the sum are the C library's, also the roots.
    InvalidArgumentError for a learning rate that is not positive, which no dense kernel minds.
    """
    if not lr > 0:
        raise InvalidArgumentError(f"lr is not a positive scalar: {lr}")
    if linear.size == len(linear):
        return linear + g - (powers(new, p) - powers(old, p)) / lr * row, root(new, p)
    before, after = by_row(power, old, p), by_row(power, new, p)
    return linear + (g - (after - before) / lr * row), after


def ftrl_graph(
    w,
    g,
    accumulator,
    linear,
    *,
    learning_rate,
    l1_regularization_strength,
    l2_regularization_strength,
    l2_shrinkage_regularization_strength,
    beta,
):
    """Ftrl.update_step inside tf.function: Grappler takes a root for the power 1/2, and a product for 2."""
    lr, l1, l2, beta = cast(w.dtype, learning_rate, l1_regularization_strength, l2_regularization_strength, beta)
    shrinkage = w.dtype.type(2 * l2_shrinkage_regularization_strength)
    before, after = sqrt(accumulator), sqrt(accumulator + g * g)
    linear = linear + (g + shrinkage * w - (after - before) / lr * w)
    quadratic = after / lr + 2 * (l2 + beta / (2 * lr))
    w = (larger(minimum(linear, l1), -l1) - linear) / quadratic
    return w, accumulator + g * g, linear


def ftrl_graph_power(
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
    """keras 2 Ftrl.update_step inside tf.function: of its powers only the square of g has become a product."""
    lr, l1, l2, beta = cast(w.dtype, learning_rate, l1_regularization_strength, l2_regularization_strength, beta)
    power, shrinkage = cast(w.dtype, learning_rate_power, 2 * l2_shrinkage_regularization_strength)
    before, after = pow_2_9(accumulator, -power), pow_2_9(accumulator + g * g, -power)
    linear = linear + (g + shrinkage * w - (after - before) / lr * w)
    quadratic = after / lr + 2 * (l2 + beta / (2 * lr))
    w = (larger(minimum(linear, l1), -l1) - linear) / quadratic
    return w, accumulator + g * g, linear


def ftrl_lazy_2_4(
    w,
    g,
    indices,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    beta,
):
    """TF 2.4's fused CPU kernel ResourceSparseApplyFtrl: row by row."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    indices, g = summed(indices, g)
    row, old, total = gathered(w, indices), gathered(accumulator, indices), gathered(linear, indices)
    new = old + g * g
    total, after = summed_by_kernel(total, g, old, new, row, p, lr, root_2_4)
    row = (larger(minimum(total, l1), -l1) - total) / (after / lr + 2 * l2)
    return replaced(w, indices, row), replaced(accumulator, indices, new), replaced(linear, indices, total)


def ftrl_lazy_shrinkage_2_4(
    w,
    g,
    indices,
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
    """TF 2.4's fused CPU kernel ResourceSparseApplyFtrlV2."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    indices, g = summed(indices, g)
    row, old, total = gathered(w, indices), gathered(accumulator, indices), gathered(linear, indices)
    new = old + g * g
    total, after = summed_by_kernel(total, g + 2 * shrinkage * row, old, new, row, p, lr, root_2_4)
    row = (larger(minimum(total, l1), -l1) - total) / (after / lr + 2 * l2)
    return replaced(w, indices, row), replaced(accumulator, indices, new), replaced(linear, indices, total)


def ftrl_lazy_2_9(
    w,
    g,
    indices,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    beta,
):
    """TF 2.9's fused CPU kernel ResourceSparseApplyFtrl: row by row."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    indices, g = summed(indices, g)
    row, old, total = gathered(w, indices), gathered(accumulator, indices), gathered(linear, indices)
    new = old + g * g
    total, after = summed_by_kernel(total, g, old, new, row, p, lr, root_2_9)
    row = (larger(minimum(total, l1), -l1) - total) / (after / lr + 2 * l2)
    return replaced(w, indices, row), replaced(accumulator, indices, new), replaced(linear, indices, total)


def ftrl_lazy_shrinkage_2_9(
    w,
    g,
    indices,
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
    """TF 2.9's fused CPU kernel ResourceSparseApplyFtrlV2."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    indices, g = summed(indices, g)
    row, old, total = gathered(w, indices), gathered(accumulator, indices), gathered(linear, indices)
    new = old + g * g
    total, after = summed_by_kernel(total, g + 2 * shrinkage * row, old, new, row, p, lr, root_2_9)
    row = (larger(minimum(total, l1), -l1) - total) / (after / lr + 2 * l2)
    return replaced(w, indices, row), replaced(accumulator, indices, new), replaced(linear, indices, total)


def ftrl_lazy(
    w,
    g,
    indices,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    beta,
):
    """TF 2.12's fused CPU kernel ResourceSparseApplyFtrl: row by row."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    indices, g = summed(indices, g)
    row, old, total = gathered(w, indices), gathered(accumulator, indices), gathered(linear, indices)
    new = old + g * g
    total, after = summed_by_kernel(total, g, old, new, row, p, lr, root_2_12)
    row = (larger(minimum(total, l1), -l1) - total) / (after / lr + 2 * l2)
    return replaced(w, indices, row), replaced(accumulator, indices, new), replaced(linear, indices, total)


def ftrl_lazy_shrinkage(
    w,
    g,
    indices,
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
    """TF 2.12's fused CPU kernel ResourceSparseApplyFtrlV2."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    indices, g = summed(indices, g)
    row, old, total = gathered(w, indices), gathered(accumulator, indices), gathered(linear, indices)
    new = old + g * g
    total, after = summed_by_kernel(total, g + 2 * shrinkage * row, old, new, row, p, lr, root_2_12)
    row = (larger(minimum(total, l1), -l1) - total) / (after / lr + 2 * l2)
    return replaced(w, indices, row), replaced(accumulator, indices, new), replaced(linear, indices, total)


def ftrl_slices(
    w,
    g,
    indices,
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
    """keras 3 Ftrl.update_step of IndexedSlices, which are summed after they are squared."""
    lr, l1, l2, beta = cast(w.dtype, learning_rate, l1_regularization_strength, l2_regularization_strength, beta)
    power, shrinkage = cast(w.dtype, learning_rate_power, 2 * l2_shrinkage_regularization_strength)
    new = accumulator + dense(w.shape, indices, g * g)
    before, after = pow_2_21(accumulator, -power), pow_2_21(new, -power)
    linear = linear + (dense(w.shape, indices, g) + shrinkage * w - (after - before) / lr * w)
    quadratic = after / lr + 2 * (l2 + beta / (2 * lr))
    w = (larger(minimum(linear, l1), -l1) - linear) / quadratic
    return w, new, linear


# The variants called power have a learning_rate_power other than -0.5.
KERNEL_2_4 = {
    "plain": ftrl_kernel_2_4,
    "power": ftrl_kernel_2_4,
    "shrinkage": ftrl_kernel_scaled,
    "shrinkage_power": ftrl_kernel_scaled,
}
KERNEL = {
    "plain": ftrl_kernel,
    "power": ftrl_kernel,
    "shrinkage": ftrl_kernel_shrinkage,
    "shrinkage_power": ftrl_kernel_shrinkage,
}
KERNEL_2_9 = {**KERNEL, "power": ftrl_kernel_2_9, "shrinkage_power": ftrl_kernel_shrinkage_2_9}
OPS = dict.fromkeys(("plain", "power", "shrinkage", "shrinkage_power"), ftrl_ops)
OPS_2_21 = dict.fromkeys(("plain", "power", "shrinkage", "shrinkage_power"), ftrl_ops_2_21)

RULES = {
    "tf2.4": KERNEL_2_4,
    "tf2.9.legacy": KERNEL_2_9,
    "tf2.12.legacy": KERNEL,
    "tf2.15.legacy": KERNEL,
    "tf2.9": OPS,
    "tf2.12": OPS,
    "tf2.15": OPS,
    "keras3": OPS_2_21,
}

LAZY_2_4 = {
    "plain": ftrl_lazy_2_4,
    "power": ftrl_lazy_2_4,
    "shrinkage": ftrl_lazy_shrinkage_2_4,
    "shrinkage_power": ftrl_lazy_shrinkage_2_4,
}
LAZY = {
    "plain": ftrl_lazy,
    "power": ftrl_lazy,
    "shrinkage": ftrl_lazy_shrinkage,
    "shrinkage_power": ftrl_lazy_shrinkage,
}
LAZY_2_9 = {**LAZY, "power": ftrl_lazy_2_9, "shrinkage_power": ftrl_lazy_shrinkage_2_9}

SPARSE = {
    "tf2.4": LAZY_2_4,
    "tf2.9.legacy": LAZY_2_9,
    "tf2.12.legacy": LAZY,
    "tf2.15.legacy": LAZY,
    "keras3": dict.fromkeys(("plain", "power", "shrinkage", "shrinkage_power"), ftrl_slices),
}

ROOTS = {"plain": ftrl_graph, "shrinkage": ftrl_graph}
ROOTS_AND_POWERS = {**ROOTS, "power": ftrl_graph_power, "shrinkage_power": ftrl_graph_power}

GRAPH = {"tf2.9": ROOTS_AND_POWERS, "tf2.12": ROOTS_AND_POWERS, "tf2.15": ROOTS_AND_POWERS, "keras3": ROOTS}
