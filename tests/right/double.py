"""Right, with float64 inside: Keras 3 whose every sum and product is taken in float64.

`rounding` rounds each result to the variable's dtype at once: for + - * / and the square root that is the same as to
compute in that dtype (Figueroa 1995: 53 binary places are more than twice 24, and 2), so it has the same bits.
`port` keeps float64 through a whole step and rounds once, at its end, as a port to another library may: its bits are
others, and `--tolerance=port` finds them close.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from goldenstep.conformance.keras_shaped import KerasShaped

FEATURES = ("dense", "weight_decay")
Array = np.ndarray
Round = Callable[[Any], Any]


class Tensor:
    """A variable."""

    def __init__(self, value: Any, name: str = "variable") -> None:
        self.path = self.name = name
        self.value = np.array(value)

    def assign(self, value: Any) -> None:
        self.value = np.array(value, self.value.dtype).reshape(self.value.shape)

    def numpy(self) -> Array:
        return self.value.copy()


def sgd(r: Round, w: Array, g: Array, s: dict[str, Array], h: SimpleNamespace) -> Iterator[Array]:
    if not s:
        yield r(w - r(h.lr * g))
        return
    speed = r(r(s["momentum"] * h.momentum) - r(h.lr * g))
    yield r(w + (r(r(speed * h.momentum) - r(h.lr * g)) if h.nesterov else speed))
    yield speed


def adam(r: Round, w: Array, g: Array, s: dict[str, Array], h: SimpleNamespace) -> Iterator[Array]:
    m, v, *top = s.values()
    m = r(m + r(r(g - m) * h.rest_1))
    v = r(v + r(r(r(g * g) - v) * h.rest_2))
    top = [np.maximum(x, v) for x in top]
    alpha = r(r(h.lr * r(np.sqrt(r(1 - h.power(h.beta_2))))) / r(1 - h.power(h.beta_1)))
    yield r(w - r(r(m * alpha) / r(r(np.sqrt([v, *top][-1])) + h.epsilon)))
    yield from (m, v, *top)


def adagrad(r: Round, w: Array, g: Array, s: dict[str, Array], h: SimpleNamespace) -> Iterator[Array]:
    total = r(s["accumulator"] + r(g * g))
    yield r(w - r(r(h.lr * g) / r(np.sqrt(r(total + h.epsilon)))))
    yield total


def rmsprop(r: Round, w: Array, g: Array, s: dict[str, Array], h: SimpleNamespace) -> Iterator[Array]:
    mean = r(r(h.rho * s["velocity"]) + r(h.rest * r(g * g)))
    yield r(w - r(r(h.lr * g) / r(np.sqrt(r(mean + h.epsilon)))))
    yield mean


class Optimizer:
    """Weight decay and a rule, both in float64."""

    defaults: dict[str, Any]
    rule: Callable[..., Iterator[Array]]
    name: str
    rounds_each: bool

    def __init__(self, **given: Any) -> None:
        common = {"weight_decay": None, "name": None}
        unknown = set(given) - {*self.defaults, *common}
        if unknown:
            raise ValueError(f"unknown arguments: {sorted(unknown)}")
        self.config = {**common, **self.defaults, **given}
        self.name = self.config["name"] or self.name
        self.iterations = Tensor(np.int64(0), f"{self.name}/iteration")
        self.learning_rate = Tensor(np.float32(self.config["learning_rate"]), f"{self.name}/learning_rate")
        self.slots: dict[int, dict[str, Tensor]] = {}
        self.order: list[Tensor] = []

    @property
    def variables(self) -> list[Tensor]:
        return [self.iterations, self.learning_rate, *self.order]

    def build(self, variables: Sequence[Tensor]) -> None:
        if self.slots:
            return
        groups = {
            "sgd": [["momentum"]] if self.config.get("momentum") else [],
            "adagrad": [["accumulator"]],
            "rms_prop": [["velocity"]],
        }
        usual = [["momentum", "velocity"], *([["velocity_hat"]] if self.config.get("amsgrad") else [])]
        self.slots = {id(v): {} for v in variables}
        for group in groups.get(self.rule.__name__.replace("rmsprop", "rms_prop"), usual):
            for v in variables:
                for name in group:
                    start = np.float32(self.config["initial_accumulator_value"]) if name == "accumulator" else 0
                    made = Tensor(np.full_like(v.value, start), f"{self.name}/{v.path}_{name}")
                    self.slots[id(v)][name] = made
                    self.order.append(made)

    def apply_gradients(self, pairs: Any) -> None:
        pairs = [(np.asarray(g), v) for g, v in pairs]
        self.build([v for _, v in pairs])
        with np.errstate(all="ignore"):
            for g, v in pairs:
                self.move(g, v)
        self.iterations.assign(self.iterations.value + 1)

    def move(self, gradient: Array, variable: Tensor) -> None:
        dtype = variable.value.dtype
        each: Round = (lambda x: narrowed(x, dtype)) if self.rounds_each else (lambda x: x)
        h = self.constants(dtype)
        if dtype == np.float16:  # TensorFlow casts a float64 by way of float32
            gradient = gradient.astype(np.float32).astype(dtype)
        w, g = variable.value.astype(np.float64), gradient.astype(np.float64)
        if self.config["weight_decay"] is not None:
            w = each(w - each(each(w * each(np.float32(self.config["weight_decay"]).astype(np.float64))) * h.lr))
        slots = self.slots[id(variable)]
        new, *states = type(self).rule(each, w, g, {n: s.value.astype(np.float64) for n, s in slots.items()}, h)
        variable.value = narrowed(new, dtype).astype(dtype)
        for slot, value in zip(slots.values(), states, strict=True):
            slot.value = narrowed(value, dtype).astype(dtype)

    def constants(self, dtype: np.dtype) -> SimpleNamespace:
        """The hyperparameters in float64, rounded to the dtype or not."""
        each: Round = (lambda x: narrowed(x, dtype)) if self.rounds_each else (lambda x: x)
        numbers = {k: v for k, v in self.config.items() if isinstance(v, float)}
        h = SimpleNamespace(**{name: each(np.float64(value)) for name, value in numbers.items()})
        for name in ("beta_1", "beta_2", "momentum"):  # Keras makes float32 tensors of these on their way.
            if name in numbers:
                setattr(h, name, each(np.float64(np.float32(numbers[name]))))
        h.lr = each(np.float64(self.learning_rate.value))
        h.rest_1, h.rest_2, h.rest = (
            each(np.float64(1 - numbers.get(name, 0))) for name in ("beta_1", "beta_2", "rho")
        )
        h.nesterov = self.config.get("nesterov", False)
        t = int(self.iterations.value) + 1
        kind = dtype.type if self.rounds_each else np.float64
        h.power = lambda base: each(np.float64(kind(base) ** kind(t)))
        return h


def narrowed(x: Any, dtype: np.dtype) -> Any:
    """Rounded to a dtype and back, with denormal numbers of float32 and float64 as zeros."""
    y = np.asarray(x).astype(dtype)
    if dtype != np.float16:
        y = np.where(np.abs(y) < np.finfo(dtype).tiny, y * 0, y)
    return y.astype(np.float64)


ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "amsgrad": False}
KINDS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "SGD": ("sgd", sgd, {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}),
    "Adam": ("adam", adam, ADAM),
    "AdamW": ("adam_w", adam, {**ADAM, "weight_decay": 0.004}),
    "Adagrad": ("adagrad", adagrad, {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
    "RMSprop": ("rm_sprop", rmsprop, {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7}),
}


class Double(KerasShaped):
    """The classes, without what they decline: bfloat16, and RMSprop's other forms."""

    def supports(self, case: dict[str, Any]) -> str | None:
        config = case.get("optimizer", {}).get("config", {})
        dtypes = {v["value"]["dtype"] for v in case.get("variables", [])}
        if "bfloat16" in dtypes:
            return "no bfloat16"
        events = [event.get("attempt", event) for event in case.get("events", [])]
        gradients = [g for event in events for g in event.get("apply", [])]
        if any(g is None or isinstance(g, dict) for g in gradients):
            return "only gradients of the variables' own shape and dtype"
        if any("exclude" in event for event in events):
            return "no exceptions from weight decay"
        if case.get("optimizer", {}).get("class_name") == "RMSprop" and {"momentum", "centered"} & set(config):
            return "no momentum, not centered"
        return super().supports(case)


def made(name: str, rounds_each: bool) -> KerasShaped:
    """The implementation of one of the two kinds."""
    classes = {
        kind: type(kind, (Optimizer,), {"name": snake, "rule": rule, "defaults": defaults, "rounds_each": rounds_each})
        for kind, (snake, rule, defaults) in KINDS.items()
    }
    return Double(
        name,
        {"keras3": SimpleNamespace(**classes)},
        lambda value, name, constraint=None: Tensor(value, name),
        lambda value: value,
        features=FEATURES,
    )


def rounding() -> KerasShaped:
    """For `--impl=tests.right.double:rounding`: every result is rounded at once."""
    return made("float64, rounded at once", True)


def port() -> KerasShaped:
    """For `--impl=tests.right.double:port`: a step is rounded at its end; it says itself that it is a port."""
    implementation = made("float64, rounded at the end", False)
    implementation.tolerance = "port"  # type: ignore[attr-defined]  # what a module declares of itself
    return implementation
