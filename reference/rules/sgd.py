"""SGD: a step against the gradient, with a velocity that decays by the momentum, and Nesterov's look-ahead.

Source       Robbins & Monro 1951, doi:10.1214/aoms/1177729586.  Momentum: Polyak 1964, the learning rate inside m.
             Nesterov: Sutskever et al. 2013, rewritten around the looked-ahead weights (arXiv:1212.0901).
State        m: dtype and shape of w, starts at 0; only with momentum, but in tf2.12 and tf2.15 always.
Units        learning_rate is in units of w per unit of g; m in units of w; momentum is a pure number.
Errors       ValueError for a momentum outside [0, 1]; in keras3 for an integer too.

edition            plain            idle_nesterov (momentum = 0)   momentum        nesterov
tf2.4, *.legacy    descent          descent                        momentum_step   nesterov_step
tf2.9, keras3      descent          descent                        momentum_step   nesterov_step
tf2.12, tf2.15     momentum_step    nesterov_step                  momentum_step   nesterov_step
"""

from __future__ import annotations

from ..bits import cast, cast_tensor


def descent(w, g, *, learning_rate):
    """Against the gradient, without state."""
    (lr,) = cast(w.dtype, learning_rate)
    w = w - g * lr
    return (w,)


def momentum_step(w, g, m, *, learning_rate, momentum):
    """Along a velocity that decays by the momentum; a momentum of 0 still makes NaN of an infinite velocity."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    m = m * momentum - g * lr
    w = w + m
    return w, m


def nesterov_step(w, g, m, *, learning_rate, momentum):
    """Along the velocity that the next step would have, were the gradient the same."""
    lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)
    m = m * momentum - g * lr
    w = w + (m * momentum - g * lr)
    return w, m


SLOT_IF_NEEDED = {
    "plain": descent,
    "idle_nesterov": descent,
    "momentum": momentum_step,
    "nesterov": nesterov_step,
}
SLOT_ALWAYS = {
    "plain": momentum_step,
    "idle_nesterov": nesterov_step,
    "momentum": momentum_step,
    "nesterov": nesterov_step,
}

RULES = {
    "tf2.4": SLOT_IF_NEEDED,
    "tf2.9.legacy": SLOT_IF_NEEDED,
    "tf2.12.legacy": SLOT_IF_NEEDED,
    "tf2.15.legacy": SLOT_IF_NEEDED,
    "tf2.9": SLOT_IF_NEEDED,
    "tf2.12": SLOT_ALWAYS,
    "tf2.15": SLOT_ALWAYS,
    "keras3": SLOT_IF_NEEDED,
}
