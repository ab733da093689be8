"""Right, number by number: Keras 3 in plain Python, with no array in it.

A variable is a list of numbers, a step a function from one state to the next, and a rule a function of one weight,
its gradient and its slots. Sums run over lists in the order of the processor's lanes. Operands are swapped wherever
that changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from goldenstep.conformance.keras_shaped import KerasShaped

FEATURES = (
    "dense", "none", "clipping", "ema", "weight_decay", "accumulation", "loss_scale", "learning_rate",
)  # fmt: skip


class InvalidArgumentError(Exception):
    """As TensorFlow calls it: operands that don't go together."""


class Number:
    """A float of some dtype, whose results are rounded to it and whose denormal numbers are zeros of the same sign."""

    __slots__ = ("x",)

    def __init__(self, x: Any) -> None:
        tiny = TINY.get(x.dtype.name)
        self.x = x * 0 if tiny and 0 < abs(x) < tiny else x

    def __add__(self, other: Number) -> Number:
        return Number(self.x + other.x)

    def __sub__(self, other: Number) -> Number:
        return Number(self.x - other.x)

    def __mul__(self, other: Number) -> Number:
        return Number(self.x * other.x)

    def __truediv__(self, other: Number) -> Number:
        return Number(self.x / other.x)

    def __pow__(self, other: Number) -> Number:
        return Number(self.x**other.x)

    def __neg__(self) -> Number:
        return Number(-self.x)

    def like(self, value: float) -> Number:
        """A constant of the same dtype."""
        return Number(self.x.dtype.type(value))


TINY = {"float32": np.finfo(np.float32).tiny, "float64": np.finfo(np.float64).tiny}
Numbers = list[Number]
Slots = dict[str, Number]


def root(a: Number) -> Number:
    """The square root."""
    return Number(np.sqrt(a.x))


def most(a: Number, b: Number) -> Number:
    """The larger one; NaN if one is NaN."""
    return a if a.x > b.x or np.isnan(a.x) else b


def least(a: Number, b: Number) -> Number:
    """The smaller one; NaN if one is NaN."""
    return a if a.x < b.x or np.isnan(a.x) else b


def total(numbers: Numbers) -> Number:
    """The sum as the processor takes it: in lanes, four packets at a time, then folded; what is left over last."""
    lanes = 4 if numbers[0].x.dtype == np.float64 else 8
    packets = [numbers[i : i + lanes] for i in range(0, len(numbers) - len(numbers) % lanes, lanes)]
    left = numbers[len(packets) * lanes :]
    fours = len(packets) // 4 * 4
    sums = [added(packets[lane:fours:4]) for lane in range(4)] if fours else []
    folded = added([*sums, *packets[fours:]]) or [numbers[0].like(0)]
    half = folded[0].x.dtype
    if half == np.float16:
        folded = [Number(np.float32(n.x)) for n in folded]
    while len(folded) > 1:
        middle = len(folded) // 2
        folded = [a + b for a, b in zip(folded[:middle], folded[middle:], strict=True)]
    rest = added([[n] for n in left]) or [numbers[0].like(0)]
    return Number(half.type(folded[0].x)) + rest[0]


def added(packets: list[Numbers]) -> Numbers:
    """Packets added lane by lane, one after the other."""
    result: Numbers = []
    for packet in packets:
        result = [a + b for a, b in zip(result, packet, strict=True)] if result else packet
    return result


# ---- rules: a weight, its gradient, its slots and constants to a weight and slots -----------------------------

Rule = Callable[[Number, Number, Slots, Any], tuple[Number, Slots]]


def sgd(w: Number, g: Number, s: Slots, c: Any) -> tuple[Number, Slots]:
    """With momentum, perhaps Nesterov's, or without."""
    pull = c.learning_rate * g
    if not c.config["momentum"]:
        return w - pull, {}
    momentum = c.through_float32("momentum")
    speed = momentum * s["momentum"] - pull
    return (momentum * speed - pull if c.config["nesterov"] else speed) + w, {"momentum": speed}


