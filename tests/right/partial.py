"""Right, and no more than it says: a module shaped like Keras with two optimizers of one edition.

pytest --pyargs goldenstep.conformance --impl=tests.right.partial
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

GOLDENSTEP_EDITIONS = ["tf2.15"]
GOLDENSTEP_FEATURES = ["dense"]
FLOOR = {np.dtype(t): np.finfo(t).tiny for t in (np.float32, np.float64)}


class Variable:
    """A named array."""

    def __init__(self, value: Any, name: str = "variable") -> None:
        self.array, self.name = np.array(value), name

    def numpy(self) -> np.ndarray:
        return self.array

    def assign(self, value: Any) -> None:
        self.array = np.array(value, self.array.dtype).reshape(self.array.shape)


class _Momentum:
    """An optimizer with one slot, m."""

    def __init__(self, learning_rate: float, name: str | None) -> None:
        self.name = name or type(self).__name__
        self.learning_rate = np.float32(learning_rate)
        self.iterations = Variable(np.int64(0), "iteration:0")
        self.momenta: list[Variable] = []

    @property
    def variables(self) -> list[Variable]:
        return [self.iterations, *self.momenta]

    def build(self, variables: Iterable[Variable]) -> None:
        if not self.momenta:
            self.momenta = [Variable(np.zeros_like(v.array), f"{self.name}/m/{v.name}:0") for v in variables]

    def apply_gradients(self, pairs: Iterable[tuple[np.ndarray, Variable]]) -> None:
        pairs = list(pairs)
        self.build([v for _, v in pairs])
        with np.errstate(all="ignore"):
            for (g, v), m in zip(pairs, self.momenta, strict=True):
                kind = v.array.dtype.type
                v.array, m.array = self.moved(v.array, np.asarray(g), m.array, kind(self.learning_rate), kind)
        self.iterations.assign(self.iterations.array + 1)

    def moved(self, w: np.ndarray, g: np.ndarray, m: np.ndarray, rate: Any, kind: Any) -> Any:
        raise NotImplementedError


class SGD(_Momentum):
    """Stochastic gradient descent."""

    def __init__(
        self, learning_rate: float = 0.01, momentum: float = 0.0, nesterov: bool = False, name: str | None = None
    ) -> None:
        super().__init__(learning_rate, name)
        if not 0 <= momentum <= 1:
            raise ValueError(f"expected a momentum from 0 to 1, got {momentum}")
        self.momentum, self.nesterov = np.float32(momentum), nesterov

    def moved(self, w: np.ndarray, g: np.ndarray, m: np.ndarray, rate: Any, kind: Any) -> Any:
        keep, pull = kind(self.momentum), _flushed(rate * g)
        m = _flushed(_flushed(keep * m) - pull)
        ahead = _flushed(_flushed(keep * m) - pull) if self.nesterov else m
        return _flushed(w + ahead), m


class Lion(_Momentum):
    """By the sign of a mean."""

    def __init__(
        self, learning_rate: float = 0.0001, beta_1: float = 0.9, beta_2: float = 0.99, name: str | None = None
    ) -> None:
        super().__init__(learning_rate, name)
        if learning_rate is None or beta_1 <= 0 or beta_1 > 1:
            raise ValueError(f"expected a beta_1 above 0 and up to 1, got {beta_1}")
        self.betas = np.float32(beta_1), np.float32(beta_2)

    def moved(self, w: np.ndarray, g: np.ndarray, m: np.ndarray, rate: Any, kind: Any) -> Any:
        (b1, b2), one = map(kind, self.betas), kind(1)
        direction = np.sign(_flushed(_flushed(b1 * m) + _flushed((one - b1) * g)))
        return _flushed(w - rate * direction), _flushed(_flushed(b2 * m) + _flushed((one - b2) * g))


def _flushed(x: Any) -> Any:
    """Denormal numbers are zeros, as in TensorFlow's threads; float16 has none there."""
    floor = FLOOR.get(x.dtype)
    return x if floor is None else np.where(np.abs(x) < floor, x * 0, x)
