"""Cases that are a list of calls, on a module shaped like Keras: configs, identifiers, weights; and resuming."""

from __future__ import annotations

import copy
import inspect
import json
import types
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from goldenstep.golden.codec import array, flat, gradient
from goldenstep.spec import schedule as spec
from goldenstep.spec import wrapper as wrapper_spec

from . import schedules, wrappers

if TYPE_CHECKING:
    from .keras_shaped import KerasShaped

Document = dict[str, Any]
FUNCTIONS = ("get", "serialize", "deserialize")
OF_SCHEDULES = {"serialize_schedule": "serialize", "deserialize_schedule": "deserialize"}
METHODS = ("get_config", "from_config", "get_weights", "set_weights", "save_own_variables", "load_own_variables")
RESUMING = {"weights": ["set_weights"], "store": ["save_own_variables", "load_own_variables"]}


def rate() -> float:
    """A function of one's own."""
    return 0.25


def own_objects(optimizers: Any, base_of_schedules: Any) -> Document:
    """Classes and functions of one's own, as a user of the implementation defines them."""

    class MySGD(getattr(optimizers, "SGD", object)):  # type: ignore[misc]  # the base is whatever the implementation has
        pass

    class Halving(base_of_schedules):  # type: ignore[misc]  # the same
        def __init__(self, first: float) -> None:
            self.first = first

        def __call__(self, step: Any) -> Any:
            return np.float32(self.first * 0.5 ** float(step))

        def get_config(self) -> Document:
            return {"first": self.first}

    for cls in (MySGD, Halving):
        cls.__module__ = "__main__"
        cls.__qualname__ = cls.__name__
    return {"MySGD": MySGD, "Halving": Halving, "rate": rate}


def release_of(implementation: KerasShaped, edition: str) -> Any:
    """The namespace that has the functions of an edition's release."""
    return implementation.namespaces.get(spec.release(edition)) or implementation.namespaces[edition]


def method(thing: Any, name: str) -> Any:
    """A method by its name; in Keras 2.12 those of the store have an underscore before it."""
    return getattr(thing, name, None) or getattr(thing, f"_{name}", None)


def unsupported(implementation: KerasShaped, case: Document) -> str | None:
    """None if everything that the calls need is there, otherwise what is not."""
    release = release_of(implementation, case["edition"])
    told = json.dumps(case["calls"])
    if "MySGD" in told and class_of(implementation, "SGD", case["edition"]) is None:
        return "no SGD to make a class of one's own"
    if "Halving" in told and not hasattr(getattr(release, "schedules", None), "LearningRateSchedule"):
        return "no schedules.LearningRateSchedule"
    classes = []
    for call in case["calls"]:
        ((kind, given),) = call.items()
        if kind in FUNCTIONS and not hasattr(release, kind):
            return f"no {kind}"
        if kind in OF_SCHEDULES and not hasattr(getattr(release, "schedules", None), OF_SCHEDULES[kind]):
            return f"no schedules.{OF_SCHEDULES[kind]}"
        if kind in ("construct", "from_config") and given.get("class_name", "MySGD") != "MySGD":
            found = class_of(implementation, given["class_name"], given.get("edition", case["edition"]))
            if found is None:
                return f"no {given['class_name']} of {given.get('edition', case['edition'])}"
            classes.append(found)
        for cls in classes:
            if kind in METHODS and inspect.isclass(cls) and method(cls, kind) is None:
                return f"no {kind}"
        for name, edition in optimizers_in(given, case["edition"]):
            if name != "MySGD" and class_of(implementation, name, edition) is None:
                return f"no {name} of {edition}"
    for name in names_of_schedules(case["calls"]):
        if name != "Halving" and schedules.class_of(implementation, case["edition"], name) is None:
            return f"no schedule {name}"
    return None


def class_of(implementation: KerasShaped, name: str, edition: str) -> Any:
    """An optimizer of an edition, or what wraps some; None if there is none of that name."""
    if edition not in implementation.namespaces:
        return None
    found = wrappers.class_of(implementation, edition, name)
    return found or getattr(implementation.namespaces[edition], name, None)


def optimizers_in(given: Any, edition: str) -> Iterator[tuple[str, str]]:
    """Class name and edition of every optimizer in the arguments of a call."""
    if isinstance(given, dict):
        if "$optimizer" in given:
            edition = given["$optimizer"].get("edition", edition)
            yield given["$optimizer"]["class_name"], edition
        given = list(given.values())
    for value in given if isinstance(given, list) else ():
        yield from optimizers_in(value, edition)


