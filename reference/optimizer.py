"""What the editions share: arguments and state made from the specification, and the call of a rule.

The road of a step:  apply_gradients (the edition's pipeline) -> `_update` here -> the rule, in `rules/`.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import textwrap
import traceback
from collections.abc import Callable, Collection, Iterable, Sequence
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

from goldenstep import spec
from goldenstep.spec.layout import Entry, Owner, facts, layout

from . import bits
from .errors import InvalidArgumentError
from .replicas import Step, summed
from .slices import densified
from .variable import Gradient, IndexedSlices, Variable

Rule = Callable[..., tuple[np.ndarray, ...]]
Plan = tuple[Rule, list[Variable], list[str]]


class Optimizer:
    """Base of every edition's base: an edition adds its pipeline, its names and its refusals.

    A subclass made by `optimizers_of` stands for one optimizer of one edition; `rules` is its rule file.
    """

    edition: ClassVar[str]
    optimizer: ClassVar[str]
    rules: ClassVar[ModuleType]
    _missing: ClassVar[type[Exception]] = IndexError
    _in_graph = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        bound = inspect.signature(type(self)).bind(*args, **kwargs)
        bound.apply_defaults()
        self._config: dict[str, Any] = dict(bound.arguments)
        self._accept(self._config.pop("kwargs", {}))
        self._refuse_values()
        self.name: Any = self._config["name"] or self._default_name()
        self._slots: dict[tuple[str, int | None], Variable] = {}
        self._names_apart: dict[str | None, str] = {}
        self._state: list[Variable] = []
        self._hidden: list[Variable] = []
        self._owned: list[Variable] = []
        self._plans: dict[int, Plan] = {}
        self._sparse_plans: dict[int, Plan] = {}
        self._refused: set[int] = set()
        self._create_slots([])
        self._iterations = self._slots["iteration", None]

    # ---- arguments -------------------------------------------------------------------------------------

    def _accept(self, kwargs: dict[str, Any]) -> None:
        """Take or refuse the keyword arguments that the signature does not name."""
        raise NotImplementedError

    def _refuse_values(self) -> None:
        """Raise what the release raises for values out of range, as the specification lists them."""
        for refusal in spec.refusals(self.optimizer, self.edition):
            value = self._config[refusal["argument"]]
            if refused(value, refusal):
                raise ERRORS[refusal["type"]](
                    f"{self.optimizer} of {self.edition}: {refusal['message']} Received: {refusal['argument']}={value}"
                )

    def _default_name(self, class_name: str | None = None) -> Any:
        """What an optimizer without a name is called: an edition says so."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        """An argument of the constructor is an attribute, too."""
        config = self.__dict__.get("_config", {})
        if name not in config:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return config[name]

    def __setattr__(self, name: str, value: Any) -> None:
        """Overwriting an argument changes the next step."""
        if name in self.__dict__.get("_config", ()) and not hasattr(type(self), name) and name != "name":
            self._config[name] = value
            self._choose_rules(self._owned)
        else:
            super().__setattr__(name, value)

    # ---- state -----------------------------------------------------------------------------------------

    @property
    def iterations(self) -> Variable:
        """int64 scalar: how many updates have been applied."""
        return self._iterations

    def _create_slots(self, variables: Sequence[Variable]) -> dict[tuple[str, int | None], Variable]:
        """Append the state of `variables`, in the release's order, and choose their rules; each piece by its place.

        A variable that stands twice has twice the state, and its rule goes by the last.
        """
        if variables and not isinstance(self.name, str):
            raise ValueError(f"the name of an optimizer must be a string. Received: name={self.name}")
        owners = [Owner(v.path, v.shape, v.dtype.name, v.overwrite_with_gradient) for v in variables]
        made: dict[tuple[str, int | None], Variable] = {}
        first = {id(v): i for i, v in reversed([*enumerate(variables)])}
        for entry in layout(self.optimizer, self.edition, self._config, owners, self._scope()):
            variable = None if entry.owner is None else variables[entry.owner]
            key = entry.slot or entry.kind, None if variable is None else id(variable)
            held = self._slots.get(key)
            if held is None or (variable is not None and first[id(variable)] != entry.owner):
                held = self._slots[key] = self._started(entry, variable)
            made[entry.slot or entry.kind, entry.owner] = held
            kept = self._hidden if entry.hidden or self._loses(entry, held) else self._state
            if not any(held is variable for variable in kept):
                kept.append(held)
        self._owned += [v for v in variables if id(v) not in self._plans]
        self._refused |= {id(v) for v in variables if self._refusal(v.shape, v.dtype, v)}
        self._choose_rules(variables)
        return made

    def _scope(self) -> str:
        """What the names of new state begin with."""
        return str(self.name)

    def _loses(self, entry: Entry, held: Variable) -> bool:
        """Does a wrapper lose sight of this piece of state?"""
        return False

    def _choose_rules(self, variables: Sequence[Variable]) -> None:
        """Each variable's rule, by the arguments as they are now."""
        for variable in variables:
            chosen = self._variant(variable)
            self._plans[id(variable)] = self._plan(self._rule(chosen), variable)
            sparse_rule = self._in_mode("GRAPH_SPARSE", chosen, self.rules.SPARSE.get(self.edition, {}).get(chosen))
            if sparse_rule:
                self._sparse_plans[id(variable)] = self._plan(sparse_rule, variable)

    def _variant(self, variable: Variable) -> str:
        """Name of the variant that the arguments as they are now ask for."""
        owner = Owner(variable.path, variable.shape, variable.dtype.name)
        return spec.variant(self.optimizer, facts(self.optimizer, self._config, owner))

    def _rule(self, variant: str) -> Rule:
        """The rule of a variant."""
        return self._in_mode("GRAPH", variant, self.rules.RULES[self.edition][variant])

    def _in_mode(self, table: str, variant: str, rule: Any) -> Any:
        """A rule; inside a graph the one that a table of its file has instead."""
        return getattr(self.rules, table, {}).get(self.edition, {}).get(variant, rule) if self._in_graph else rule

    def _started(self, entry: Entry, owner: Variable | None) -> Variable:
        """A new state variable with its first value."""
        if entry.start == "variable":
            assert owner is not None
            return Variable(owner.value, entry.name.removeprefix("/"))
        return Variable(np.full(entry.shape, entry.start, entry.dtype), entry.name.removeprefix("/"))

    def _plan(self, rule: Rule, variable: Variable) -> Plan:
        """The rule with the slots and the names of the hyperparameters that its signature asks for."""
        given, names = parameters_of(rule)
        slots = [name for name in given[2:] if name != "indices"]
        found = [self._slots.get((slot, id(variable))) or self._slots.get((slot, None)) for slot in slots]
        made = [slot for slot in found if slot is not None]
        if len(made) < len(found):
            symbol = next(slot for slot, variable in zip(slots, found, strict=True) if variable is None)
            return functools.partial(self._without_slot, symbol, rule, found), [], names
        return rule, made, names

    def _without_slot(
        self, symbol: str, rule: Rule, slots: list[Variable | None], w: np.ndarray, *given: np.ndarray, **hyper: Any
    ) -> tuple[np.ndarray, ...]:
        """An overwritten argument asks for a slot that build did not make: an error, perhaps amid the rule."""
        error = spec.optimizers()[self.optimizer]["slots"][symbol].get("unmade")
        if error:  # The slots that the rule has by then moved stay so.
            values = [np.zeros_like(w) if slot is None else slot.value for slot in slots]
            _, *new = bits.run(rule, w, *given, *values, **hyper)
            for slot, value in zip(slots, new, strict=True):
                if slot is not None:
                    slot.value = np.asarray(value)
        raise (ERRORS[error] if error else self._missing)(f"{self.optimizer} has no slot {symbol!r}")

    # ---- the call of a rule ----------------------------------------------------------------------------

    _summed = staticmethod(summed)

    def _step_of(self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]], **arguments: bool) -> Step:
        """`apply_gradients` as a step that meets those of other replicas."""
        return self._step(grads_and_vars, **arguments)

    def _step(self, *_: Any, **__: Any) -> Step:
        """The edition's pipeline."""
        raise NotImplementedError

    def _update(self, variable: Variable, gradient: Gradient, hyper: dict[str, Any]) -> None:
        """One call of the variable's rule: weights, gradient, slots in; weights, slots out."""
        if isinstance(gradient, IndexedSlices):
            self._update_rows(variable, gradient, hyper)
            return
        rule, slots, names = self._plans[id(variable)]
        if gradient.shape != variable.shape or gradient.dtype != variable.dtype or id(variable) in self._refused:
            gradient = self._fitted(gradient, variable)
        values = [slot.value for slot in slots]
        w, *new = bits.run(rule, variable.value, gradient, *values, **{name: hyper[name] for name in names})
        variable.value = np.asarray(w)
        for slot, value in zip(slots, new, strict=True):
            slot.value = np.asarray(value)

    def _update_rows(self, variable: Variable, gradient: IndexedSlices, hyper: dict[str, Any]) -> None:
        """One call of the variable's sparse rule; where it has none, of its rule with the rows made an array."""
        if id(variable) not in self._sparse_plans:
            self._update(variable, densified(gradient), hyper)
            return
        rule, slots, names = self._sparse_plans[id(variable)]
        rows, indices = gradient.values, gradient.indices
        if rows.dtype != variable.dtype or rows.shape != (*indices.shape, *variable.shape[1:]):
            self._refuse(variable.shape[:1] + rows.shape[1:], rows.dtype, variable)
            rows = bits.narrowed(rows, variable.dtype)
        values = [slot.value for slot in slots]
        try:
            w, *new = bits.run(rule, variable.value, rows, indices, *values, **{name: hyper[name] for name in names})
        except InvalidArgumentError as error:
            self._keep_what_moved(error, rule, slots)
            raise
        variable.value = np.asarray(w)
        for slot, value in zip(slots, new, strict=True):
            slot.value = np.asarray(value)

    def _keep_what_moved(self, error: InvalidArgumentError, rule: Rule, slots: Sequence[Variable]) -> None:
        """Where a rule fails half way, the release has assigned the slots that the rule had come to."""
        frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code is rule.__code__]
        names = list(inspect.signature(rule).parameters)[3:]
        for slot, name in zip(slots, names, strict=False):
            slot.value = np.asarray(frames[-1].f_locals[name])

    def _fitted(self, gradient: np.ndarray, variable: Variable) -> np.ndarray:
        """A gradient of another shape or dtype, if the release takes it, cast and broadcast; else its error."""
        self._refuse(gradient.shape, gradient.dtype, variable)
        return np.broadcast_to(bits.narrowed(gradient, variable.dtype), variable.shape)

    def _refuse(self, shape: tuple[int, ...], dtype: np.dtype, variable: Variable) -> None:
        """Raise what the release has for a gradient of this shape and dtype, if it refuses it."""
        refusal = self._refusal(shape, dtype, variable)
        if refusal:
            message = "the gradient of {!r} has shape {} and dtype {}, expected shape {} and dtype {}"
            raise ERRORS[refusal](message.format(variable.name, shape, dtype, variable.shape, variable.dtype))

    def _refusal(self, shape: tuple[int, ...], dtype: np.dtype, variable: Variable) -> str | None:
        """Type of the error that the release has for a gradient of this shape and dtype, if it has one."""
        like = self.optimizer
        if (shape, dtype) != (variable.shape, variable.dtype):
            like = spec.fits_like(self.edition, self.optimizer, self._variant(variable))
        return spec.shape_error(self.edition, like, shape, variable.shape) or spec.dtype_error(
            self.edition, like, dtype.name, variable.dtype.name, variable.value.ndim
        )

    def _prepare(self, hyper: dict[str, Any], dtypes: Collection[np.dtype]) -> None:
        """Advance the slots that exist once per optimizer, before any variable of these dtypes is updated."""
        prepare = getattr(self.rules, "PREPARE", {}).get(self.edition)
        if prepare is None:
            return
        wanted, names = parameters_of(prepare)
        slots = [self._slots[name, None] for name in wanted]
        given = {**hyper, "dtypes": dtypes}
        values = prepare(*[s.value for s in slots], **{name: given[name] for name in names})
        for slot, value in zip(slots, values, strict=True):
            slot.value = np.asarray(value)


