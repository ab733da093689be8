"""The learning-rate schedules: one file each, and here the classes that an edition makes of them.

A class made by `schedules_of` has the release's name, signature, config and errors, all from the specification in
spec/schedules/; what it computes is the function that its file names for the edition.
"""

from __future__ import annotations

import importlib
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np

from goldenstep.spec import editions
from goldenstep.spec import schedule as spec

from .. import bits
from ..errors import InvalidArgumentError
from ..variable import Variable
from .scalars import tensor

Document = dict[str, Any]
ERRORS: dict[str, type[Exception]] = {
    error.__name__: error for error in (TypeError, ValueError, IndexError, InvalidArgumentError)
}
IN_GRAPH = ContextVar("in_graph", default=False)
"""Is a schedule called while a graph runs? There Grappler has rewritten it: the table GRAPH of its file."""
STAGES = {"construct": "from the constructor", "call": "from a call"}


class LearningRateSchedule:
    """Base of all schedules, and of your own: write `__call__(step)` and, to be serialized, `get_config()`."""

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `__call__(self, step)`."
        )

    def get_config(self) -> Document:
        """The arguments of the constructor, by name."""
        raise NotImplementedError(
            f"Learning rate schedule '{type(self).__name__}' must override `get_config()` to be serializable."
        )

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> LearningRateSchedule:
        """The schedule that `get_config` described."""
        return cls(**config)


class Specified(LearningRateSchedule):
    """A schedule of the specification in one edition; its arguments are attributes of the same names."""

    edition: ClassVar[str]
    schedule: ClassVar[str]
    function: ClassVar[Callable[..., Any]]
    function_in_graph: ClassVar[Callable[..., Any]]
    needs: ClassVar[list[str]]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        bound = inspect.signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        self._names = list(bound.arguments)
        self.generator = np.random.default_rng()
        vars(self).update(bound.arguments)
        self._refuse("construct")

    def get_config(self) -> Document:
        """The arguments of the constructor, by name, in the order of the signature."""
        return {name: getattr(self, name) for name in self._names}

    def __call__(self, step: Any) -> Any:
        """The learning rate at a step, as a numpy scalar of the dtype that the release returns."""
        step = np.asarray(step.value if isinstance(step, Variable) else tensor(step))
        rate = getattr(self, "initial_learning_rate", step)
        with np.errstate(all="ignore"):
            self._refuse("call", step.astype(tensor(rate).dtype)[()])
        given = {name: getattr(self, name) for name in self.needs}
        function = type(self).function_in_graph if IN_GRAPH.get() else type(self).function
        (rate,) = bits.run(lambda step: (function(step, **given),), step)
        return np.asarray(rate)[()]

    @property
    def noise(self) -> np.float32:
        """The next standard normal number of `generator`, which may be replaced by a seeded one."""
        return np.float32(self.generator.standard_normal())

    def _refuse(self, stage: str, step: Any = None) -> None:
        """Raise what the release raises at a stage, as the specification lists it."""
        entry = spec.refusal(self.schedule, self.edition, stage, spec.facts(self.get_config(), step))
        if entry:
            raise ERRORS[entry["type"]](f"{entry['message']} Received: {self.get_config()}")


def called(value: Any) -> Any:
    """A function is called, anything else given back as it is; a schedule is no function."""
    return value() if callable(value) and not isinstance(value, LearningRateSchedule) else value


def schedules_of(edition: str, module: str = "") -> SimpleNamespace:
    """The schedule classes of `edition`, or only those of "optimizers.schedules" or of "experimental"."""
    classes: dict[str, type] = {} if module == "experimental" else {"LearningRateSchedule": LearningRateSchedule}
    for name, document in spec.available(edition).items():
        public = document["editions"][spec.release(edition)]["public"]
        if any(path.endswith(f"{module}.{name}") for path in public):
            classes[name] = made(name, document, edition)
    return SimpleNamespace(**classes)


def made(name: str, document: Document, edition: str) -> type[Specified]:
    """The class of a schedule in `edition`: real name, real signature, help from the specification."""
    file = importlib.import_module(f"{__package__}.{re.sub('(?<!^)(?=[A-Z])', '_', name).lower()}")
    function = file.SCHEDULES[spec.release(edition)]
    parameters = [
        inspect.Parameter(
            argument["name"],
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            default=argument.get("default", inspect.Parameter.empty),
        )
        for argument in spec.arguments(name, edition)
    ]
    return type(
        name,
        (Specified,),
        {
            "__doc__": describe(document, edition),
            "__module__": __name__,
            "__signature__": inspect.Signature(parameters),
            "edition": edition,
            "schedule": name,
            "function": staticmethod(function),
            "function_in_graph": staticmethod(getattr(file, "GRAPH", file.SCHEDULES)[spec.release(edition)]),
            "needs": list(inspect.signature(function).parameters)[1:],
        },
    )


def describe(document: Document, edition: str) -> str:
    """The docstring of a schedule's class: what it is, its arguments, what it returns and what it refuses."""
    lines = [document["summary"], "", f"{document['name']} of {editions()[edition]['title']}.", "", "Args:"]
    for argument in spec.arguments(document["name"], edition):
        unit = f" [{argument['unit']}]" if argument.get("unit") not in (None, "1") else ""
        default = f" Default: {argument['default']!r}." if "default" in argument else ""
        text = f"{argument['name']}: {argument['meaning']}{unit}{default}"
        lines += textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="        ")
    lines += ["", "Returns:", "    From a call with a step: a numpy scalar, the learning rate at that step."]
    found = spec.refusals(document["name"], edition)
    lines += ["", "Raises:"] if found else []
    for entry in found:
        text = f"{entry['type']}: {STAGES[entry['stage']]}: {entry['message']}"
        lines += textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="        ")
    lines += ["", "Source:"]
    for source in document["sources"]:
        arxiv = f", arXiv:{source['arxiv']}" if source.get("arxiv") else ""
        lines += [f"    {source['authors']} {source['year']}, {source['title']}{arxiv}"]
    return "\n".join(lines)