def adam(w: Number, g: Number, s: Slots, c: Any) -> tuple[Number, Slots]:
    """With a running maximum or without."""
    one = g.like(1)
    b1, b2 = c.through_float32("beta_1"), c.through_float32("beta_2")
    pace = root(one - b2**c.t) * c.learning_rate / (one - b1**c.t)
    mean = c.rest("beta_1") * (g - s["momentum"]) + s["momentum"]
    square = c.rest("beta_2") * (g * g - s["velocity"]) + s["velocity"]
    kept = {"momentum": mean, "velocity": square}
    divisor = square
    if c.config["amsgrad"]:
        divisor = kept["velocity_hat"] = most(s["velocity_hat"], square)
    return w - pace * mean / (c.constant("epsilon") + root(divisor)), kept


def adamax(w: Number, g: Number, s: Slots, c: Any) -> tuple[Number, Slots]:
    """Adam by the largest gradient."""
    mean = c.rest("beta_1") * (g - s["momentum"]) + s["momentum"]
    largest = most(s["norm"] * c.constant("beta_2"), Number(abs(g.x)))
    corrected = (g.like(1) - c.through_float32("beta_1") ** c.t) * (c.constant("epsilon") + largest)
    return w - mean * c.learning_rate / corrected, {"momentum": mean, "norm": largest}


def adagrad(w: Number, g: Number, s: Slots, c: Any) -> tuple[Number, Slots]:
    """By the sum of all squares."""
    squares = g * g + s["accumulator"]
    return w - g * c.learning_rate / root(c.constant("epsilon") + squares), {"accumulator": squares}


def adadelta(w: Number, g: Number, s: Slots, c: Any) -> tuple[Number, Slots]:
    """By the ratio of two running means."""
    rho, rest, epsilon = c.constant("rho"), c.rest("rho"), c.constant("epsilon")
    squares = (g * g) * rest + s["accumulated_grad"] * rho
    change = g * root(epsilon + s["accumulated_delta_var"]) / root(epsilon + squares)
    changes = (change * change) * rest + s["accumulated_delta_var"] * rho
    return w - change * c.learning_rate, {"accumulated_grad": squares, "accumulated_delta_var": changes}


def rmsprop(w: Number, g: Number, s: Slots, c: Any) -> tuple[Number, Slots]:
    """By a running mean of squares, perhaps about their mean, perhaps with momentum."""
    rho, rest = c.constant("rho"), c.rest("rho")
    kept = {"velocity": g * g * rest + s["velocity"] * rho}
    spread = kept["velocity"]
    if c.config["centered"]:
        mean = kept["average_gradient"] = g * rest + s["average_gradient"] * rho
        spread = spread - mean * mean
    step = g * c.learning_rate / root(spread + c.constant("epsilon"))
    if c.config["momentum"]:
        step = kept["momentum"] = s["momentum"] * c.constant("momentum") + step
    return w - step, kept


def lion(w: Number, g: Number, s: Slots, c: Any) -> tuple[Number, Slots]:
    """By the sign of a mean."""
    b1, b2, one = c.through_float32("beta_1"), c.through_float32("beta_2"), g.like(1)
    ahead = g * (one - b1) + s["momentum"] * b1
    return w - Number(np.sign(ahead.x)) * c.rate_through_float32, {"momentum": g * (one - b2) + s["momentum"] * b2}


