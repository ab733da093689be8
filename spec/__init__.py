"""The specification: JSON documents beside this file, and nothing but their loading here.

optimizers/   one document per optimizer: hyperparameters, slots, variants, editions, bounds, clauses
schedules/    one document per learning-rate schedule: arguments, editions, refusals, clauses (see schedule.py)
wrappers/     one document per optimizer that wraps others: arguments, state, refusals, clauses (see wrapper.py)
editions/     one document per edition: names, common arguments, versions, errors
errata/       one document per contradiction between a release and its documentation, with a script that shows it
formats/      one document per format of serialization: configs, identifiers ... (see serialization.py)
schemas/      JSON Schemas (2020-12) of these documents, of cases, trajectories and goldens
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from importlib import resources
from typing import Any

Document = dict[str, Any]


class SpecificationError(ValueError):
    """A document is not what its schema says; the message names the document, the place and the expectation."""


@functools.cache
def _folder(name: str) -> dict[str, Document]:
    folder = resources.files(__package__) / name
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name)
    return {f.name.removesuffix(".schema.json").removesuffix(".json"): json.loads(f.read_text("utf-8")) for f in files}


@functools.cache
def editions() -> dict[str, Document]:
    """Every edition by its id (`tf2.4`, `tf2.12.legacy` ...), oldest first."""
    order = ("tf2.4", "tf2.9.legacy", "tf2.9", "tf2.12.legacy", "tf2.12", "tf2.15.legacy", "tf2.15", "keras3")
    return {edition: _folder("editions")[edition] for edition in order if edition in _folder("editions")}


@functools.cache
def optimizers() -> dict[str, Document]:
    """Every optimizer by its class name (`Adam`), sorted by name."""
    return {document["name"]: document for document in _folder("optimizers").values()}


@functools.cache
def flags() -> dict[str, Document]:
    """What a flag on a case says: a note, and the mistakes that such cases catch."""
    return dict(json.loads((resources.files(__package__) / "flags.json").read_text("utf-8")))


@functools.cache
def not_errata() -> list[Document]:
    """What looks like an erratum, and why it is none."""
    return list(json.loads((resources.files(__package__) / "not_errata.json").read_text("utf-8")))


def errata() -> dict[str, Document]:
    """Every erratum by its id (`E-001` ...): what is documented, and what happens instead."""
    return _folder("errata")


def schemas() -> dict[str, Document]:
    """Every JSON Schema by its short name (`case`, `trajectory`, `optimizer` ...)."""
    return _folder("schemas")


def available(edition: str) -> dict[str, Document]:
    """The optimizers that `edition` has, by class name."""
    return {name: document for name, document in optimizers().items() if edition in document["editions"]}


def hyperparameters(optimizer: str, edition: str) -> dict[str, Document]:
    """The optimizer's own arguments in `edition`, by name, in signature order, each with that edition's default."""
    return {
        entry["name"]: {**entry, "default": entry.get("default_in", {}).get(edition, entry["default"])}
        for entry in optimizers()[optimizer]["hyperparameters"]
        if edition in entry.get("editions", editions())
    }


def keyword_arguments(edition: str) -> dict[str, Document]:
    """Arguments that only the **kwargs of every optimizer of `edition` take, by name."""
    return {name: {"name": name, **entry} for name, entry in editions()[edition].get("keyword_arguments", {}).items()}


def own_keyword_arguments(optimizer: str, edition: str) -> dict[str, Document]:
    """Arguments of this optimizer alone that only **kwargs take in `edition`, by name."""
    return {
        entry["name"]: entry
        for entry in optimizers()[optimizer].get("keyword_arguments", ())
        if edition in entry["editions"]
    }


@functools.cache
def _like(optimizer: str, edition: str) -> Document:
    entry = optimizers()[optimizer]["editions"][edition]
    return {**_like(optimizer, entry["like"]), **entry} if "like" in entry else entry


@functools.cache
def arguments(optimizer: str, edition: str) -> list[Document]:
    """All constructor arguments in signature order: own, then common ones, unless `arguments` says otherwise."""
    own = hyperparameters(optimizer, edition)
    common = {entry["name"]: entry for entry in editions()[edition]["arguments"]}
    if "name" in common and editions()[edition]["default_name"] == "class name":
        common["name"] = {**common["name"], "default": optimizer}
    everything = {**common, **own}
    order = _like(optimizer, edition).get("arguments") or [*own, *(name for name in common if name not in own)]
    return [everything[name] for name in order]


def taken(optimizer: str, edition: str) -> dict[str, Document]:
    """Every argument that the constructor takes, by name: first what only **kwargs take, then its signature."""
    stated = {entry["name"]: entry for entry in arguments(optimizer, edition) if entry["name"] != "**kwargs"}
    return {**keyword_arguments(edition), **own_keyword_arguments(optimizer, edition), **stated}


def state(optimizer: str, edition: str) -> list[Any]:
    """The order of the edition's state: "iteration", "learning_rate" and groups of slots (see the schema)."""
    return list(_like(optimizer, edition)["state"])


