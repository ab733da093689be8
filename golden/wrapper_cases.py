"""The recorded cases of optimizers that wrap others, in their final form: ids, editions, and the clauses they cover."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from goldenstep.spec import wrapper as spec

from .drawing import Document
from .loss_scale_cases import loss_scale_cases
from .multi_optimizer_cases import multi_optimizer_cases
from .overwriting_cases import wrapped_overwriting_cases


def wrapper_cases_of(edition: str, wrapper: str) -> Iterator[Document]:
    """All cases of one wrapper of an edition; the ids are unique."""
    seen: set[str] = set()
    made = multi_optimizer_cases() if wrapper == "MultiOptimizer" else loss_scale_cases(edition, wrapper)
    for name, case in chain(made, wrapped_overwriting_cases(edition, wrapper)):
        identity = f"{edition}/{wrapper.lower()}/{name}"
        if identity not in seen:
            seen.add(identity)
            yield finished(identity, edition, case)


def finished(identity: str, edition: str, case: Document) -> Document:
    """The case with id, edition and clauses, keys in the schema's order; one that is refused covers no clause."""
    about = {*case["features"], *case["flags"], *facts(case)}
    wrappers = [] if "errors" in about else [case["optimizer"]["class_name"]]
    if "multi_optimizer" in about and "MultiOptimizer" not in wrappers:
        wrappers.append("MultiOptimizer")
    stated = [clause for wrapper in wrappers for clause in spec.clauses(wrapper, edition, about)]
    head = {"id": identity, "edition": edition, "clauses": stated}
    return {
        **head,
        **{key: case[key] for key in ("features", "flags", "optimizer", "variables", "events", "keep") if key in case},
    }


def facts(case: Document) -> Iterator[str]:
    """What of a case is neither feature nor flag: a scale that is fixed or moves, a map or a function, finite steps."""
    config: dict[str, Any] = case["optimizer"]["config"]
    chooser = config.get("optimizer_map")
    if isinstance(chooser, dict):
        yield "function" if "function" in chooser else "map"
    else:
        scale = config.get("loss_scale")
        kind = scale["class_name"] if isinstance(scale, dict) else type(scale).__name__
        fixed = config.get("dynamic") is False or kind in ("int", "float", "bool", "FixedLossScale")
        yield "fixed" if fixed else "dynamic"
        if not fixed and any("apply" in event for event in case["events"]):
            yield "finite"
    yield "step"