ERRORS: dict[str, type[Exception]] = {
    error.__name__: error for error in (TypeError, ValueError, KeyError, AttributeError, RuntimeError, IndexError)
} | {"InvalidArgumentError": InvalidArgumentError}


@functools.cache
def parameters_of(rule: Rule) -> tuple[list[str], list[str]]:
    """Names of a rule's parameters: the positional ones, which are arrays, and the keyword-only hyperparameters."""
    parameters = inspect.signature(rule).parameters.values()
    positional = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    return positional, [p.name for p in parameters if p.kind is p.KEYWORD_ONLY]


def refused(value: Any, refusal: dict[str, Any]) -> bool:
    """Does `value` meet one of the conditions of an entry of the specification's `refuses`?"""
    if "is" in refusal and value == refusal["is"] and (value is None) == (refusal["is"] is None):
        return True
    if "not_type" in refusal and type(value).__name__ not in refusal["not_type"]:
        return True
    if not isinstance(value, int | float | np.number):
        return False
    return bool(
        ("below" in refusal and value < refusal["below"])
        or ("above" in refusal and value > refusal["above"])
        or ("at_most" in refusal and value <= refusal["at_most"])
    )


def optimizers_of(edition: str, base: type[Optimizer]) -> dict[str, type[Optimizer]]:
    """A class for every optimizer that `edition` has: real name, real signature, help from the specification."""
    classes = {}
    for name, document in spec.available(edition).items():
        arguments = spec.arguments(name, edition)
        classes[name] = type(
            name,
            (base,),
            {
                "__doc__": describe(document, arguments, edition),
                "__module__": base.__module__,
                "__signature__": inspect.Signature([parameter(argument) for argument in arguments]),
                "edition": edition,
                "optimizer": name,
                "rules": importlib.import_module(f"{__package__}.rules.{name.lower()}"),
            },
        )
    return classes


