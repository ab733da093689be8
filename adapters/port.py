"""A library that is not shaped like Keras, as an implementation: its mapping as data, and a few calls of its own.

`mapping.json` in an adapter's folder says which class and which arguments stand for those of an edition, and which
entry of the library's state stands for which slot (schema: spec/schemas/adapter.schema.json). What it does not name is
unsupported. `Training` is what is written by hand for each library. An adapter maps and never repairs: no epsilon is
converted, no sign is turned, no state is made up; where the library computes something else, the suite has to say so.
"""

from __future__ import annotations

import abc
import functools
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from goldenstep import spec
from goldenstep.conformance.keras_shaped import Run
from goldenstep.golden.codec import array, unflat
from goldenstep.golden.compare import expected_layout, full_config
from goldenstep.spec.layout import Entry

Document = dict[str, Any]


class Training(abc.ABC):
    """A library's optimizer at work on some variables, each called by its index in the case."""

    @abc.abstractmethod
    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        """One step; a variable without a gradient has None."""

    @abc.abstractmethod
    def weight(self, index: int) -> np.ndarray:
        """The value of a variable."""

    @abc.abstractmethod
    def assign(self, index: int, value: np.ndarray) -> None:
        """Another value for a variable."""

    @abc.abstractmethod
    def slot(self, index: int, entry: str) -> np.ndarray | None:
        """The value of an entry of a variable's state, or None while the library has not made it."""

    @abc.abstractmethod
    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        """Another value for an entry of a variable's state."""

    @abc.abstractmethod
    def set_steps(self, count: int) -> None:
        """As if so many steps had been taken: what the library counts or multiplies up with each."""

    @abc.abstractmethod
    def set_learning_rate(self, value: float) -> None:
        """Another learning rate from the next step on."""


Start = Callable[[Document, Document, Document, list[np.ndarray]], Training]


class Port:
    """An implementation (it has `run`) made of a mapping and of `start(optimizer, arguments, clipping, variables)`.

    `optimizer` is the mapping's document of the optimizer, `arguments` holds the library's arguments by name,
    `clipping` the functions that clip the gradients, each with its limit.
    """

    def __init__(self, name: str, version: str, start: Start) -> None:
        self.name = name
        self.version = version
        self.mapping = mapping(name)
        self.editions: list[str] = [self.mapping["edition"]]
        self.tolerance = "port"
        self.exposes = {name: list(optimizer["state"]) for name, optimizer in self.mapping["optimizers"].items()}
        listed = Path(__file__).parent / name / "known-failures.toml"
        self.known_failures = listed if listed.exists() else None
        self._start = start
        self._training: Training | None = None

    def optimizer(self, case: Document) -> Document:
        """The mapping's document of the case's optimizer."""
        return dict(self.mapping["optimizers"][case["optimizer"]["class_name"]])

    def supports(self, case: Document) -> str | None:
        """None if the mapping has everything that the case asks for, otherwise what it has not."""
        return next(self._missing(case), None)

    def _missing(self, case: Document) -> Iterator[str]:
        if case["edition"] not in self.editions:
            yield f"edition {case['edition']} is not claimed"
        if "schedule" in case:
            yield "no schedules"
            return
        yield from (f"no {feature}" for feature in case["features"] if feature not in self.mapping["features"])
        name = case["optimizer"]["class_name"]
        if name not in self.mapping["optimizers"]:
            yield f"no {name}"
            return
        optimizer = self.optimizer(case)
        for variable in case["variables"]:
            dtype, rank = variable["value"]["dtype"], len(variable["value"]["shape"])
            if dtype not in self.mapping["dtypes"]:
                yield f"no {dtype}"
            if rank not in optimizer.get("ranks", [rank]):
                yield f"{name} takes no array of rank {rank}"
            if "empty" in self.mapping.get("refuses", ()) and 0 in variable["value"]["shape"]:
                yield "no empty arrays"
        known = {*keras_names(optimizer), *self.mapping.get("clipping", {})}
        defaults = full_config({**case, "optimizer": {"class_name": name, "config": {}}})
        for argument, value in full_config(case).items():
            only = optimizer.get("only", {})
            if isinstance(value, dict):
                yield f"{argument} that is no number"
            elif argument in only and value not in only[argument]:
                yield f"no {argument}={value}"
            elif argument not in known and argument not in only and value != defaults.get(argument):
                yield f"no argument {argument}"
        yield from filter(None, (unplayable(event) for event in case["events"]))

    def run(self, case: Document) -> Document:
        """The trajectory of a case."""
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return PortRun(self, case).trajectory()  # type: ignore[arg-type]

    def construct(self, case: Document) -> Optimizer:
        """The library's optimizer at the case's variables, with the attributes of one of Keras."""
        values = [array(variable["value"]) for variable in case["variables"]]
        clipping = {
            self.mapping["clipping"][name]: value
            for name, value in full_config(case).items()
            if name in self.mapping.get("clipping", {}) and value is not None
        }
        document = self.optimizer(case)
        self._training = self._start(document, self.arguments(case), clipping, values)
        return Optimizer(self._training, case, document)

    def variables(self, case: Document) -> list[Weight]:
        """The variables of the optimizer that was made last."""
        assert self._training is not None
        return [Weight(self._training, index) for index in range(len(case["variables"]))]

    def tensor(self, value: np.ndarray) -> np.ndarray:
        """A gradient as it is."""
        return value

    def arguments(self, case: Document) -> Document:
        """The library's arguments: every one that is mapped, but for those that stay as the library has them."""
        optimizer, config, given = self.optimizer(case), full_config(case), case["optimizer"]["config"]
        found: Document = dict(optimizer.get("fixed", {}))
        for own, keras in optimizer["arguments"].items():
            names = keras if isinstance(keras, list) else [keras]
            left = [name for name in names if name in optimizer.get("own_default", ())]
            if any(config[name] is None for name in names):
                if own in optimizer.get("when_none", {}):
                    found[own] = optimizer["when_none"][own]
                continue
            if left and not set(left) & set(given):
                continue
            found[own] = tuple(config[name] for name in names) if isinstance(keras, list) else config[keras]
        return found


