"""The specification of optimizers that wrap others: what an edition has, its arguments, what it refuses."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from . import Document, _folder


def wrappers() -> dict[str, Document]:
    """Every wrapper by its class name (`LossScaleOptimizer`), sorted by file."""
    return {document["name"]: document for document in _folder("wrappers").values()}


def available(edition: str) -> dict[str, Document]:
    """The wrappers that `edition` has, by class name."""
    return {name: document for name, document in wrappers().items() if edition in document["editions"]}


def arguments(wrapper: str, edition: str) -> list[Document]:
    """The constructor's arguments in signature order, each with that edition's default, if it has one."""
    return [
        {**entry, "default": entry["default_in"][edition]} if edition in entry.get("default_in", {}) else entry
        for entry in wrappers()[wrapper]["arguments"]
        if edition in entry.get("editions", [edition])
    ]


def state(wrapper: str, edition: str) -> list[Document]:
    """The wrapper's own state in `edition`, in its order; hidden entries are not among its variables."""
    return [entry for entry in wrappers()[wrapper]["state"] if edition in entry["editions"]]


def refusals(wrapper: str, edition: str) -> list[Document]:
    """What the wrapper refuses in `edition`, with the stage and the error."""
    return [entry for entry in wrappers()[wrapper]["refuses"] if edition in entry["editions"]]


def clauses(wrapper: str, edition: str, about: Container[str]) -> list[str]:
    """Ids of the clauses that speak about `edition` and about features, flags or facts that a case has."""
    return [
        clause["id"]
        for clause in wrappers()[wrapper]["clauses"]
        if edition in clause["editions"] and all(word in about for word in clause.get("about", ()))
    ]


def innermost(description: Any) -> Document | None:
    """The optimizer that a LossScaleOptimizer wraps, through any number of them; None for one of several."""
    while isinstance(description, dict) and description.get("class_name") in wrappers():
        config = description["config"]
        description = config.get("inner_optimizer", config.get("optimizer"))
    return description if isinstance(description, dict) and "config" in description else None
