"""The specification of serialization: configs, identifiers, weights and resuming, as documents in formats/.

config        the keys of `get_config` in each edition, and the JSON Schema that is made of them
identifiers   the names that `get` and `deserialize` know in each release, and the modules that `serialize` gives
weights       the state as a list, and as a store of numbered arrays
resume        stop, save, build anew, load, go on
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

from . import Document, _folder, hyperparameters, taken
from . import schedule as schedules

SCALAR = {"float": "number", "int": "integer", "bool": "boolean", "string": "string"}


def formats() -> dict[str, Document]:
    """Every format by its name, sorted."""
    return {name: _folder("formats")[name] for name in sorted(_folder("formats"))}


@functools.cache
def _config_of(edition: str) -> Document:
    entry = formats()["config"]["editions"][edition]
    return {**_config_of(entry["like"]), **entry} if "like" in entry else entry


def config_keys(optimizer: str, edition: str) -> list[str]:
    """Every key that a config of the optimizer can have, in its order."""
    stated = _config_of(edition)
    common = [key.removesuffix("?") for key in stated["keys"]]
    left_out = stated.get("left_out", {}).get(optimizer, ())
    own = stated.get("orders", {}).get(optimizer) or hyperparameters(optimizer, edition)
    own = [name for name in own if name not in common and name not in left_out]
    place = common.index("*")
    return [*common[:place], *own, *common[place + 1 :]]


def omitted_if_none(edition: str) -> set[str]:
    """The keys that a config leaves out where they are not set."""
    return {key.removesuffix("?") for key in _config_of(edition)["keys"] if key.endswith("?")}


def always() -> Document:
    """The keys whose value is the same in every config."""
    return dict(formats()["config"]["always"])


def learning_rate_is(edition: str) -> str:
    """The learning rate in a config: a "float", a "float32", or "as given" until it is a variable, then a float32."""
    return str(_config_of(edition)["learning_rate"])


def decay_is_a_variable(edition: str) -> bool:
    """Does `decay` become a float32 number with the other hyperparameters, or stay as it was given?"""
    return bool(_config_of(edition).get("decay") == "as a hyperparameter")


# ---- the JSON Schema of a config --------------------------------------------------------------------------


def schema_of_config(optimizer: str, edition: str) -> Document:
    """The closed JSON Schema of every config that `get_config` of the optimizer gives, as goldens encode it.

    A number is one of JSON's; a scalar of numpy is `{"$float32": 0.5}`; a schedule is a dict with its class and config.
    """
    keys, constant = config_keys(optimizer, edition), always()
    stated = taken(optimizer, edition)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Config of {optimizer} in {edition}",
        "type": "object",
        "properties": {
            key: {"const": constant[key]} if key in constant else _of_key(key, stated[key], edition) for key in keys
        },
        "required": [key for key in keys if key not in omitted_if_none(edition)],
        "additionalProperties": False,
    }


def _of_key(key: str, entry: Mapping[str, Any], edition: str) -> Document:
    """What a config may hold under a key."""
    number = learning_rate_is(edition)
    if key == "learning_rate":
        return {"anyOf": [*NUMBERS[number], *_of_schedules(edition), *([FUNCTION] if number == "float" else [])]}
    found = TYPES[entry["type"]]
    if number == "as given" and (entry.get("hyper") or key == "decay"):
        found = {"anyOf": NUMBERS["as given"]}
    nullable = entry.get("optional") or entry.get("default", 0) is None
    return {"anyOf": [found, {"type": "null"}]} if nullable and key != "name" else found


def _closed(properties: Document) -> Document:
    """The schema of an object that has these properties, all of them and no others."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def scalar(form: str) -> Document:
    """The schema of a numpy scalar as goldens encode it: `{"$float32": 0.5}`."""
    return _closed({form: {"type": ["number", "string"]}})


