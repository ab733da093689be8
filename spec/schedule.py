"""The specification of the learning-rate schedules: what an edition has, its arguments, what it refuses.

A `.legacy` edition has the schedules of its release.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from . import Document, _folder, holds


def schedules() -> dict[str, Document]:
    """Every schedule by its class name (`CosineDecay`), sorted by file."""
    return {document["name"]: document for document in _folder("schedules").values()}


def release(edition: str) -> str:
    """The edition under which the schedules of `edition` are listed."""
    return edition.removesuffix(".legacy")


def available(edition: str) -> dict[str, Document]:
    """The schedules that `edition` has, by class name."""
    return {name: document for name, document in schedules().items() if release(edition) in document["editions"]}


def arguments(schedule: str, edition: str) -> list[Document]:
    """The constructor's arguments in signature order, each with that edition's default, if it has one."""
    return [
        {**entry, "default": entry["default_in"][release(edition)]}
        if release(edition) in entry.get("default_in", {})
        else entry
        for entry in schedules()[schedule]["arguments"]
        if release(edition) in entry.get("editions", [release(edition)])
    ]


def refusals(schedule: str, edition: str) -> list[Document]:
    """What the schedule refuses in `edition`, and the error it raises, in the order in which they are looked for."""
    return [entry for entry in schedules()[schedule]["refuses"] if release(edition) in entry["editions"]]


def refusal(schedule: str, edition: str, stage: str, facts: Mapping[str, Any]) -> Document | None:
    """The first refusal that holds at a stage ("construct" or "call"); those `by_function` are the function's own."""
    for entry in refusals(schedule, edition):
        if entry["stage"] == stage and "by_function" not in entry and holds(entry["when"], facts):
            return entry
    return None


def clauses(schedule: str, edition: str, facts: Mapping[str, Any]) -> list[Document]:
    """The clauses of a schedule that speak about `edition` and a configuration."""
    return [
        clause
        for clause in schedules()[schedule]["clauses"]
        if release(edition) in clause.get("editions", [release(edition)]) and holds(clause.get("when", {}), facts)
    ]


def facts(config: Mapping[str, Any], step: Any = None) -> Document:
    """What conditions may ask about a full config, and about a step at a call.

    rate_dtype, rate_kind   of initial_learning_rate or of all values ("several"): a float32 is "floating"
    order, pieces           of boundaries: "rising", "equal", "falling"; "right", "one" value, "wrong" number of values
    step, warming_up        the step, and whether it comes before the end of a warmup
    """
    known: Document = dict(config)
    if "boundaries" in config:
        low, values = config["boundaries"], config["values"]
        known["pieces"] = "wrong" if len(values) != len(low) + 1 else "right" if len(low) else "one"
        signs = [(a < b) - (a > b) for a, b in itertools.pairwise(low)]
        known["order"] = "falling" if -1 in signs else "equal" if 0 in signs else "rising"
        dtypes = {dtype_of(value) for value in values}
    else:
        dtypes = {dtype_of(config["initial_learning_rate"])}
    known["rate_dtype"] = dtypes.pop() if len(dtypes) == 1 else "several"
    known["rate_kind"] = "integer" if known["rate_dtype"].startswith("int") else "floating"
    if step is not None:
        known["step"] = step
        known["warming_up"] = config.get("warmup_target") is not None and bool(step < config["warmup_steps"])
    return known


def dtype_of(value: Any) -> str:
    """The dtype that TensorFlow gives a number of a config: a Python int is int32, a Python float float32."""
    if isinstance(value, dict):
        return str(value["dtype"])
    if hasattr(value, "dtype"):
        return str(value.dtype)
    if isinstance(value, int):
        return "int32" if -(2**31) <= value < 2**31 else "int64"
    return "float32"
