"""Right, with float64 inside and the state outside: what is assigned is rounded, what is computed with is read back.

A module shaped like Keras 3 with five options. Each slot is kept in the dtype of its variable, so that within a step a
square may be too small for it, or too large; and one constant is never rounded to float32 for float32 variables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = np.ndarray


class Variable:
    """An array that is read as float64 and kept in its own dtype."""

    def __init__(self, value: Any, name: str, path: str = "") -> None:
        self.name, self.path = name, path or name
        self.kept = np.array(value)

    def numpy(self) -> Array:
        return self.kept.copy()

    def read(self) -> Array:
        return np.asarray(self.kept, np.float64)

    def assign(self, value: Any) -> Array:
        self.kept = np.asarray(value).astype(self.kept.dtype).reshape(self.kept.shape)
        return self.read()


class Optimizer:
    """Around a rule: the clipping of each gradient, the state and its names, the count of steps."""

    slots: tuple[str, ...] = ()
    start = 0.0

    def __init__(self, learning_rate: float = 0.001, clipnorm: float | None = None, **own: Any) -> None:
        self.name = {"RMSprop": "rm_sprop"}.get(type(self).__name__, type(self).__name__.lower())
        self.rate, self.clipnorm, self.own = learning_rate, clipnorm, SimpleNamespace(**own)
        self.count = Variable(np.int64(0), "iteration", f"{self.name}/iteration")
        self.variables = [self.count, Variable(np.float32(learning_rate), "rate", f"{self.name}/learning_rate")]
        self.state: dict[int, dict[str, Variable]] = {}

    def names(self) -> Sequence[Sequence[str]]:
        """Slots that are made together, for one variable after the other."""
        return [[name] for name in self.slots]

    def build(self, variables: Sequence[Variable]) -> None:
        self.state = {id(v): {} for v in variables}
        for group in self.names():
            for v in variables:
                for name in group:
                    first = np.full(v.kept.shape, np.float32(self.start), v.kept.dtype)
                    slot = Variable(first, name, f"{self.name}/{v.path}_{name}")
                    self.state[id(v)][name] = slot
                    self.variables.append(slot)

    def apply_gradients(self, pairs: Iterable[tuple[Array, Variable]]) -> None:
        pairs = list(pairs)
        if not self.state:
            self.build([v for _, v in pairs])
        with np.errstate(all="ignore"):
            self.before(pairs)
            for gradient, v in pairs:
                g = np.asarray(gradient, np.float64)
                if self.clipnorm:
                    g = g * self.clipnorm / max(float(np.sqrt(np.sum(g * g))), self.clipnorm)
                v.assign(v.read() - self.step(g, v, SimpleNamespace(**self.state[id(v)])))
        self.count.assign(self.t)

    def before(self, pairs: Sequence[tuple[Array, Variable]]) -> None:
        """What is done once per step."""

    def step(self, g: Array, v: Variable, s: SimpleNamespace) -> Any:
        raise NotImplementedError

    @property
    def t(self) -> int:
        return int(self.count.kept) + 1

    def number(self, name: str, usual: float, v: Variable) -> float:
        """A hyperparameter; of float64 as the release has it, by way of float32."""
        given = getattr(self.own, name, usual)
        return float(np.float32(given)) if v.kept.dtype == np.float64 else given


class Adam(Optimizer):
    slots = ("momentum", "velocity")

    def names(self) -> Sequence[Sequence[str]]:
        return [self.slots]

    def step(self, g: Array, v: Variable, s: SimpleNamespace) -> Any:
        alpha = float(self.variables[1].kept) * np.sqrt(1 - 0.999**self.t) / (1 - 0.9**self.t)
        m = s.momentum.assign(s.momentum.read() + (g - s.momentum.read()) * (1 - 0.9))
        square = s.velocity.assign(s.velocity.read() + (g * g - s.velocity.read()) * (1 - 0.999))
        return m * alpha / (np.sqrt(square) + 1e-7)


class Adagrad(Optimizer):
    slots = ("accumulator",)

    def __init__(self, initial_accumulator_value: float = 0.1, **config: Any) -> None:
        super().__init__(**config)
        self.start = initial_accumulator_value

    def step(self, g: Array, v: Variable, s: SimpleNamespace) -> Any:
        return float(self.variables[1].kept) * g / np.sqrt(s.accumulator.assign(s.accumulator.read() + g * g) + 1e-7)


class RMSprop(Optimizer):
    """Centered."""

    def names(self) -> Sequence[Sequence[str]]:
        return [["velocity"], *([["momentum"]] if getattr(self.own, "momentum", 0) else []), ["average_gradient"]]

    def step(self, g: Array, v: Variable, s: SimpleNamespace) -> Any:
        rho, epsilon = getattr(self.own, "rho", 0.9), getattr(self.own, "epsilon", 1e-7)
        square = s.velocity.assign(rho * s.velocity.read() + (1 - rho) * g * g)
        mean = s.average_gradient.assign(rho * s.average_gradient.read() + (1 - rho) * g)
        step = float(self.variables[1].kept) * g / np.sqrt(square - mean * mean + epsilon)
        return s.momentum.assign(self.own.momentum * s.momentum.read() + step) if hasattr(s, "momentum") else step


class Nadam(Adam):
    def build(self, variables: Sequence[Variable]) -> None:
        super().build(variables)
        self.variables.append(Variable(np.ones((), variables[0].kept.dtype), "product", "nadam/variable"))

    def before(self, pairs: Sequence[tuple[Array, Variable]]) -> None:
        self.variables[-1].assign(self.variables[-1].read() * 0.9 * (1 - 0.5 * 0.96**self.t))

    def step(self, g: Array, v: Variable, s: SimpleNamespace) -> Any:
        b1, b2, base = (self.number(*given, v) for given in (("beta_1", 0.9), ("beta_2", 0.999), ("base", 0.96)))
        now, after = (b1 * (1 - 0.5 * base**t) for t in (self.t, self.t + 1))
        product = self.variables[-1].read()
        m = s.momentum.assign(s.momentum.read() + (g - s.momentum.read()) * (1 - b1))
        square = s.velocity.assign(s.velocity.read() + (g * g - s.velocity.read()) * (1 - b2))
        mean = after * m / (1 - product * after) + (1 - now) * g / (1 - product)
        return mean * float(self.variables[1].kept) / (np.sqrt(square / (1 - b2**self.t)) + 1e-7)