def holds(when: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Does every condition of `when` hold for `facts` (a config, and perhaps a variable's `rank`)?"""
    for name, condition in when.items():
        value = facts.get(name)
        if not isinstance(condition, dict):
            met = value == condition
        elif "not" in condition:
            met = value != condition["not"]
        else:
            met = value is not None and condition.get("minimum", value) <= value <= condition.get("maximum", value)
        if not met:
            return False
    return True


def variant(optimizer: str, facts: Mapping[str, Any]) -> str:
    """Name of the first variant of `optimizer` whose conditions hold for `facts`."""
    return next(str(v["name"]) for v in optimizers()[optimizer]["variants"] if holds(v["when"], facts))


def bound(optimizer: str, edition: str, variant: str, dtype: str, mode: str = "eager") -> Document | None:
    """The stated bound for a rule and dtype in a mode, or None where the arithmetic is exact."""
    for entry in optimizers()[optimizer].get("bounds", []):
        if entry.get("mode", "eager") != mode:
            continue
        if edition in entry["editions"] and dtype in entry["dtypes"] and variant in entry.get("variants", [variant]):
            return dict(entry)
    return None


def errors(edition: str, optimizer: str, stage: str) -> list[Document]:
    """What every optimizer of `edition`, or this one in particular, refuses at a stage: "construct" or "apply"."""
    return [
        entry
        for entry in editions()[edition]["errors"]
        if entry["stage"] == stage and optimizer in entry.get("optimizers", [optimizer])
    ]


def misfit(gradient: tuple[int, ...], variable: tuple[int, ...]) -> str | None:
    """How a gradient's shape misses its variable's: None, "broadcastable", "larger" or "incompatible"."""
    if gradient == variable:
        return None
    pairs = list(zip(reversed(gradient), reversed(variable), strict=False))
    if any(1 not in (g, v) and g != v for g, v in pairs):
        return "incompatible"
    return "broadcastable" if len(gradient) <= len(variable) and all(g in (1, v) for g, v in pairs) else "larger"


def fits_like(edition: str, optimizer: str, variant: str) -> str:
    """The optimizer whose errors a variant has for gradients of another shape or dtype: most often its own."""
    return str(editions()[edition].get("fits_like", {}).get(optimizer, {}).get(variant, optimizer))


@functools.lru_cache(4096)
def shape_error(edition: str, optimizer: str, gradient: tuple[int, ...], variable: tuple[int, ...]) -> str | None:
    """Type of the error for a gradient's and a variable's shape, or None where they are taken together."""
    kind = misfit(gradient, variable)
    for entry in errors(edition, optimizer, "apply"):
        if "gradient_shape" not in entry["given"]:
            continue
        shapes = [tuple(entry["given"][name]) for name in ("gradient_shape", "variable_shape")]
        empty = kind is None and [n == 0 for n in variable] == [n == 0 for n in shapes[1]]
        if misfit(*shapes) == kind and len(gradient) == len(shapes[0]) and (kind or empty):
            return str(entry["type"])
    if kind is None or (kind == "broadcastable" and optimizer in editions()[edition]["broadcasts"]):
        return None
    return "InvalidArgumentError"


@functools.lru_cache(4096)
def dtype_error(edition: str, optimizer: str, gradient: str, variable: str, rank: int) -> str | None:
    """Type of the error for a gradient's and a variable's dtype, or None where they are taken together."""
    for entry in errors(edition, optimizer, "apply"):
        given = entry["given"]
        if "gradient_dtype" not in given:
            continue
        pair = given["gradient_dtype"], given["variable_dtype"]
        same_kind = (gradient, variable) == pair or (gradient != variable and pair[0] != pair[1])
        if same_kind and len(given.get("variable_shape", [0] * rank)) == rank:
            return str(entry["type"])
    return None


def refusals(optimizer: str, edition: str) -> list[Document]:
    """The values of its own arguments that `optimizer` refuses in `edition`, with the error it raises."""
    return [entry for entry in optimizers()[optimizer].get("refuses", []) if edition in entry["editions"]]


def clauses(optimizer: str, edition: str, facts: Mapping[str, Any], features: Container[str] = ("dense",)) -> list[str]:
    """Ids of the clauses of `optimizer` that speak about `edition`, a configuration and one of the features."""
    return [
        clause["id"]
        for clause in optimizers()[optimizer]["clauses"]
        if edition in clause.get("editions", [edition])
        and holds(clause.get("when", {}), facts)
        and clause.get("feature", "dense") in features
    ]


def pipeline_clauses(edition: str, features: Sequence[str], facts: Mapping[str, Any]) -> list[str]:
    """Ids of the clauses of `edition` that speak about these features and a configuration."""
    return [
        clause["id"]
        for clause in editions()[edition]["clauses"]
        if {clause["feature"], *clause.get("with", ())} <= set(features) and holds(clause.get("when", {}), facts)
    ]


def digest() -> str:
    """SHA-256 of every document, in hex: which specification a golden was recorded under."""
    folders = ("optimizers", "editions", "schedules", "wrappers", "formats")
    text = json.dumps([_folder(name) for name in folders], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def _validator(schema: str) -> Any:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    registry: Any = Registry().with_resources(
        (f"{name}.schema.json", Resource.from_contents(document)) for name, document in schemas().items()
    )
    return Draft202012Validator(schemas()[schema], registry=registry)


def validate(document: Any, schema: str, source: str) -> None:
    """Raise SpecificationError, naming `source` and the place in it, unless `document` satisfies the schema."""
    from jsonschema.exceptions import best_match

    error = best_match(_validator(schema).iter_errors(document))
    if error is not None:
        place = error.json_path.replace("$", schema, 1)
        raise SpecificationError(f"{source}: {place}: {error.message}")
