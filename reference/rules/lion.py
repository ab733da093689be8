"""Lion: a step of one fixed size along the sign of a gradient mean.

Source       Chen et al. 2023, arXiv:2302.06675, algorithm 2; its weight decay is the pipeline's.
State        m: dtype and shape of w, starts at 0.
Units        learning_rate is in units of w per step (every weight moves by just that much); the betas are pure numbers.
Constraints  beta_1 outside (0, 1] is a ValueError.

edition         rule
tf2.15, keras3  lion
"""

from __future__ import annotations

from ..bits import cast_tensor, sign


def lion(w, g, m, *, learning_rate, beta_1, beta_2):
    """keras Lion.update_step: the step looks at beta_1, the memory keeps beta_2."""
    lr, b1, b2 = cast_tensor(w.dtype, learning_rate, beta_1, beta_2)
    w = w - lr * sign(m * b1 + g * (1 - b1))
    m = m * b2 + g * (1 - b2)
    return w, m


RULES = {
    "tf2.15": {"plain": lion},
    "keras3": {"plain": lion},
}
