"""Calls of any method of an implementation's optimizer, and attributes read: what they give, and what they warn of."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np

from goldenstep import spec
from goldenstep.golden.codec import Rows, array, tensor
from goldenstep.spec.wrapper import wrappers

from . import schedules

if TYPE_CHECKING:
    from .keras_shaped import KerasShaped

Document = dict[str, Any]
LOGGERS = (None, "absl", "tensorflow")


class Losses(SimpleNamespace):
    """What a loss is made of: `tape()`, `read(variable)`, `square(x)`, `total(x)`."""


def events_of(case: Document) -> list[Document]:
    """The events, also those that may fail, without their wrapping."""
    return [event.get("attempt", event) for event in case["events"]]


def unsupported(implementation: KerasShaped, case: Document) -> str | None:
    """None if the optimizer has every method that its edition has and the case calls, otherwise which it has not."""
    called = {event["call"]["method"] for event in events_of(case) if "call" in event}
    called |= {event["get"] for event in events_of(case) if "get" in event}
    if case["optimizer"]["class_name"] in wrappers():
        return None
    optimizer = class_of(implementation, case)
    for method in sorted(called & set(spec.editions()[case["edition"]]["methods"])):
        if not hasattr(optimizer, method):
            return f"no method {method}"
    if "minimize" in case["features"] and case["edition"] != "keras3" and implementation.losses is None:
        return "no tape"
    return None


def class_of(implementation: KerasShaped, case: Document) -> Any:
    """The optimizer's class: the implementation's, or one that the case defines on the implementation's base."""
    names, given = implementation.namespaces[case["edition"]], case["optimizer"]
    if "source" not in given:
        return getattr(names, given["class_name"])
    defined: dict[str, Any] = {"Optimizer": names.Optimizer}
    exec("\n".join(given["source"]), defined)
    return defined[given["class_name"]]


class Caller:
    """The methods of one optimizer, with arguments and results as JSON has them."""

    def __init__(
        self, implementation: KerasShaped, optimizer: Any, variables: list[Any], edition: str, state: Callable[[], Any]
    ) -> None:
        self.implementation = implementation
        self.optimizer = optimizer
        self.variables = variables
        self.edition = edition
        self.state = state
        self.tape: Any = None

    def get(self, name: str) -> Document:
        """An attribute."""
        return {"returned": self.result(getattr(self.optimizer, name))}

    def call(self, event: Document) -> Document:
        """A method: what it returned, and the kinds of warnings that it gave."""
        self.tape = None
        arguments = [self.argument(a) for a in event.get("arguments", ())]
        keywords = {name: self.argument(a) for name, a in event.get("keywords", {}).items()}
        with Warned() as warned:
            returned = getattr(self.optimizer, event["method"])(*arguments, **keywords)
        answer = {"returned": self.result(returned)}
        return {**answer, "warned": warned.found} if warned.found else answer

    def argument(self, given: Any) -> Any:
        """The Python object that a JSON argument stands for."""
        if isinstance(given, list):
            return [self.argument(x) for x in given]
        if not isinstance(given, dict):
            return given
        kinds: dict[str, Callable[[Any], Any]] = {
            "variable": lambda index: self.variables[index],
            "state": lambda index: self.state()[index],
            "tensor": lambda value: self.implementation.tensor(array(value)),
            "array": array,
            "dtype": self.implementation.dtype,
            "function": self.function,
            "iterator": lambda items: iter(self.argument(items)),
            "loss": lambda terms: lambda: self.loss(terms),
            "loss_on_tape": self.loss_on_tape,
            "config": dict,
            "tape": lambda which: self.tape if which == "of the loss" else self.losses.tape(),
        }
        for kind, value in given.items():
            if kind in kinds:
                return kinds[kind](value)
        return value_of(schedules.made(self.implementation, given, self.edition))

    def function(self, given: Any) -> Callable[[], Any]:
        """A function without arguments."""
        made = self.argument(given)
        return lambda: made

    @property
    def losses(self) -> Losses:
        """What a loss is made of."""
        assert self.implementation.losses is not None
        return self.implementation.losses

    def loss(self, terms: list[Document]) -> Any:
        """The sum of `square * w**2` and `linear * w` over the elements of each term's variable."""
        make, found = self.losses, []
        for term in terms:
            variable = self.variables[term["of"]]
            now = np.asarray(variable)
            for name, power in (("square", make.square), ("linear", lambda w: w)):
                if name in term:
                    factors = np.array(term[name], now.dtype).reshape(now.shape)
                    found.append(make.total(self.implementation.tensor(factors) * power(make.read(variable))))
        total = found[0]
        for part in found[1:]:
            total = total + part
        return total

    def loss_on_tape(self, terms: list[Document]) -> Any:
        """The loss as a value, on a tape that is kept."""
        self.tape = self.losses.tape()
        with self.tape:
            return self.loss(terms)

    def result(self, value: Any) -> Any:
        """A returned object as JSON, see the schema of a trajectory."""
        if isinstance(value, list | tuple) and not isinstance(value, Rows):
            return [self.result(x) for x in value]
        if value is None or (isinstance(value, bool | int | float | str) and not isinstance(value, np.generic)):
            return value
        for kind, known in (("state", self.state()), ("variable", self.variables)):
            for index, variable in enumerate(known):
                if same(value, variable):
                    return {kind: index}
        if hasattr(value, "numpy") or isinstance(value, np.ndarray | np.generic):
            return tensor(np.asarray(value.numpy() if hasattr(value, "numpy") else value))
        if isinstance(value, dict):
            return {"dict": [[name, self.result(x)] for name, x in value.items()]}
        return {"type": type(value).__name__}


def value_of(given: Any) -> Any:
    """An argument or attribute: `{"callable": [...]}` stands for a function that returns one after the other.

    `{"multiply": factor}` stands for a function of a list of pairs that multiplies their gradients; a list may hold it.
    """
    if isinstance(given, list):
        return [value_of(one) for one in given]
    if isinstance(given, dict) and "multiply" in given:
        return lambda pairs: [(gradient * given["multiply"], variable) for gradient, variable in pairs]
    if not isinstance(given, dict) or "callable" not in given:
        return given
    values = iter(given["callable"])
    return lambda: next(values, given["callable"][-1])


def same(value: Any, variable: Any) -> bool:
    """Is it this variable, or TensorFlow's stand-in for it after an assignment?"""
    handles = [getattr(getattr(x, "value", x), "handle", getattr(x, "handle", None)) for x in (value, variable)]
    return value is variable or (handles[0] is not None and handles[0] is handles[1])


class Warned(logging.Handler):
    """What is logged as a warning, or warned of, in a `with` block."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[Document] = []
        self.seen: set[int] = set()
        self.caught = warnings.catch_warnings(record=True)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a logged warning, once."""
        if id(record) not in self.seen:
            self.seen.add(id(record))
            self.found.append({"category": "logged", "message": record.getMessage()[:300]})

    def __enter__(self) -> Warned:
        for name in LOGGERS:
            logging.getLogger(name).addHandler(self)
        self.warnings: Any = self.caught.__enter__()
        warnings.simplefilter("always")
        return self

    def __exit__(self, *raised: Any) -> None:
        self.caught.__exit__(*raised)
        for name in LOGGERS:
            logging.getLogger(name).removeHandler(self)
        warned = [w for w in self.warnings if w.category is UserWarning]
        self.found += [{"category": "UserWarning", "message": str(w.message)[:300]} for w in warned]