def cannot_resume(cls: Any, events: list[Document]) -> str | None:
    """None if an optimizer has the methods with which the events resume, otherwise which one is missing."""
    for event in events:
        needed = ["get_config", "from_config", *RESUMING.get(event["resume"], [])] if "resume" in event else []
        for name in needed:
            if method(cls, name) is None:
                return f"no {name}"
        made = hasattr(cls, "build") or hasattr(cls, "_create_all_weights")
        if event.get("resume", "config") != "config" and not made:
            return "no build, which makes the state that is handed over"
    return None


def names_of_schedules(given: Any) -> Iterator[str]:
    """The class name of every schedule in the arguments of calls."""
    if isinstance(given, dict):
        if "$schedule" in given:
            yield given["$schedule"]["class_name"]
        for value in given.values():
            yield from names_of_schedules(value)
    elif isinstance(given, list):
        for value in given:
            yield from names_of_schedules(value)


GIVEN_OUT = ("get_weights", "save_own_variables")
"""Calls whose arrays belong to the caller: no later call changes them."""


def answer(implementation: KerasShaped, case: Document) -> Document:
    """The results of the calls."""
    made = Calls(implementation, case)
    results = list(made.results())
    for call, result, raw in zip(case["calls"], results, made.raw, strict=False):
        if set(call) & set(GIVEN_OUT) and "value" in result and made.encoded(raw) != result["value"]:
            result["error"] = {"type": "ChangedResultError", "message": "a later call has overwritten these arrays"}
    return {"id": case["id"], "results": results}


