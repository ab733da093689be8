"""Lion: a step of one fixed size along the sign of a gradient mean.

Source       Chen et al. 2023, arXiv:2302.06675, algorithm 2; its weight decay is the pipeline's.
State        m: dtype and shape of w, starts at 0.
Units        learning_rate is in units of w per step (every weight moves by just that much); the betas are pure numbers.
Constraints  beta_1 outside (0, 1] is a ValueError.

edition   dense   sparse        sparse, graph
tf2.15    lion    lion_rows     lion_rows_graph
keras3    lion    lion_slices   lion_slices
"""

from __future__ import annotations

from ..bits import cast_tensor, sign
from ..slices import added, dense


def lion(w, g, m, *, learning_rate, beta_1, beta_2):
    """keras Lion.update_step: the step looks at beta_1, the memory keeps beta_2."""
    lr, b1, b2 = cast_tensor(w.dtype, learning_rate, beta_1, beta_2)
    w = w - lr * sign(m * b1 + g * (1 - b1))
    m = m * b2 + g * (1 - b2)
    return w, m


def lion_rows(w, g, indices, m, *, learning_rate, beta_1, beta_2):
    """TF 2.15's Lion.update_step of IndexedSlices: m itself holds what the step looks at, and is then brought back."""
    lr, b1, b2 = cast_tensor(w.dtype, learning_rate, beta_1, beta_2)
    m = added(m * b1, indices, g * (1 - b1))
    w = w - lr * sign(m)
    m = added(m * b2 / b1, indices, g * (1 - b2 / b1))
    return w, m


def lion_rows_graph(w, g, indices, m, *, learning_rate, beta_1, beta_2):
    """lion_rows inside tf.function: Grappler multiplies m by one number, which it makes of a reciprocal."""
    lr, b1, b2 = cast_tensor(w.dtype, learning_rate, beta_1, beta_2)
    m = added(m * b1, indices, g * (1 - b1))
    w = w - lr * sign(m)
    m = added(m * (b2 * (1 / b1)), indices, g * (1 - b2 / b1))
    return w, m


def lion_slices(w, g, indices, m, *, learning_rate, beta_1, beta_2):
    """keras 3 Lion.update_step of IndexedSlices: scaled, then summed."""
    lr, b1, b2 = cast_tensor(w.dtype, learning_rate, beta_1, beta_2)
    w = w - lr * sign(m * b1 + dense(w.shape, indices, g * (1 - b1)))
    m = m * b2 + dense(w.shape, indices, g * (1 - b2))
    return w, m


RULES = {
    "tf2.15": {"plain": lion},
    "keras3": {"plain": lion},
}

SPARSE = {
    "tf2.15": {"plain": lion_rows},
    "keras3": {"plain": lion_slices},
}

GRAPH_SPARSE = {"tf2.15": {"plain": lion_rows_graph}}