def schema_of_wrapper_config(wrapper: str, edition: str) -> Document:
    """The closed JSON Schema of the configs of LossScaleOptimizer, whatever it is called, and of MultiOptimizer."""
    module: Document = {"type": ["string", "null"]}
    inner: Document = {"class_name": {"type": "string"}, "config": {"type": "object"}}
    whole = {"module": module, **inner, "registered_name": module} if with_module(edition) else inner
    inner = _closed(whole)
    if wrapper == "MultiOptimizer":
        chooser = {"anyOf": [inner, FUNCTION, {"type": "null"}]}
        factor = {"type": ["number", "null"]}
        return _closed({"optimizer_map": chooser, "loss_scale_factor": factor, "name": TYPES["string"]})
    if edition == "keras3":
        scale: Document = {"initial_scale": {"type": "number"}, "dynamic_growth_steps": {"type": "number"}}
        return _closed({"name": TYPES["string"], "inner_optimizer": inner, **scale})
    scale = {"initial_scale": {"type": "number"}, "dynamic_growth_steps": {"type": ["integer", "null"]}}
    return _closed({"inner_optimizer": inner, "dynamic": TYPES["bool"], **scale})


TYPES: dict[str, Document] = {
    "float": {"type": "number"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "string": {"type": "string"},
    "list of regular expressions": {"type": "array", "items": {"type": "string"}},
}
DTYPES = ("float", "float16", "float32", "float64", "int32")
NUMBERS: dict[str, list[Document]] = {
    "float": [{"type": "number"}, scalar("$float")],
    "float32": [scalar("$float32")],
    "as given": [{"type": "number"}, *(scalar(f"${dtype}") for dtype in DTYPES)],
}
FUNCTION = _closed(
    {
        "module": {"const": "builtins"},
        "class_name": {"const": "function"},
        "config": {"type": "string"},
        "registered_name": {"const": "function"},
    }
)


def _of_schedules(edition: str) -> Iterator[Document]:
    """The document of every schedule of an edition, and of one of the user's own."""
    own: Document = {"class_name": {"not": {"enum": list(schedules.available(edition))}}, "config": {"type": "object"}}
    module = {"type": ["string", "null"]}
    yield _closed({"module": module, **own, "registered_name": {"type": "string"}} if with_module(edition) else own)
    for name in schedules.available(edition):
        described = {"class_name": {"const": name}, "config": schema_of_schedule(name, edition)}
        if with_module(edition):
            described = {"module": {"const": SCHEDULES}, **described, "registered_name": {"type": "null"}}
        yield _closed(described)


def schema_of_schedule(schedule: str, edition: str) -> Document:
    """The closed JSON Schema of the config of a schedule: every argument, as it was given or by default."""
    number = {"anyOf": NUMBERS["as given"]}
    forms = {**TYPES, "float": number, "int": number, "list of numbers": {"type": "array", "items": number}}
    return _closed(
        {
            entry["name"]: {"anyOf": [forms[entry["type"]], {"type": "null"}]}
            if entry.get("optional")
            else forms[entry["type"]]
            for entry in schedules.arguments(schedule, edition)
        }
    )


# ---- identifiers ------------------------------------------------------------------------------------------

SCHEDULES = "keras.optimizers.schedules"


def _release(edition: str) -> Document:
    return dict(formats()["identifiers"]["releases"][schedules.release(edition)])


def with_module(edition: str) -> bool:
    """Does the serialized form name a module, or only the class?"""
    return "module" in _release(edition)["form"].split(", ")[0]


def names(edition: str, legacy: bool = False) -> dict[str, str]:
    """What each name that the release knows stands for: edition and class, as "tf2.12/Adam"."""
    found = _release(edition)
    return {**found["names"], **(found.get("legacy_names", {}) if legacy else {})}


def module_of(optimizer: str, edition: str) -> str:
    """The module that the serialized form of an optimizer names."""
    found = _release(edition)
    return str(found.get("modules_of", {}).get(f"{edition}/{optimizer}", found["modules"][edition]))


def modules(release: str) -> set[str]:
    """The modules that hold the optimizers of a release."""
    return set(_release(release)["modules"].values())


def registered(edition: str) -> bool:
    """Are the optimizers of the edition registered as `Custom>Adam`?"""
    return edition in _release(edition)["registered"]


def clauses(name: str, edition: str) -> list[Document]:
    """The clauses of a format that speak about an edition."""
    return [clause for clause in formats()[name]["clauses"] if edition in clause.get("editions", [edition])]


# ---- the state --------------------------------------------------------------------------------------------


def methods_of_state(edition: str) -> list[str]:
    """The methods of an edition's optimizers that read or write the state."""
    return list(formats()["weights"]["methods"][edition])


def ways_of_resuming(edition: str) -> list[str]:
    """In which ways an edition's optimizers can hand over their state: "weights", "store", "variables", "config"."""
    return list(formats()["resume"]["ways"][edition])