class PortRun(Run):
    """A case played on a library; the recorded state that is loaded has entries which the library lacks."""

    def load(self, step: Document) -> None:
        """Overwrite the variables, what the library has of the state, and what it counts."""
        self.count = step["step"]
        optimizer: Optimizer = self.optimizer
        for variable, values in zip(self.variables, step["variables"], strict=True):
            now = variable.numpy()
            variable.assign(unflat(values, now.dtype, now.shape))
        optimizer.load(step["state"])


class Weight:
    """A variable of a library as Keras shows one."""

    def __init__(self, training: Training, index: int) -> None:
        self.training = training
        self.index = index

    def numpy(self) -> np.ndarray:
        """The value."""
        return self.training.weight(self.index)

    def assign(self, value: np.ndarray) -> None:
        """Another value."""
        self.training.assign(self.index, value)


class Slot:
    """An entry of a library's state under the name that the edition has for it."""

    def __init__(self, path: str, value: np.ndarray) -> None:
        self.path = path
        self.value = value

    def numpy(self) -> np.ndarray:
        """The value."""
        return self.value


class Optimizer:
    """A library's optimizer with the attributes of one of Keras."""

    def __init__(self, training: Training, case: Document, document: Document) -> None:
        self.training = training
        self.document = document
        self.layout: list[Entry] = expected_layout(case)
        self.started = False
        self._learning_rate = float(full_config(case)["learning_rate"])

    def apply_gradients(self, pairs: Sequence[tuple[np.ndarray | None, Weight]]) -> None:
        """One step; variables that are not named have no gradient."""
        found: dict[int, np.ndarray | None] = {variable.index: gradient for gradient, variable in pairs}
        count = 1 + max(
            (entry.owner for entry in self.layout if entry.owner is not None), default=max(found, default=-1)
        )
        self.started = True
        self.training.apply([found.get(index) for index in range(max(count, 1 + max(found, default=-1)))])

    @property
    def variables(self) -> list[Slot]:
        """The state as far as the library has it now; Keras, too, makes its slots in the first step."""
        found = []
        for entry in self.layout if self.started else []:
            own = self.document["state"].get(entry.slot)
            value = self.training.slot(entry.owner or 0, own) if own else None
            if value is not None:
                found.append(Slot(entry.name, value))
        return found

    @property
    def learning_rate(self) -> float:
        """The learning rate."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._learning_rate = float(value)
        self.training.set_learning_rate(self._learning_rate)

    def load(self, state: list[Any]) -> None:
        """Take the recorded state: its slots, its count of steps, its learning rate."""
        pairs = [  # before the first step there are no slots yet
            (entry, unflat(v, entry.dtype, entry.shape)) for entry, v in zip(self.layout, state, strict=False)
        ]
        for entry, value in pairs:
            if entry.kind == "learning_rate" and np.float32(self._learning_rate) != value:
                self.learning_rate = float(value)
        factors = {
            "1": 1.0,
            "-1": -1.0,
            "1/learning_rate": 1 / self._learning_rate,
            "-1/learning_rate": -1 / self._learning_rate,
        }
        owners = [i for i in range(len(self.layout)) if any(entry.owner == i for entry in self.layout)]
        for entry, value in pairs:
            if entry.kind == "iteration":
                self.training.set_steps(int(value))
        for entry, value in pairs:
            own = self.document["state"].get(entry.slot)
            restored = self.document.get("restored", {}).get(entry.slot, {"entry": own, "times": "1"})
            if restored["entry"]:
                scaled = value if restored["times"] == "1" else value * value.dtype.type(factors[restored["times"]])
                for owner in owners if entry.owner is None else [entry.owner]:
                    self.training.assign_slot(owner, restored["entry"], scaled)


def keras_names(optimizer: Document) -> set[str]:
    """Every argument of Keras that a mapping has a use for."""
    values = optimizer["arguments"].values()
    return {name for value in values for name in (value if isinstance(value, list) else [value])}


def unplayable(event: Document) -> str | None:
    """Why a port can't play an event: it takes gradients and learning rates."""
    if "repeat" in event:
        return next(filter(None, map(unplayable, event["events"])), None)
    inner = event.get("attempt", event)
    if "set" in inner:
        changed = inner["set"]
        ok = set(changed) <= {"learning_rate"} and not any(isinstance(value, dict) for value in changed.values())
        return None if ok else f"{', '.join(changed)} can't be set"
    return None if "apply" in inner or "load" in inner else f"no {next(iter(inner))}"


@functools.cache
def mapping(name: str) -> Document:
    """The mapping of an adapter; spec.SpecificationError if it is not as its schema has it."""
    document = json.loads((resources.files(__package__) / name / "mapping.json").read_text("utf-8"))
    spec.validate(document, "adapter", f"adapters/{name}/mapping.json")
    return dict(document)
