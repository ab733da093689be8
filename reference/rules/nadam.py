"""Nadam: Adam with Nesterov momentum, on a schedule of momenta that warms up.

Source       Dozat 2016, "Incorporating Nesterov Momentum into Adam", algorithm 2 and the schedule after it:
             u(t) = beta_1 * (1 - 0.96**(psi * t) / 2), where the paper has psi = 0.004; the legacy editions take
             schedule_decay, which is 0.004 unless it is given.
State        m, v: dtype and shape of w, start at 0.  t is 1 on the first update.
             Once per optimizer, in the dtype of its first variable: u_product, the product of all u(t), starts at 1.
             Hidden: u_before, u_product as this update found it; u_count, 1 plus how often u_product was multiplied.
Units        learning_rate is in units of w per step; epsilon in units of g; the betas are pure numbers.
Constraints  tf2.9, tf2.12 and tf2.15 fail on a variable whose dtype is not that of the first.

edition                rule              PREPARE   psi    u_product is multiplied
tf2.4                  nadam_legacy_2_4  remember  given  once, before the variables, if one has its dtype
*.legacy               nadam_legacy      remember  given  the same
tf2.9, tf2.12, tf2.15  nadam_ops         -         1      by each variable until u_count is t + 1: again after a resume
keras3                 nadam_keras3      advance   1      once, before the variables

edition, sparse         plain              duplicate rows                         untouched rows
tf2.4                   nadam_scatter_2_4  summed                                 stay; their state decays
*.legacy                nadam_scatter      summed                                 stay; their state decays
tf2.9, tf2.12, tf2.15   nadam_rows         squared each in tf2.9, else summed     go on
keras3                  nadam_slices       squared each, then summed              go on

edition, sparse, graph  plain                    squares
tf2.4                   nadam_scatter_graph_2_4  (g * (1 - beta_2)) * g
*.legacy                nadam_scatter_graph      the same
"""

from __future__ import annotations

from ..bits import cast, cast_tensor, flush, power, sqrt, sqrt_2_4
from ..errors import refuse_mixture
from ..slices import added, dense, gathered, summed


def remember(u_product, u_before, *, dtypes, t, beta_1, schedule_decay):
    """The legacy optimizer reads its cache, and multiplies it if a variable has its dtype, before the variables."""
    if u_product.dtype not in dtypes:
        return u_product, u_product
    step, psi, b1 = cast(u_product.dtype, t, schedule_decay, beta_1)
    (base,) = cast_tensor(u_product.dtype, 0.96)
    return flush(u_product * (b1 * (1 - 0.5 * power(base, psi * step)))), u_product


def advance(u_product, *, t, beta_1):
    """Nadam of keras 3 multiplies once, before the variables, with constants that were never float32."""
    step, b1, base = cast(u_product.dtype, t, beta_1, 0.96)
    return (flush(u_product * b1 * (1 - 0.5 * power(base, step))),)


def nadam_legacy_2_4(w, g, m, v, u_product, u_before, *, t, learning_rate, beta_1, beta_2, epsilon, schedule_decay):
    """TF 2.4's Nadam._resource_apply_dense, one tensor operation after the other."""
    lr, b1, b2, epsilon = cast(w.dtype, learning_rate, beta_1, beta_2, epsilon)
    step, after, psi, before = cast(w.dtype, t, t + 1, schedule_decay, u_before)
    (base,) = cast_tensor(w.dtype, 0.96)
    u = b1 * (1 - 0.5 * power(base, psi * step))
    u_next = b1 * (1 - 0.5 * power(base, psi * after))
    product = flush(before * u)
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * (g * g)
    m_bar = (1 - u) * (g / (1 - product)) + u_next * (m / (1 - product * u_next))
    w = w - lr * m_bar / (sqrt_2_4(v / (1 - power(b2, step))) + epsilon)
    return w, m, v, u_product, u_before


