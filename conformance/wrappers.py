"""Optimizers that wrap others, on a module shaped like Keras: how a case describes them, and what is asked of them.

In a description `inner_optimizer`, `optimizer`, `default_optimizer` and the values of a map are descriptions, too.
{"same_as": key} is the optimizer under another key of the map; `items` are assigned to a map one by one; `function`
names, for each variable by its name, one of the `optimizers`; `wrapped_before` is an optimizer that has a wrapper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from goldenstep.spec import wrapper as spec
from goldenstep.spec.schedule import schedules

if TYPE_CHECKING:
    from .keras_shaped import KerasShaped

Document = dict[str, Any]
LOSS_SCALES = ("FixedLossScale", "DynamicLossScale")
HIDDEN = ("loss_scale", "dynamic_counter")


def class_of(implementation: KerasShaped, edition: str, name: str) -> Any:
    """The class of a wrapper, in the namespace of the edition or in its `mixed_precision`; None if it has none."""
    namespace = implementation.namespaces[edition]
    mixed = implementation.mixed_precision.get(edition) or getattr(namespace, "mixed_precision", None)
    if name == "LossScaleOptimizerV1" or name in LOSS_SCALES:
        return getattr(getattr(mixed, "experimental", None), name.removesuffix("V1"), None)
    return getattr(namespace, name, None) or getattr(mixed, name, None)


def unsupported(implementation: KerasShaped, case: Document) -> str | None:
    """None if every wrapper of a case is there, and so is what it wraps; otherwise what is not."""
    for name in ["Optimizer"] if "source" in case["optimizer"] else names(case["optimizer"]):
        own = name in spec.wrappers() or name in (*LOSS_SCALES, "OptimizerMap")
        namespace = implementation.namespaces[case["edition"]]
        found = class_of(implementation, case["edition"], name) if own else getattr(namespace, name, None)
        if found is None:
            return f"no {name}"
    return None


def names(description: Any) -> Iterator[str]:
    """The classes of the optimizers, maps and loss scales that a description names; schedules are others' affair."""
    if isinstance(description, dict) and description.get("class_name") not in schedules():
        if "class_name" in description:
            yield description["class_name"]
        description = list(description.values())
    for given in description if isinstance(description, list) else ():
        yield from names(given)


def construct(implementation: KerasShaped, description: Document, edition: str) -> Any:
    """The wrapper that a case describes."""
    config = {name: made(implementation, given, edition) for name, given in description["config"].items()}
    return class_of(implementation, edition, description["class_name"])(**config)


def made(implementation: KerasShaped, given: Any, edition: str) -> Any:
    """What an argument of a wrapper describes: an optimizer, a map, a function or a loss scale; others as they are."""
    if not isinstance(given, dict):
        return given
    if "function" in given:
        return selector(implementation, given, edition)
    if given["class_name"] == "OptimizerMap":
        return optimizer_map(implementation, given, edition)
    if given["class_name"] in LOSS_SCALES:
        return class_of(implementation, edition, given["class_name"])(**given["config"])
    found = implementation.optimizer(given, edition)
    if "wrapped_before" in given:
        class_of(implementation, edition, "LossScaleOptimizer")(found)
    return found


def optimizer_map(implementation: KerasShaped, given: Document, edition: str) -> Any:
    """An OptimizerMap."""
    known: Document = {}

    def inner(key: Any, value: Any) -> Any:
        shared = isinstance(value, dict) and "same_as" in value
        known[key] = known[value["same_as"]] if shared else made(implementation, value, edition)
        return known[key]

    config = given["config"]
    default = inner("default", config["default_optimizer"])
    patterns = config.get("optimizer_map")
    if isinstance(patterns, dict):
        patterns = {key: inner(key, value) for key, value in patterns.items()}
    found = class_of(implementation, edition, "OptimizerMap")(default, patterns)
    for key, value in given.get("items", ()):
        found[key] = inner(key, value)
    return found


def selector(implementation: KerasShaped, given: Document, edition: str) -> Callable[[Any], Any]:
    """A function of a variable that returns one of some optimizers."""
    known = {key: value and implementation.optimizer(value, edition) for key, value in given["optimizers"].items()}
    return lambda variable: known[given["function"][variable.name]]


def hidden_state(optimizer: Any) -> list[tuple[str, Any]]:
    """The loss scale and its counter where they are not among the variables."""
    counter = getattr(optimizer, "dynamic_counter", None)
    if counter is None:
        return []
    kept = getattr(getattr(optimizer, "_loss_scale", None), "current_loss_scale", None)
    return list(zip(HIDDEN, (optimizer.loss_scale if kept is None else kept, counter), strict=True))


# ---- as source text ---------------------------------------------------------------------------------------


def source(given: Any, edition: str, code: Document, plain: Callable[[Document], str]) -> str:
    """An argument of a wrapper as source text; `plain` writes an optimizer that wraps none."""
    if not isinstance(given, dict):
        return repr(given)

    def inner(value: Any) -> str:
        return source(value, edition, code, plain)

    if "function" in given:
        optimizers = ", ".join(f"{key!r}: {inner(value)}" for key, value in given["optimizers"].items())
        return f"(lambda known: lambda variable: known[{given['function']}[variable.name]])({{{optimizers}}})"
    name, config = given["class_name"], given["config"]
    if "wrapped_before" in given:
        wrapper = place("LossScaleOptimizer", edition, code)
        return f"(lambda inner: {wrapper}(inner) and inner)({plain(given)})"
    if name not in spec.wrappers() and name not in (*LOSS_SCALES, "OptimizerMap"):
        return plain(given)
    if name == "OptimizerMap":
        return source_of_map(given, place(name, edition, code), inner)
    arguments = ", ".join(f"{argument}={inner(value)}" for argument, value in config.items())
    return f"{place(name, edition, code)}({arguments})"


def source_of_map(given: Document, path: str, inner: Callable[[Any], str]) -> str:
    """An OptimizerMap as source text; an optimizer that stands under several keys is made once."""
    config, items = given["config"], given.get("items", [])
    patterns = config.get("optimizer_map", {})
    entries = [*patterns.items(), *items] if isinstance(patterns, dict) else items
    shared = {value["same_as"] for _, value in entries if isinstance(value, dict) and "same_as" in value}

    def entry(key: Any, value: Any) -> str:
        if isinstance(value, dict) and "same_as" in value:
            return f"shared_{sorted(shared).index(value['same_as'])}"
        return f"(shared_{sorted(shared).index(key)} := {inner(value)})" if key in shared else inner(value)

    default = entry("default", config["default_optimizer"])
    if not isinstance(patterns, dict):
        return f"{path}({default}, {patterns!r})"
    text = f"{path}({default}, {{{', '.join(f'{key!r}: {entry(key, value)}' for key, value in patterns.items())}}})"
    if items:
        pairs = ", ".join(f"({key!r}, {entry(key, value)})" for key, value in items)
        text = f"(lambda made, items: [made.__setitem__(*item) for item in items] and made)({text}, [{pairs}])"
    return text


def place(name: str, edition: str, code: Document) -> str:
    """Where the class of a wrapper stands in an implementation's own words."""
    namespace = code["namespaces"][edition]
    if edition == "keras3":
        return f"{namespace}.{name}"
    mixed = code.get("mixed_precision", {}).get(edition, f"{namespace}.mixed_precision")
    experimental = name == "LossScaleOptimizerV1" or name in LOSS_SCALES
    return f"{mixed}.experimental.{name.removesuffix('V1')}" if experimental else f"{mixed}.{name}"