class Calls:
    """One case on its way to its results; `it` is what the latest construct, schedule or from_config made."""

    def __init__(self, implementation: KerasShaped, case: Document) -> None:
        self.implementation = implementation
        self.case = case
        self.edition = case["edition"]
        self.namespace = implementation.namespaces[self.edition]
        self.release = release_of(implementation, self.edition)
        self.it: Any = None
        self.raw: list[Any] = []
        self.argument: Any = None
        self.before: Any = None
        implementation.forget_names()
        base: Any = getattr(getattr(self.release, "schedules", None), "LearningRateSchedule", object)
        self.base_of_schedules = base
        self.own = own_objects(self.namespace, base)
        self.variables = implementation.variables({**case, "variables": case.get("variables", [])})

    def results(self) -> Iterator[Document]:
        """One by one, up to the first call without which the others make no sense."""
        for call in self.case["calls"]:
            ((kind, given),) = call.items()
            result = self.result(kind, given)
            yield result
            if "error" in result and kind in ("construct", "schedule"):
                return

    def result(self, kind: str, given: Any) -> Document:
        """What one call gave: {"value"} or {"error"}, and {"given"} if it changed the dict that it was given."""
        self.argument = self.before = None
        it = self.it
        value: Any = None
        try:
            value = getattr(self, kind)(given)
            result = {"value": {"$it": True} if it is not None and value is it else self.encoded(value)}
        except Exception as exception:  # whatever it raises is its answer
            value, result = None, {"error": schedules.error(exception)}
        self.raw.append(value)
        if self.before is not None and self.encoded(self.argument) != self.before:
            result["given"] = self.encoded(self.argument)
        return result

    # ---- the calls

    def construct(self, given: Document) -> None:
        """A constructor."""
        self.it = self.decoded({"$optimizer": given})

    def schedule(self, given: Document) -> None:
        """The constructor of a schedule."""
        self.it = self.decoded({"$schedule": given})

    def build(self, _: bool) -> None:
        """The state is made without a step."""
        build(self.it, self.variables)

    def apply(self, gradients: list[Any]) -> None:
        """One `apply_gradients`."""
        arrays = [gradient(g, np.asarray(v)) for g, v in zip(gradients, self.variables, strict=True)]
        given = [None if a is None else self.implementation.tensor(a) for a in arrays]
        self.it.apply_gradients(list(zip(given, self.variables, strict=True)))

    def set(self, values: Document) -> None:
        """Assignment of attributes."""
        for name, value in values.items():
            setattr(self.it, name, self.decoded(value))

    def read(self, name: str) -> None:
        """An attribute is looked at."""
        getattr(self.it, name)

    def get_config(self, _: bool) -> Any:
        """The config."""
        return self.it.get_config()

    def json(self, _: bool) -> Any:
        """The config through JSON and back."""
        return json.loads(json.dumps(self.it.get_config()))

    def from_config(self, given: Document) -> Any:
        """Another one, of a config or of its own."""
        name = given.get("class_name")
        cls = type(self.it) if name is None else getattr(self.namespace, name)
        config = self.mutable(self.decoded(given["config"]) if "config" in given else self.it.get_config())
        self.it = cls.from_config(config, **self.custom(given))
        return self.it

    def get(self, given: Document) -> Any:
        """What an identifier stands for."""
        return self.release.get(self.mutable(self.decoded(given["of"])), **given.get("options", {}))

    def serialize(self, given: Document) -> Any:
        """What describes an optimizer."""
        return self.release.serialize(self.decoded(given["of"]), **given.get("options", {}))

    def deserialize(self, given: Document) -> Any:
        """What a document describes."""
        options = {**given.get("options", {}), **self.custom(given)}
        return self.release.deserialize(self.mutable(self.decoded(given["of"])), **options)

    def serialize_schedule(self, given: Document) -> Any:
        """What describes a schedule."""
        return self.release.schedules.serialize(self.decoded(given["of"]), **given.get("options", {}))

    def deserialize_schedule(self, given: Document) -> Any:
        """What a document describes, or a class name."""
        options = {**given.get("options", {}), **self.custom(given)}
        return self.release.schedules.deserialize(self.mutable(self.decoded(given["of"])), **options)

    def state(self, _: bool) -> list[Document]:
        """Names and values of the state."""
        return [{"name": getattr(v, "path", None) or v.name, "value": as_array(v)} for v in state_of(self.it)]

    def values(self, _: bool) -> list[Any]:
        """The values of the state."""
        return [flat(as_array(v)) for v in state_of(self.it)]

    def get_weights(self, _: bool) -> Any:
        """The state as a list."""
        return [np.asarray(value) for value in self.it.get_weights()]

    def set_weights(self, given: list[Any]) -> None:
        """The state takes the values of a list."""
        self.handed(self.it.set_weights, self.decoded(given))

    def save_own_variables(self, _: bool) -> Document:
        """The state in a store."""
        return {name: np.asarray(value) for name, value in saved(self.it, "store").items()}

    def load_own_variables(self, given: Document) -> None:
        """The state takes the values of a store."""
        self.handed(method(self.it, "load_own_variables"), self.decoded(given))

    def handed(self, function: Callable[[Any], object], given: Any) -> None:
        """A call that is given arrays: it may neither write to them nor keep their memory."""
        from .keras_shaped import refuse_changes

        arrays = [x for x in (given.values() if isinstance(given, dict) else given) if isinstance(x, np.ndarray)]
        before = [x.tobytes() for x in arrays]
        function(given)
        refuse_changes(before, arrays)

    # ---- arguments and results

    def mutable(self, argument: Any) -> Any:
        """The argument, remembered as it is before the call if it is a dict."""
        if isinstance(argument, dict):
            self.argument, self.before = argument, copy.deepcopy(self.encoded(argument))
        return argument

    def class_of(self, name: str, edition: str) -> Any:
        """One's own class, a wrapper of the edition, or any other class of its namespace."""
        found = self.own.get(name) or wrappers.class_of(self.implementation, edition, name)
        return found or getattr(self.implementation.namespaces[edition], name)

    def custom(self, given: Document) -> Document:
        """The custom objects that a call names."""
        names = given.get("custom_objects")
        return {} if names is None else {"custom_objects": {name: self.own[own] for name, own in named(names)}}

    def decoded(self, given: Any) -> Any:
        """The Python object that an argument stands for."""
        if isinstance(given, list):
            return [self.decoded(x) for x in given]
        if not isinstance(given, dict):
            return given
        if len(given) != 1 or not next(iter(given)).startswith("$"):
            return {key: self.decoded(value) for key, value in given.items()}
        ((kind, value),) = given.items()
        if kind == "$optimizer":
            config = {name: self.decoded(x) for name, x in value["config"].items()}
            return self.class_of(value["class_name"], str(value.get("edition", self.edition)))(**config)
        if kind == "$schedule":
            config = {name: self.decoded(x) for name, x in value["config"].items()}
            name = value["class_name"]
            return (self.own.get(name) or schedules.class_of(self.implementation, self.edition, name))(**config)
        simple: dict[str, Callable[[Any], Any]] = {
            "$it": lambda _: self.it,
            "$result": lambda index: copy.deepcopy(self.raw[index]),
            "$tensor": array,
            "$tuple": lambda values: tuple(self.decoded(x) for x in values),
            "$bytes": str.encode,
            "$function": self.own.__getitem__,
            "$class": lambda name: getattr(self.namespace, name),
        }
        return simple[kind](value) if kind in simple else np.dtype(kind[1:]).type(value)

    def encoded(self, value: Any) -> Any:
        """A Python object as JSON has it."""
        if isinstance(value, np.generic):
            return {f"${value.dtype.name}": number(value)}
        if isinstance(value, float) and not np.isfinite(value):
            return {"$float": number(np.float64(value))}
        if value is None or isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list):
            return [self.encoded(x) for x in value]
        if isinstance(value, tuple):
            return {"$tuple": [self.encoded(x) for x in value]}
        if isinstance(value, dict):
            return {key: self.encoded(x) for key, x in value.items()}
        if isinstance(value, np.ndarray):
            return {"$tensor": {"dtype": value.dtype.name, "shape": list(value.shape), "values": flat(value)}}
        if isinstance(value, bytes):
            return {"$bytes": value.decode()}
        if isinstance(value, type):
            return {"$class": value.__name__}
        if isinstance(value, types.FunctionType):
            return {"$function": value.__name__}
        name = {"class_name": type(value).__name__}
        if callable(value) and isinstance(value, self.base_of_schedules):
            return {"$schedule": {**name, "config": self.encoded(value.get_config())}}
        if hasattr(value, "apply_gradients"):
            config = self.encoded(value.get_config())
            return {"$optimizer": {"edition": self.edition_of(value), "config": config, **name}}
        return {"$other": type(value).__name__}

    def edition_of(self, optimizer: Any) -> str:
        """The edition whose class it is, or that of the first of its bases that has one; that of what it wraps."""
        if hasattr(optimizer, "inner_optimizer"):
            return self.edition_of(optimizer.inner_optimizer)
        for cls in type(optimizer).__mro__:
            for edition, namespace in self.implementation.namespaces.items():
                if spec.release(edition) == spec.release(self.edition) and getattr(namespace, cls.__name__, 0) is cls:
                    return edition
        return "unknown"