def parameter(argument: dict[str, Any]) -> inspect.Parameter:
    """A constructor argument of the specification as Python's own description of a parameter."""
    if argument["name"] == "**kwargs":
        return inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)
    default = argument.get("default", inspect.Parameter.empty)
    return inspect.Parameter(argument["name"], inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)


def describe(document: dict[str, Any], arguments: list[dict[str, Any]], edition: str) -> str:
    """The docstring of an optimizer's class: what it is, its arguments and its state in this edition."""
    lines = [document["summary"], "", f"{document['name']} of {spec.editions()[edition]['title']}.", "", "Args:"]
    for argument in arguments:
        unit = f" [{argument['unit']}]" if argument.get("unit") not in (None, "1") else ""
        default = f" Default: {argument['default']!r}." if "default" in argument else ""
        text = f"{argument['name']}: {argument['meaning']}{unit}{default}"
        lines += textwrap.wrap(text, 100, initial_indent="    ", subsequent_indent="        ")
    lines += ["", "State:"]
    lines += [f"    {slot}: {entry['meaning']}" for slot, entry in document["slots"].items()]
    lines += ["", "Source:"]
    for source in document["sources"]:
        arxiv = f", arXiv:{source['arxiv']}" if source.get("arxiv") else ""
        lines += [f"    {source['authors']} {source['year']}, {source['title']}{arxiv}"]
    return "\n".join(lines)
