"""Right, and vectorised: the `.legacy` optimizers, with all variables of a dtype joined to one vector.

Five rules that treat every element alone are applied once per step, however many variables there are. A variable and
its slots are windows into those vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from goldenstep.conformance.keras_shaped import KerasShaped

FEATURES = ("dense",)
EDITIONS = ("tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy")
Array = np.ndarray


class Window:
    """A part of a vector that others may share."""

    def __init__(self, value: Any, name: str = "variable") -> None:
        self.name = name
        self.vector = np.array(value).ravel()
        self.part = slice(0, self.vector.size)
        self.shape = np.shape(value)

    def move_to(self, vector: Array, start: int) -> None:
        """Become a window into another vector, which takes the value."""
        part = slice(start, start + self.vector[self.part].size)
        vector[part] = self.vector[self.part]
        self.vector, self.part = vector, part

    def numpy(self) -> Array:
        return self.vector[self.part].reshape(self.shape).copy()

    def assign(self, value: Any) -> None:
        self.vector[self.part] = np.asarray(value).ravel()


def z(x: Any) -> Any:
    """Denormal numbers of float32 and float64 are zeros."""
    if x.dtype == np.float16:
        return x
    return np.where(np.abs(x) < np.finfo(x.dtype).tiny, x * 0, x).astype(x.dtype)


def sgd(o: Any, w: Array, g: Array, s: dict[str, Array], c: Any) -> None:
    pull = z(c("learning_rate") * g)
    if "momentum" not in s:
        w[:] = z(w - pull)
        return
    momentum = c("momentum")
    s["momentum"][:] = z(z(momentum * s["momentum"]) - pull)
    w += z(z(momentum * s["momentum"]) - pull) if o.nesterov else s["momentum"]
    w[:] = z(w)


def adam(o: Any, w: Array, g: Array, s: dict[str, Array], c: Any) -> None:
    one, t = w.dtype.type(1), w.dtype.type(o.iterations.vector[0] + 1)
    left = [one - c("beta_1"), one - c("beta_2")]
    pace = c("learning_rate") * np.sqrt(one - z(c("beta_2") ** t)) / (one - z(c("beta_1") ** t))
    s["m"][:] = z(s["m"] + z(left[0] * z(g - s["m"])))
    s["v"][:] = z(s["v"] + z(left[1] * z(z(g * g) - s["v"])))
    below = s["v"]
    if o.amsgrad:
        below = s["vhat"]
        np.copyto(below, s["v"], where=s["v"] > below)
    w[:] = z(w - z(z(pace * s["m"]) / (z(np.sqrt(below)) + c("epsilon"))))


def adamax(o: Any, w: Array, g: Array, s: dict[str, Array], c: Any) -> None:
    one, t = w.dtype.type(1), w.dtype.type(o.iterations.vector[0] + 1)
    s["m"][:] = z(s["m"] + z((one - c("beta_1")) * z(g - s["m"])))
    faded = z(s["v"] * c("beta_2"))
    s["v"][:] = np.where(np.abs(z(g)) > faded, np.abs(z(g)), faded)
    pace = c("learning_rate") / (one - z(c("beta_1") ** t))
    w[:] = z(w - z(pace * z(s["m"] / z(s["v"] + c("epsilon")))))


def adagrad(o: Any, w: Array, g: Array, s: dict[str, Array], c: Any) -> None:
    s["accumulator"] += z(g * g)
    w[:] = z(w - z(z(c("learning_rate") * g) / z(np.sqrt(s["accumulator"]) + c("epsilon"))))


def rmsprop(o: Any, w: Array, g: Array, s: dict[str, Array], c: Any) -> None:
    rho, left, epsilon = c("rho"), w.dtype.type(1) - c("rho"), c("epsilon")
    square, mean = z(g * g), s.get("mg")
    if "momentum" in s:  # a kernel of its own, in another order
        s["rms"][:] = z(s["rms"] + z(left * z(square - s["rms"])))
        if mean is not None:
            mean[:] = z(mean + z(left * z(g - mean)))
    else:
        s["rms"][:] = z(z(s["rms"] * rho) + z(square * left))
        if mean is not None:
            mean[:] = z(z(mean * rho) + z(g * left))
    spread = s["rms"] if mean is None else z(s["rms"] - z(mean * mean))
    pull = z(c("learning_rate") * g)
    if "momentum" in s:
        step = z(pull / z(np.sqrt(z(spread + epsilon))))
        s["momentum"][:] = z(z(c("momentum") * s["momentum"]) + step)
        w[:] = z(w - s["momentum"])
    else:
        w[:] = z(w - z(pull / z(z(np.sqrt(spread)) + epsilon)))


ADAM = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "SGD": (sgd, {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}),
    "Adam": (adam, {**ADAM, "amsgrad": False}),
    "Adamax": (adamax, ADAM),
    "Adagrad": (adagrad, {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
    "RMSprop": (rmsprop, {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False}),
}
SLOTS: dict[str, dict[str, str | None]] = {
    "SGD": {"momentum": "momentum"},
    "Adam": {"m": None, "v": None, "vhat": "amsgrad"},
    "Adamax": {"m": None, "v": None},
    "Adagrad": {"accumulator": None},
    "RMSprop": {"rms": None, "momentum": "momentum", "mg": "centered"},
}
"""The slots, and the argument that asks for each."""


class Optimizer:
    """One vector of weights and one of each slot, for every dtype."""

    kind: str

    def __init__(self, **given: Any) -> None:
        self.config = {"name": None, **KINDS[self.kind][1]}
        unknown = set(given) - set(self.config)
        if unknown:
            raise TypeError(f"unknown arguments: {sorted(unknown)}")
        self.config.update(given)
        self.config["epsilon"] = self.config.get("epsilon") or 1e-7
        self.name = self.config["name"] or self.kind
        self.iterations = Window(np.int64(0), f"{self.name}/iter:0")
        self.slots: dict[tuple[str, int], Window] = {}

    def __getattr__(self, name: str) -> Any:
        if name == "config" or name not in self.config:
            raise AttributeError(name)
        return self.config[name]

    @property
    def variables(self) -> list[Window]:
        return [self.iterations, *self.slots.values()]

    def build(self, variables: Sequence[Window]) -> None:
        """Make the slots and join everything."""
        if self.slots or hasattr(variables[0], "joined"):
            return
        start = self.config.get("initial_accumulator_value", 0.0)
        wanted = [slot for slot, by in SLOTS[self.kind].items() if by is None or self.config[by]]
        for slot in wanted:
            for v in variables:
                self.slots[slot, id(v)] = Window(
                    np.full(v.shape, start, v.vector.dtype), f"{self.name}/{v.name}/{slot}:0"
                )
        for dtype in dict.fromkeys(v.vector.dtype for v in variables):
            own = [v for v in variables if v.vector.dtype == dtype]
            for windows in ([self.slots[slot, id(v)] for v in own] for slot in wanted):
                join(windows, dtype)
            join(own, dtype)
        variables[0].joined = True  # type: ignore[attr-defined]  # a mark of ours on a variable of another

    def apply_gradients(self, pairs: Any) -> None:
        pairs = list(pairs)
        variables = [v for _, v in pairs]
        self.build(variables)
        with np.errstate(all="ignore"):
            for dtype in dict.fromkeys(v.vector.dtype for v in variables):
                own = [(np.asarray(g), v) for g, v in pairs if v.vector.dtype == dtype]
                gradients = np.concatenate([g.ravel() for g, _ in own])
                slots = {slot: w.vector for (slot, _), w in self.slots.items() if w.vector.dtype == dtype}

                def constant(name: str, dtype: np.dtype = dtype) -> Any:
                    value = self.config[name]
                    return dtype.type(value if name == "epsilon" else np.float32(value))

                KINDS[self.kind][0](self, own[0][1].vector, gradients, slots, constant)
        self.iterations.assign(self.iterations.vector[0] + 1)


def join(windows: Sequence[Window], dtype: np.dtype) -> None:
    """Make these windows into one vector."""
    vector, start = np.zeros(sum(w.vector[w.part].size for w in windows), dtype), 0
    for window in windows:
        size = window.vector[window.part].size
        window.move_to(vector, start)
        start += size


def implementation() -> KerasShaped:
    """For `--impl=tests.right.joined:implementation`."""
    classes = {kind: type(kind, (Optimizer,), {"kind": kind}) for kind in KINDS}
    return KerasShaped(
        "joined",
        dict.fromkeys(EDITIONS, SimpleNamespace(**classes)),
        lambda value, name, constraint=None: Window(value, name),
        lambda value: value,
        features=FEATURES,
    )