def nadam_legacy(w, g, m, v, u_product, u_before, *, t, learning_rate, beta_1, beta_2, epsilon, schedule_decay):
    """OptimizerV2 Nadam._resource_apply_dense, one tensor operation after the other."""
    lr, b1, b2, epsilon = cast(w.dtype, learning_rate, beta_1, beta_2, epsilon)
    step, after, psi, before = cast(w.dtype, t, t + 1, schedule_decay, u_before)
    (base,) = cast_tensor(w.dtype, 0.96)
    u = b1 * (1 - 0.5 * power(base, psi * step))
    u_next = b1 * (1 - 0.5 * power(base, psi * after))
    product = flush(before * u)
    m = b1 * m + (1 - b1) * g
    v = b2 * v + (1 - b2) * (g * g)
    m_bar = (1 - u) * (g / (1 - product)) + u_next * (m / (1 - product * u_next))
    w = w - lr * m_bar / (sqrt(v / (1 - power(b2, step))) + epsilon)
    return w, m, v, u_product, u_before


def nadam_ops(w, g, m, v, u_product, u_count, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Nadam.update_step of TF 2.9 to 2.15: the first variable of a step multiplies the product for all."""
    refuse_mixture(w.dtype, u_product.dtype)
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t, t + 1, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    if u_count != t + 1:
        product, u_count = flush(product * u), u_count + 1
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * lr / (sqrt(v / (1 - power(b2, step))) + epsilon)
    return w, m, v, product, u_count


def nadam_keras3(w, g, m, v, u_product, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Nadam.update_step of Keras 3, with u_product multiplied beforehand."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t, t + 1, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * lr / (sqrt(v / (1 - power(b2, step))) + epsilon)
    return w, m, v, u_product


def nadam_scatter_2_4(
    w, g, indices, m, v, u_product, u_before, *, t, learning_rate, beta_1, beta_2, epsilon, schedule_decay
):
    """TF 2.4's Nadam._resource_apply_sparse: the means decay everywhere, but only rows with a gradient move."""
    lr, b1, b2, epsilon = cast(w.dtype, learning_rate, beta_1, beta_2, epsilon)
    step, after, psi, before = cast(w.dtype, t, t + 1, schedule_decay, u_before)
    (base,) = cast_tensor(w.dtype, 0.96)
    u = b1 * (1 - 0.5 * power(base, psi * step))
    u_next = b1 * (1 - 0.5 * power(base, psi * after))
    product = flush(before * u)
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * g * (1 - b2))
    m_bar = (1 - u) * (g / (1 - product)) + u_next * (gathered(m, indices) / (1 - product * u_next))
    divisor = sqrt_2_4(gathered(v, indices) / (1 - power(b2, step))) + epsilon
    w = added(w, indices, -lr * m_bar / divisor)
    return w, m, v, u_product, u_before


def nadam_scatter(
    w, g, indices, m, v, u_product, u_before, *, t, learning_rate, beta_1, beta_2, epsilon, schedule_decay
):
    """OptimizerV2 Nadam._resource_apply_sparse."""
    lr, b1, b2, epsilon = cast(w.dtype, learning_rate, beta_1, beta_2, epsilon)
    step, after, psi, before = cast(w.dtype, t, t + 1, schedule_decay, u_before)
    (base,) = cast_tensor(w.dtype, 0.96)
    u = b1 * (1 - 0.5 * power(base, psi * step))
    u_next = b1 * (1 - 0.5 * power(base, psi * after))
    product = flush(before * u)
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * g * (1 - b2))
    m_bar = (1 - u) * (g / (1 - product)) + u_next * (gathered(m, indices) / (1 - product * u_next))
    divisor = sqrt(gathered(v, indices) / (1 - power(b2, step))) + epsilon
    w = added(w, indices, -lr * m_bar / divisor)
    return w, m, v, u_product, u_before


def nadam_scatter_graph_2_4(
    w, g, indices, m, v, u_product, u_before, *, t, learning_rate, beta_1, beta_2, epsilon, schedule_decay
):
    """nadam_scatter_2_4 inside tf.function: Grappler multiplies the gradient by a number before it squares it."""
    lr, b1, b2, epsilon = cast(w.dtype, learning_rate, beta_1, beta_2, epsilon)
    step, after, psi, before = cast(w.dtype, t, t + 1, schedule_decay, u_before)
    (base,) = cast_tensor(w.dtype, 0.96)
    u = b1 * (1 - 0.5 * power(base, psi * step))
    u_next = b1 * (1 - 0.5 * power(base, psi * after))
    product = flush(before * u)
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * (1 - b2) * g)
    m_bar = (1 - u) * (g / (1 - product)) + u_next * (gathered(m, indices) / (1 - product * u_next))
    divisor = sqrt_2_4(gathered(v, indices) / (1 - power(b2, step))) + epsilon
    w = added(w, indices, -lr * m_bar / divisor)
    return w, m, v, u_product, u_before


