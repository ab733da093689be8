"""Lamb: Adam's step, scaled by the ratio of the norm of the weights to its own norm.

Source       You et al. 2019, arXiv:1904.00962, algorithm 2, with phi(z) = z and no weight decay within the ratio.
State        m, v: dtype and shape of w, start at 0.  t is 1 on the first update.
Units        learning_rate is a pure number: the norm of a step, over the norm of w.
             epsilon is in units of g; the betas are pure.
Constraints  the ratio is 1 where a norm is 0 or NaN.

edition   dense   sparse        graph        sparse, graph       the squares within the norms
keras3    lamb    lamb_slices   lamb_graph   lamb_slices_graph   Eigen's powers of TF 2.21, not w * w; in graphs w * w
"""

from __future__ import annotations

from ..bits import cast, cast_tensor, power, sqrt, total
from ..eigen_pow import pow_2_21
from ..slices import dense


def lamb(w, g, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Lamb.update_step, one tensor operation after the other."""
    lr, t, epsilon, one, two = cast(w.dtype, learning_rate, t, epsilon, 1, 2)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    update = m / (1 - power(b1, t)) / (sqrt(v / (1 - power(b2, t))) + epsilon)
    norm_w, norm_update = sqrt(total(pow_2_21(w, two))), sqrt(total(pow_2_21(update, two)))
    ratio = norm_w / norm_update if norm_w > 0 and norm_update > 0 else one
    w = w - ratio * lr * update
    return w, m, v


def lamb_graph(w, g, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """lamb inside tf.function: Grappler takes a product for the power 2."""
    lr, t, epsilon, one = cast(w.dtype, learning_rate, t, epsilon, 1)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    update = m / (1 - power(b1, t)) / (sqrt(v / (1 - power(b2, t))) + epsilon)
    norm_w, norm_update = sqrt(total(w * w)), sqrt(total(update * update))
    ratio = norm_w / norm_update if norm_w > 0 and norm_update > 0 else one
    w = w - ratio * lr * update
    return w, m, v


def lamb_slices(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Lamb.update_step of IndexedSlices, which are summed after they are squared."""
    lr, t, epsilon, one, two = cast(w.dtype, learning_rate, t, epsilon, 1, 2)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    m = m + (dense(w.shape, indices, g) - m) * rest_1
    v = v + (dense(w.shape, indices, g * g) - v) * rest_2
    update = m / (1 - power(b1, t)) / (sqrt(v / (1 - power(b2, t))) + epsilon)
    norm_w, norm_update = sqrt(total(pow_2_21(w, two))), sqrt(total(pow_2_21(update, two)))
    ratio = norm_w / norm_update if norm_w > 0 and norm_update > 0 else one
    w = w - ratio * lr * update
    return w, m, v


def lamb_slices_graph(w, g, indices, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):
    """lamb_slices inside tf.function."""
    lr, t, epsilon, one = cast(w.dtype, learning_rate, t, epsilon, 1)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)
    m = m + (dense(w.shape, indices, g) - m) * rest_1
    v = v + (dense(w.shape, indices, g * g) - v) * rest_2
    update = m / (1 - power(b1, t)) / (sqrt(v / (1 - power(b2, t))) + epsilon)
    norm_w, norm_update = sqrt(total(w * w)), sqrt(total(update * update))
    ratio = norm_w / norm_update if norm_w > 0 and norm_update > 0 else one
    w = w - ratio * lr * update
    return w, m, v


RULES = {"keras3": {"lamb": lamb}}

SPARSE = {"keras3": {"lamb": lamb_slices}}

GRAPH = {"keras3": {"lamb": lamb_graph}}

GRAPH_SPARSE = {"keras3": {"lamb": lamb_slices_graph}}