def named(custom_objects: Any) -> list[tuple[str, str]]:
    """Pairs of a name and of what is called by it: a list has each by its own name."""
    return [*custom_objects.items()] if isinstance(custom_objects, dict) else [(name, name) for name in custom_objects]


def number(x: np.generic) -> Any:
    """A scalar of numpy as JSON has it."""
    return bool(x) if isinstance(x, np.bool_) else flat(np.asarray(x))[0]


def as_array(variable: Any) -> np.ndarray:
    """The value of a variable."""
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)


def state_of(optimizer: Any) -> list[Any]:
    """The optimizer's own list of its variables."""
    variables = optimizer.variables
    return list(variables() if callable(variables) and not isinstance(variables, list) else variables)


# ---- resuming ---------------------------------------------------------------------------------------------


def resumed(optimizer: Any, way: str, variables: list[Any]) -> Any:
    """Another optimizer, made of the config, with the state handed over in one of the ways of the edition.

    "config" hands over no state; "weights" is get_weights, or the values of `variables`, and set_weights; "store" is
    save_own_variables and load_own_variables; "variables" assigns each of `variables`.
    """
    state = saved(optimizer, way)
    another = type(optimizer).from_config(optimizer.get_config())
    if way == "config":
        return another
    build(another, variables)
    if way == "weights":
        another.set_weights(state)
    elif way == "store":
        method(another, "load_own_variables")(state)
    else:
        for variable, value in zip(state_of(another)[: len(state)], state, strict=True):  # less, before the first step
            variable.assign(value)
    return another


def saved(optimizer: Any, way: str) -> Any:
    """The state, as the way hands it over."""
    if way == "weights" and hasattr(optimizer, "get_weights"):
        return optimizer.get_weights()
    if way != "store":
        return [as_array(variable) for variable in state_of(optimizer)]
    store: Document = {}
    method(optimizer, "save_own_variables")(store)
    return store


def build(optimizer: Any, variables: list[Any]) -> None:
    """Make the state without a step."""
    from .keras_shaped import name_scope

    if hasattr(optimizer, "_create_all_weights"):
        with name_scope(getattr(optimizer, "inner_optimizer", optimizer)):
            optimizer._create_all_weights(variables)
    else:
        optimizer.build(variables)


# ---- as source text ---------------------------------------------------------------------------------------