def nadam_scatter_graph(
    w, g, indices, m, v, u_product, u_before, *, t, learning_rate, beta_1, beta_2, epsilon, schedule_decay
):
    """nadam_scatter inside tf.function."""
    lr, b1, b2, epsilon = cast(w.dtype, learning_rate, beta_1, beta_2, epsilon)
    step, after, psi, before = cast(w.dtype, t, t + 1, schedule_decay, u_before)
    (base,) = cast_tensor(w.dtype, 0.96)
    u = b1 * (1 - 0.5 * power(base, psi * step))
    u_next = b1 * (1 - 0.5 * power(base, psi * after))
    product = flush(before * u)
    indices, g = summed(indices, g)
    m = added(m * b1, indices, g * (1 - b1))
    v = added(v * b2, indices, g * (1 - b2) * g)
    m_bar = (1 - u) * (g / (1 - product)) + u_next * (gathered(m, indices) / (1 - product * u_next))
    divisor = sqrt(gathered(v, indices) / (1 - power(b2, step))) + epsilon
    w = added(w, indices, -lr * m_bar / divisor)
    return w, m, v, u_product, u_before


def nadam_rows(w, g, indices, m, v, u_product, u_count, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Nadam.update_step of IndexedSlices of TF 2.9 to 2.15."""
    refuse_mixture(w.dtype, u_product.dtype)
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t, t + 1, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    if u_count != t + 1:
        product, u_count = flush(product * u), u_count + 1
    m = added(m + -m * (1 - b1), indices, g * (1 - b1))
    v = added(v + -v * (1 - b2), indices, g * g * (1 - b2))
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * dense(w.shape, indices, g) / (1 - product)
    w = w - m_hat * lr / (sqrt(v / (1 - power(b2, step))) + epsilon)
    return w, m, v, product, u_count


def nadam_slices(w, g, indices, m, v, u_product, *, t, learning_rate, beta_1, beta_2, epsilon):
    """keras Nadam.update_step of IndexedSlices of Keras 3."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t, t + 1, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    m = m + (dense(w.shape, indices, g) - m) * (1 - b1)
    v = v + (dense(w.shape, indices, g * g) - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + dense(w.shape, indices, (1 - u) * g / (1 - product))
    w = w - m_hat * lr / (sqrt(v / (1 - power(b2, step))) + epsilon)
    return w, m, v, u_product


LEGACY_2_4 = {"plain": nadam_legacy_2_4}
LEGACY = {"plain": nadam_legacy}
OPS = {"plain": nadam_ops}

RULES = {
    "tf2.4": LEGACY_2_4,
    "tf2.9.legacy": LEGACY,
    "tf2.12.legacy": LEGACY,
    "tf2.15.legacy": LEGACY,
    "tf2.9": OPS,
    "tf2.12": OPS,
    "tf2.15": OPS,
    "keras3": {"plain": nadam_keras3},
}

# What happens to the slots that an optimizer has once, before each round of updates. Then every rule takes them
# and gives them back, one variable after the other.
PREPARE = {
    "tf2.4": remember,
    "tf2.9.legacy": remember,
    "tf2.12.legacy": remember,
    "tf2.15.legacy": remember,
    "keras3": advance,
}

SPARSE = {
    "tf2.4": {"plain": nadam_scatter_2_4},
    "tf2.9.legacy": {"plain": nadam_scatter},
    "tf2.12.legacy": {"plain": nadam_scatter},
    "tf2.15.legacy": {"plain": nadam_scatter},
    "tf2.9": {"plain": nadam_rows},
    "tf2.12": {"plain": nadam_rows},
    "tf2.15": {"plain": nadam_rows},
    "keras3": {"plain": nadam_slices},
}

GRAPH_SPARSE = {
    "tf2.4": {"plain": nadam_scatter_graph_2_4},
    "tf2.9.legacy": {"plain": nadam_scatter_graph},
    "tf2.12.legacy": {"plain": nadam_scatter_graph},
    "tf2.15.legacy": {"plain": nadam_scatter_graph},
}