Option = dict[str, Any]
ADAM: Option = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
OWN: dict[str, tuple[Rule, Option]] = {
    "SGD": (sgd, {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}),
    "Adam": (adam, {**ADAM, "amsgrad": False}),
    "AdamW": (adam, {"learning_rate": 0.001, "weight_decay": 0.004, **ADAM, "amsgrad": False}),
    "Adamax": (adamax, ADAM),
    "Adagrad": (adagrad, {"learning_rate": 0.001, "initial_accumulator_value": 0.1, "epsilon": 1e-7}),
    "Adadelta": (adadelta, {"learning_rate": 0.001, "rho": 0.95, "epsilon": 1e-7}),
    "RMSprop": (
        rmsprop,
        {"learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False},
    ),
    "Lion": (lion, {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.99}),
}
COMMON: Option = {
    "weight_decay": None, "clipnorm": None, "clipvalue": None, "global_clipnorm": None, "use_ema": False,
    "ema_momentum": 0.99, "ema_overwrite_frequency": None, "loss_scale_factor": None,
    "gradient_accumulation_steps": None, "name": None,
}  # fmt: skip


def slots_of(optimizer: str, config: Option) -> list[str]:
    """The slots of each variable, in order."""
    names = {
        "SGD": ["momentum"] * bool(config.get("momentum")),
        "Adamax": ["momentum", "norm"],
        "Adagrad": ["accumulator"],
        "Adadelta": ["accumulated_grad", "accumulated_delta_var"],
        "RMSprop": ["velocity"]
        + ["momentum"] * bool(config.get("momentum"))
        + ["average_gradient"] * bool(config.get("centered")),
        "Lion": ["momentum"],
    }
    return names.get(optimizer, ["momentum", "velocity", *["velocity_hat"] * bool(config.get("amsgrad"))])


class Constants:
    """The hyperparameters of a step, each rounded to the dtype of a variable as the rule needs it."""

    def __init__(self, config: Option, rate: Any, t: int, dtype: np.dtype) -> None:
        self.config = config
        self.dtype = dtype
        self.learning_rate = Number(dtype.type(rate))
        self.rate_through_float32 = Number(dtype.type(np.float32(rate)))
        self.t = Number(dtype.type(t))

    def constant(self, name: str) -> Number:
        return Number(self.dtype.type(self.config[name]))

    def through_float32(self, name: str) -> Number:
        return Number(self.dtype.type(np.float32(self.config[name])))

    def rest(self, name: str) -> Number:
        return Number(self.dtype.type(1 - self.config[name]))


# ---- variables, and the pipeline ------------------------------------------------------------------------------


class Cells:
    """A variable: numbers in a list, and a shape to show them in."""

    def __init__(self, value: Any, name: str = "variable") -> None:
        self.name = self.path = name
        self.assign(value)

    def assign(self, value: Any) -> None:
        array = np.asarray(value, getattr(self, "dtype", None))
        expected: tuple[int, ...] = getattr(self, "shape", array.shape)
        if array.shape != expected:
            raise ValueError(f"expected shape {expected}, got {array.shape}")
        self.shape, self.dtype = array.shape, array.dtype
        self.numbers: list[Any] = list(array.ravel())

    def numpy(self) -> np.ndarray:
        return np.array(self.numbers, self.dtype).reshape(self.shape)

    def read(self) -> Numbers:
        return [Number(x) for x in self.numbers]

    def write(self, numbers: Numbers) -> None:
        self.numbers = [n.x for n in numbers]


class Optimizer:
    """The pipeline of Keras 3, for a rule."""

    kind: str

    def __init__(self, **given: Any) -> None:
        own = OWN[self.kind][1]
        unknown = set(given) - {*own, *COMMON}
        if unknown:
            raise ValueError(f"unknown arguments: {sorted(unknown)}")
        self.config: Option = {**COMMON, **own, **given}
        self.name = self.config["name"] or NAMES[self.kind]
        self.count = Cells(np.int64(0), f"{self.name}/iteration")
        self.rate: Any = self.config["learning_rate"]
        if not callable(self.rate):
            self.rate = Cells(np.float32(self.rate), f"{self.name}/learning_rate")
        self.known: list[Any] = []
        self.kept: dict[tuple[int, str], Cells] = {}
        self.spared: tuple[set[int], list[str]] = set(), []

    def __getattr__(self, name: str) -> Any:
        if name == "config" or name not in self.config:
            raise AttributeError(name)
        return self.config[name]

    def __setattr__(self, name: str, value: Any) -> None:
        config = self.__dict__.get("config", {})
        if name == "learning_rate":
            self.set_rate(value)
        elif name in config and name != "name":
            config[name] = value
        else:
            super().__setattr__(name, value)

    def set_rate(self, value: Any) -> None:
        if callable(self.rate):
            self.rate(), self.rate()
        if callable(value):
            super().__setattr__("rate", value)
        else:
            self.rate.assign(value)

    @property
    def iterations(self) -> Any:
        every = self.config["gradient_accumulation_steps"]
        return int(self.count.numbers[0]) // every if every else self.count

    @property
    def variables(self) -> list[Cells]:
        first = [self.count] if callable(self.rate) else [self.count, self.rate]
        return [*first, *self.kept.values()]

    def build(self, variables: Sequence[Any]) -> None:
        if self.known:
            return
        self.known = list(variables)
        for slot in ["average"] * self.config["use_ema"]:
            self.make(slot, variables)
        for slot in ["gradient_accumulator"] * bool(self.config["gradient_accumulation_steps"]):
            self.make(slot, variables)
        order = slots_of(self.kind, self.config)
        together = self.kind in ("Adam", "AdamW", "Adamax", "Adadelta") and [order[:2], order[2:]]
        for group in together or [[slot] for slot in order]:
            for variable in variables:
                for slot in group:
                    self.make(slot, [variable])

    def make(self, slot: str, variables: Sequence[Any]) -> None:
        start = self.config.get("initial_accumulator_value", 0) if slot == "accumulator" else 0
        for v in variables:
            self.kept[id(v), slot] = Cells(np.full(v.shape, np.float32(start), v.dtype), f"{self.name}/{v.path}_{slot}")

    def exclude_from_weight_decay(self, var_list: Any = None, var_names: Any = None) -> None:
        super().__setattr__("spared", ({id(v) for v in var_list or ()}, list(var_names or ())))

    def finalize_variable_values(self, variables: Sequence[Any]) -> None:
        if self.config["use_ema"]:
            if not self.known:
                raise AttributeError("there are no averages before the first step")
            for variable, own in zip(variables, self.known, strict=False):
                variable.assign(self.kept[id(own), "average"].numpy())

    def apply_gradients(self, pairs: Any) -> None:
        pairs = list(pairs)
        if not pairs:
            raise ValueError("expected pairs")
        self.build([v for _, v in pairs])
        if any(not any(v is known for known in self.known) for _, v in pairs):
            raise ValueError("a variable that is not known")
        present = [(v, [Number(x) for x in np.asarray(g).ravel()]) for g, v in pairs if g is not None]
        if not present:
            raise ValueError("no gradients")
        with np.errstate(all="ignore"):
            self.step([v for v, _ in present], [g for _, g in present])

    def step(self, variables: list[Any], gradients: list[Numbers]) -> None:
        factor = self.config["loss_scale_factor"]
        if factor is not None:
            gradients = [[n / n.like(factor) for n in g] for g in gradients]
        ready = self.gathered(variables, gradients)
        if ready:
            gradients = clipped(ready, self.config)
            for v in variables:
                self.decay(v)
            rate = self.rate_now()
            t = int(np.asarray(getattr(self.iterations, "numbers", [self.iterations])[0])) + 1
            for v, g in zip(variables, gradients, strict=True):
                self.move(v, g, Constants(self.config, rate, t, v.dtype))
            for v in self.known if self.config["gradient_accumulation_steps"] else ():
                self.kept[id(v), "gradient_accumulator"].assign(np.zeros(v.shape, v.dtype))
        self.average()
        self.count.assign(self.count.numbers[0] + 1)

    def rate_now(self) -> Any:
        return np.float32(self.rate()) if callable(self.rate) else self.rate.numbers[0]

    def gathered(self, variables: list[Any], gradients: list[Numbers]) -> list[Numbers]:
        """The mean of the gradients of several calls, in the last of them; nothing in the others."""
        every = self.config["gradient_accumulation_steps"]
        if not every:
            return gradients
        cells = [self.kept[id(v), "gradient_accumulator"] for v in variables]
        sums = [[a + b for a, b in zip(c.read(), g, strict=True)] for c, g in zip(cells, gradients, strict=True)]
        if (int(self.count.numbers[0]) + 1) % every == 0:
            return [[n / n.like(every) for n in numbers] for numbers in sums]
        for cell, numbers in zip(cells, sums, strict=True):
            cell.write(numbers)
        return []

    def decay(self, variable: Any) -> None:
        share = self.config["weight_decay"]
        ids, patterns = self.spared
        spared = id(variable) in ids or any(re.search(p, f"{variable.path}:0") for p in patterns)
        if share is not None and not spared:
            rate = self.rate_now()
            both = [Number(variable.dtype.type(np.float32(x))) for x in (share, rate)]
            variable.write([n - both[0] * n * both[1] for n in variable.read()])

    def move(self, variable: Any, gradient: Numbers, constants: Constants) -> None:
        rule, names = OWN[self.kind][0], slots_of(self.kind, self.config)
        if any((id(variable), name) not in self.kept for name in names):
            raise IndexError("a slot that build has not made")
        cells = {name: self.kept[id(variable), name] for name in names}
        columns = {name: cell.read() for name, cell in cells.items()}
        weights: Numbers = []
        gradient = [n if n.x.dtype == variable.dtype else cast(n, variable.dtype) for n in gradient]
        for i, (w, g) in enumerate(zip(variable.read(), gradient, strict=True)):
            weight, new = rule(w, g, {name: column[i] for name, column in columns.items()}, constants)
            weights.append(weight)
            for name, number in new.items():
                columns[name][i] = number
        variable.write(weights)
        for name, column in columns.items():
            cells[name].write(column)

    def average(self) -> None:
        if not self.config["use_ema"]:
            return
        done = int(np.asarray(getattr(self.iterations, "numbers", [self.iterations])[0]))
        every = self.config["ema_overwrite_frequency"]
        for v in self.known:
            cell = self.kept[id(v), "average"]
            keep = Number(v.dtype.type(self.config["ema_momentum"] if done else 0))
            pairs = zip(cell.read(), v.read(), strict=True)
            cell.write([a * keep + w * (keep.like(1) - keep) for a, w in pairs])
            if every and (done + 1) % every == 0:
                v.assign(cell.numpy())


def cast(number: Number, dtype: np.dtype) -> Number:
    """As TensorFlow casts: a float64 becomes a float16 by way of float32."""
    return Number(dtype.type(np.float32(number.x) if dtype == np.float16 else number.x))


def clipped(gradients: list[Numbers], config: Option) -> list[Numbers]:
    """By the one kind that is given and greater than 0."""
    if (config["clipnorm"] or 0) > 0:
        return [by_norm(g, config["clipnorm"]) for g in gradients]
    if (config["global_clipnorm"] or 0) > 0:
        if len({g[0].x.dtype for g in gradients if g}) > 1:  # TensorFlow has no sum of two dtypes
            raise InvalidArgumentError("the gradients have several dtypes, but one norm")
        return by_norm_of_all(gradients, config["global_clipnorm"])
    limit = config["clipvalue"] or 0
    if limit > 0:
        return [[most(least(n, n.like(limit)), n.like(-limit)) for n in g] for g in gradients]
    return gradients


def by_norm(gradient: Numbers, limit: float) -> Numbers:
    if not gradient:
        return gradient
    squares = total([n * n for n in gradient])
    norm = root(squares) if squares.x > 0 else squares
    most_of = most(norm, norm.like(limit))
    return [n * n.like(limit) / most_of for n in gradient]


def by_norm_of_all(gradients: list[Numbers], limit: float) -> list[Numbers]:
    sums = [total([n * n for n in g]) for g in gradients if g]
    if not sums:
        return gradients
    norm = root(total(sums))
    inverse = least(norm.like(1) / norm, norm.like(1 / limit))
    factor = inverse * norm.like(limit) + (norm - norm)
    return [[n * factor for n in g] for g in gradients]


NAMES = {"SGD": "sgd", "AdamW": "adam_w", "RMSprop": "rm_sprop"} | {
    kind: kind.lower() for kind in OWN if kind not in ("SGD", "AdamW", "RMSprop")
}


def implementation() -> KerasShaped:
    """For `--impl=tests.right.functional:implementation`."""
    classes = {kind: type(kind, (Optimizer,), {"kind": kind}) for kind in OWN}
    return KerasShaped(
        "functional",
        {"keras3": SimpleNamespace(**classes)},
        lambda value, name, constraint=None: Cells(value, name),
        lambda value: value,
        features=FEATURES,
    )