def script(case: Document, code: Document) -> str:
    """The calls as Python that needs nothing but the implementation and numpy; results are printed."""
    lines = [*code["imports"], "import json"]
    if "variables" in case:
        pairs = [(source(v["value"], case, code), v["name"]) for v in case["variables"]]
        made = [code["variable"].format(value=value, name=name, last=name.rpartition("/")[2]) for value, name in pairs]
        lines.append(f"variables = [{', '.join(made)}]")
    for number, call in enumerate(case["calls"]):
        ((kind, given),) = call.items()
        lines += [f"# call {number + 1}", *statement(kind, given, number, case, code)]
    return "\n".join(lines)


def statement(kind: str, given: Any, number: int, case: Document, code: Document) -> list[str]:
    """One call as source text."""
    release = code["namespaces"].get(spec.release(case["edition"])) or code["namespaces"][case["edition"]]
    if kind == "construct":
        return [f"it = {constructed(given, case, code)}"]
    if kind == "schedule":
        return [f"it = {source({'$schedule': given}, case, code)}"]
    if kind == "set":
        return [f"it.{name} = {source(value, case, code)}" for name, value in given.items()]
    if kind == "read":
        return [f"it.{given}"]
    if kind == "build":
        return ["getattr(it, 'build' if hasattr(it, 'build') else '_create_all_weights')(variables)"]
    if kind == "apply":
        return [f"it.apply_gradients(list(zip({source(given, case, code)}, variables)))"]
    names = named(given.get("custom_objects", ())) if isinstance(given, dict) else []
    own = f", custom_objects={{{', '.join(f'{name!r}: {own}' for name, own in names)}}}" if names else ""
    if kind == "from_config":
        cls = f"{code['namespaces'][case['edition']]}.{given['class_name']}" if "class_name" in given else "type(it)"
        config = source(given["config"], case, code) if "config" in given else "it.get_config()"
        return [f"it = {cls}.from_config({config}{own})", "print(it.get_config())"]
    if kind in FUNCTIONS or kind in OF_SCHEDULES:
        name = f"{release}.{kind}" if kind in FUNCTIONS else f"{release}.schedules.{OF_SCHEDULES[kind]}"
        options = "".join(f", {n}={v!r}" for n, v in given.get("options", {}).items())
        return [f"result_{number} = {name}({source(given['of'], case, code)}{options}{own})", f"print(result_{number})"]
    if kind == "json":
        return ["print(json.loads(json.dumps(it.get_config())))"]
    if kind == "save_own_variables":
        return [f"result_{number} = {{}}", f"it.save_own_variables(result_{number})", f"print(result_{number})"]
    arguments = "" if given is True else source(given, case, code)
    return [f"print(it.{'variables' if kind in ('state', 'values') else f'{kind}({arguments})'})"]


def constructed(given: Document, case: Document, code: Document) -> str:
    """A constructor's call as source text."""
    edition, name = str(given.get("edition", case["edition"])), given["class_name"]
    config = ", ".join(f"{argument}={source(value, case, code)}" for argument, value in given["config"].items())
    wrapped = name in wrapper_spec.wrappers() or name in (*wrappers.LOSS_SCALES, "OptimizerMap")
    place = wrappers.place(name, edition, code) if wrapped else f"{code['namespaces'][edition]}.{name}"
    return f"{place}({config})"


def source(given: Any, case: Document, code: Document) -> str:
    """An argument as source text; classes and functions of one's own by their names."""
    if isinstance(given, list):
        return f"[{', '.join(source(x, case, code) for x in given)}]"
    if not isinstance(given, dict):
        return repr(given)
    if set(given) == {"dtype", "shape", "values"}:
        return f"np.array({given['values']}, {given['dtype']!r}).reshape({tuple(given['shape'])})"
    if len(given) != 1 or not next(iter(given)).startswith("$"):
        return f"{{{', '.join(f'{key!r}: {source(value, case, code)}' for key, value in given.items())}}}"
    ((kind, value),) = given.items()
    release = code["namespaces"].get(spec.release(case["edition"])) or code["namespaces"][case["edition"]]
    if kind == "$optimizer":
        return constructed(value, case, code)
    if kind == "$schedule":
        config = ", ".join(f"{name}={source(x, case, code)}" for name, x in value["config"].items())
        return f"{'' if value['class_name'] == 'Halving' else f'{release}.schedules.'}{value['class_name']}({config})"
    simple = {
        "$it": "it",
        "$result": f"result_{value}",
        "$tensor": source(value, case, code),
        "$tuple": f"tuple({source(value, case, code)})",
        "$bytes": f"{value!r}.encode()",
        "$function": value,
        "$class": f"{code['namespaces'][case['edition']]}.{value}",
    }
    return str(simple[kind] if kind in simple else f"np.{kind[1:]}({value!r})")
