"""The gradients of a loss by variables, and what an optimizer says when some are missing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Protocol

from .tape import Tape, flat
from .variable import Gradient, Variable

LOG = logging.getLogger("goldenstep")
LOG.addHandler(logging.NullHandler())
Pairs = list[tuple[Gradient | None, Variable]]


class TapeLike(Protocol):
    """Anything that knows the gradients of a loss by variables."""

    def gradient(self, loss: Any, variables: Any) -> Iterable[Gradient | None]:
        """One gradient per variable, or None where the loss does not depend on it."""


def gradients_of(
    loss: Any, var_list: Any, tape: Any = None, grad_loss: Any = None, late_list: bool = True, flatten: bool = False
) -> Pairs:
    """Pairs of gradient and variable of a loss: a function without arguments, or a value and the tape it is on.

    `var_list` may be a function where `late_list` says so: it is called after the loss, whose variables it then knows.
    ValueError for a value without a tape, and for what is no variable in the list of a function.
    """
    if not callable(loss) and tape is None:
        raise ValueError("`tape` is required when the loss is a value and no function.")
    tape = Tape() if tape is None else tape
    if callable(loss):
        with tape:
            late = callable(var_list) and late_list
            if not late:
                tape.watch(var_list)
            loss = loss()
            var_list = var_list() if late else var_list
    elif flatten and hasattr(tape, "__enter__"):
        with tape:  # OptimizerV2 opens it once more, for a transformation of the loss that does nothing.
            pass
    var_list = flat(var_list) if flatten and not callable(var_list) else var_list
    gradients = tape.gradient(loss, var_list) if grad_loss is None else tape.gradient(loss, var_list, grad_loss)
    return list(zip(gradients, var_list, strict=True))


def warn_of_missing(pairs: Iterable[tuple[Gradient | None, Variable]]) -> Pairs:
    """The pairs as a list, after a warning if some have a gradient and some have not."""
    pairs = list(pairs)
    missing = [variable.name for gradient, variable in pairs if gradient is None]
    if missing and len(missing) < len(pairs):
        LOG.warning("Gradients do not exist for variables %s when minimizing the loss.", missing)
    return pairs
