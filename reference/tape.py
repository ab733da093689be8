"""A tape of numpy operations, enough for the losses of examples: sums, products and powers of variables.

Source       Wengert 1964, doi:10.1145/355586.364791: a list of operations, read backwards.
What it is   `read(variable)` makes a traced value of a variable; +, -, * and ** of traced values are written on the
             tape that is open; `gradient` goes through the list from its end. Any object with the same `gradient`
             will do where an optimizer asks for a tape.

with Tape() as tape:
    loss = total(a * read(w) ** 2 + b * read(w))
optimizer.minimize(loss, [w], tape=tape)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import numpy as np

from .variable import Variable

Pullback = Callable[[np.ndarray], np.ndarray]


class Traced:
    """A value on a tape: an array with what made it."""

    def __init__(self, value: Any, made_of: Iterable[tuple[Traced, Pullback]] = ()) -> None:
        self.value = np.asarray(value)
        made_of = list(made_of)
        for tape in _open if made_of else ():
            tape.operations.append((self, made_of))

    @property
    def dtype(self) -> np.dtype:
        """numpy's dtype of the value."""
        return self.value.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension."""
        return self.value.shape

    def __add__(self, other: Any) -> Traced:
        other = traced(other, self)
        return Traced(self.value + other.value, [(self, fitted(self)), (other, fitted(other))])

    def __sub__(self, other: Any) -> Traced:
        other = traced(other, self)
        return Traced(self.value - other.value, [(self, fitted(self)), (other, lambda g: fitted(other)(-g))])

    def __mul__(self, other: Any) -> Traced:
        other = traced(other, self)
        a, b = self.value, other.value
        return Traced(a * b, [(self, lambda g: fitted(self)(g * b)), (other, lambda g: fitted(other)(g * a))])

    def __pow__(self, power: int) -> Traced:
        w, n = self.value, self.value.dtype.type(power)
        return Traced(w**power, [(self, lambda g: g * (n * w ** (power - 1)))])

    __radd__, __rmul__ = __add__, __mul__
    __array_ufunc__ = None  # An array to the left leaves the operation to us.

    def __float__(self) -> float:
        return float(self.value)


_open: list[Tape] = []


class Tape:
    """What is computed in its `with` block can be differentiated once."""

    def __init__(self) -> None:
        self.operations: list[tuple[Traced, list[tuple[Traced, Pullback]]]] = []
        self.leaves: list[tuple[Variable, Traced]] = []
        self._usable = False

    def __enter__(self) -> Tape:
        _open.append(self)
        self._usable = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _open.remove(self)

    def watch(self, variables: Any) -> None:
        """Every variable that is read is watched already; ValueError for what is no variable."""
        for variable in flat(variables):
            if not isinstance(variable, Variable):
                raise ValueError(f"expected a variable to watch, got {variable!r}")

    def gradient(self, loss: Any, variables: Any, grad_loss: Any = None) -> list[np.ndarray | None]:
        """The derivative of the loss by each variable, None where it does not depend on it on this tape.

        RuntimeError the second time, or if nothing was ever recorded; TypeError if `variables` is a function.
        `grad_loss` is the derivative of something else by the loss, 1 if None.
        """
        if not self._usable:
            raise RuntimeError("a tape that has recorded nothing, or has been used, gives no gradients")
        if callable(variables):
            raise TypeError(f"expected variables, got a function: {variables}")
        self._usable = False
        start = np.ones_like(loss.value) if grad_loss is None else np.asarray(grad_loss, loss.value.dtype)
        known: dict[int, np.ndarray] = {id(loss): start}
        for result, made_of in reversed(self.operations):
            for source, pullback in made_of if id(result) in known else ():
                gradient = pullback(known[id(result)])
                known[id(source)] = known[id(source)] + gradient if id(source) in known else gradient
        found: dict[int, np.ndarray] = {}
        for variable, leaf in reversed(self.leaves):
            if id(leaf) in known:
                before = found.get(id(variable))
                found[id(variable)] = known[id(leaf)] if before is None else before + known[id(leaf)]
        return [found.get(id(variable)) for variable in variables]


def read(variable: Variable) -> Traced:
    """The variable's value, traced."""
    leaf = Traced(variable.value)
    for tape in _open:
        tape.leaves.append((variable, leaf))
    return leaf


def total(x: Traced) -> Traced:
    """The sum of all elements."""
    return Traced(np.sum(x.value), [(x, lambda g: np.broadcast_to(g, x.value.shape))])


def traced(x: Any, like: Traced) -> Traced:
    """A traced value as it is; a number or an array in the dtype of `like`."""
    return x if isinstance(x, Traced) else Traced(np.asarray(x, like.value.dtype))


def fitted(x: Traced) -> Pullback:
    """What brings a derivative back to the shape that `x` had before it was broadcast."""

    def pullback(gradient: np.ndarray) -> np.ndarray:
        extra = gradient.ndim - x.value.ndim
        gradient = gradient.sum(axis=tuple(range(extra))) if extra else gradient
        stretched = tuple(axis for axis, n in enumerate(x.value.shape) if n == 1 != gradient.shape[axis])
        return gradient.sum(axis=stretched, keepdims=True) if stretched else gradient

    return pullback


def flat(variables: Any) -> list[Any]:
    """A list or tuple as a list, anything else as a list of one."""
    return list(variables) if isinstance(variables, list | tuple) else [variables]
