"""Compare the answers to a file case: the state that was read, and the steps of the resumed run, to the bit."""

from __future__ import annotations

from typing import Any

from goldenstep.spec import saved_files

from .codec import unflat
from .compare import Comparison, Divergence, same, ulps
from .schedule_compare import shown

Document = dict[str, Any]


def compare(case: Document, expected: Document, got: Document) -> Comparison:
    """The comparison of a recorded answer with an implementation's.

    What was resumed must be what the release resumed; where its own loading fails, what it does uninterrupted.
    Without a layout the expected answer is not of a release, but of another implementation, which has no other run.
    """
    result = Comparison()
    result.divergence = _first_divergence(case, expected, got, result)
    result.exact = result.divergence is None
    return result


def _first_divergence(case: Document, expected: Document, got: Document, result: Comparison) -> Divergence | None:
    if "layout" not in expected:
        return _of_another(case, expected, got, result)
    of_a_release = "uninterrupted" in got
    wrong, raised = expected.get("error") if of_a_release else None, got.get("error")
    if (wrong or raised) and not (wrong and raised and wrong["type"] == raised["type"]):
        return Divergence(None, "error", None, shown(wrong), shown(raised), None)
    state = expected["state"] if of_a_release else expected_state(case, expected)
    divergence = _other_state("the state in the file", None, expected["layout"], state, got["state"])
    if divergence is None and of_a_release:
        divergence = other_steps(case, expected, expected["uninterrupted"], got["uninterrupted"], result)
        got = {**got, "resumed": got["uninterrupted"] if got["resumed"] == "uninterrupted" else got["resumed"]}
    as_recorded = of_a_release and (wrong or lost(case))
    wanted = expected["resumed"] if as_recorded else expected_steps(case, expected)
    return divergence or other_steps(case, expected, wanted, got["resumed"], result)


def _of_another(case: Document, expected: Document, got: Document, result: Comparison) -> Divergence | None:
    wrong, raised = expected.get("error"), got.get("error")
    if wrong or raised:
        alike = wrong and raised and wrong["type"] == raised["type"]
        return None if alike else Divergence(None, "error", None, shown(wrong), shown(raised), None)
    layout = [{"name": f"array {index} of the state"} for index in range(len(expected["resumed"][0]["state"]))]
    divergence = _other_state("the state in the file", None, layout, expected["state"], got["state"])
    return divergence or other_steps(case, {"layout": layout}, expected["resumed"], got["resumed"], result)


def other_steps(
    case: Document, expected: Document, wanted: list[Document], got: list[Document], result: Comparison | None = None
) -> Divergence | None:
    """The first difference between two runs of a case, whose layout `expected` has; each equal step is counted."""
    if len(wanted) != len(got):
        return Divergence(None, "resumed steps", None, len(wanted), len(got), None)
    variables = [{"name": v["name"], **v["value"]} for v in case["variables"]]
    for a, b in zip(wanted, got, strict=True):
        where = f"step {a['step']}"
        divergence = _other_state(where, a["step"], variables, a["variables"], b["variables"])
        divergence = divergence or _other_state(where, a["step"], expected["layout"], a["state"], b["state"])
        if divergence:
            return divergence
        if result:
            result.compared += 1
    return None


def expected_state(case: Document, expected: Document) -> list[Any]:
    """The state that the file holds: all of it without what is hidden, that of a wrapper alone, or nothing."""
    if held(case)["holds"] != "state":
        return []
    pairs = zip(expected["layout"], expected["state"], strict=True)
    shown = [values for entry, values in pairs if not entry["name"].startswith("_")]
    return shown[: saved_files.arrays(case["file"], case["edition"], case["trained"])]


def expected_steps(case: Document, expected: Document) -> list[Document]:
    """The steps of the release's resumed run; of the uninterrupted one where that is the same, or its loading fails.

    None where the file holds no state and the release's loading fails: nothing can be resumed. Where the release loses
    what the file holds, that goes on as if uninterrupted, and what is hidden starts anew, as in the release's run.
    """
    if "error" in expected and held(case)["holds"] != "state":
        return []
    resumed = expected["resumed"]
    if lost(case):
        return [
            {**whole, "state": _as_anew(expected["layout"], whole["state"], anew["state"])}
            for whole, anew in zip(expected["uninterrupted"], resumed, strict=True)
        ]
    steps: list[Document] = expected["uninterrupted"] if resumed == "uninterrupted" or "error" in expected else resumed
    return steps


def lost(case: Document) -> bool:
    """Does the release not restore the state of the optimizer of a case, which the file holds?"""
    return case["trained"]["class_name"] in held(case).get("loses", ())


def _as_anew(layout: list[Document], whole: list[Any], anew: list[Any]) -> list[Any]:
    """A state, with what is hidden from another run."""
    return [b if entry["name"].startswith("_") else a for entry, a, b in zip(layout, whole, anew, strict=True)]


def held(case: Document) -> Document:
    """What the format of a case holds of an optimizer of its edition."""
    return dict(saved_files.formats()[case["file"]]["editions"][case["edition"]])


def _other_state(
    where: str, step: int | None, layout: list[Document], expected: list[Any], got: list[Any]
) -> Divergence | None:
    if len(expected) != len(got):
        return Divergence(step, f"{where}: number of arrays", None, len(expected), len(got), None)
    for entry, a, b in zip(layout, expected, got, strict=False):
        if same(a, b):
            continue
        if len(a) != len(b):
            return Divergence(step, entry["name"], None, f"{len(a)} numbers", f"{len(b)} numbers", None)
        if "dtype" not in entry:
            at = next(i for i, pair in enumerate(zip(a, b, strict=True)) if not same(*pair))
            return Divergence(step, entry["name"], at, a[at], b[at], None)
        arrays = [unflat(values, entry["dtype"], tuple(entry["shape"])) for values in (a, b)]
        distance = ulps(*arrays).ravel()
        index = next((i for i, d in enumerate(distance) if d), None)
        if index is not None:
            return Divergence(step, entry["name"], index, a[index], b[index], float(distance[index]))
    return None
