"""Compare the answers to a schedule case: to the bit; where the schedule is random, by mean and variance."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .codec import unflat
from .compare import Comparison, Divergence, ulps

Document = dict[str, Any]
SIGMAS = 6


def compare(case: Document, expected: Document, got: Document) -> Comparison:
    """The comparison of a recorded answer with an implementation's."""
    result = Comparison()
    result.divergence = _first_divergence(case, expected, got, result)
    return result


def _first_divergence(case: Document, expected: Document, got: Document, result: Comparison) -> Divergence | None:
    wrong, raised = expected.get("error"), got.get("error")
    if wrong or raised:
        same = wrong and raised and all(wrong[key] == raised[key] for key in ("stage", "type"))
        return None if same else Divergence(None, "error", None, shown(wrong), shown(raised), None)
    for name in ("config", "roundtrip"):
        if json.dumps(expected[name]) != json.dumps(got[name]):
            return Divergence(None, name, None, expected[name], got[name], None)
    wanted, values = list(calls(expected)), list(calls(got))
    if len(wanted) != len(values):
        return Divergence(None, "number of values", None, len(wanted), len(values), None)
    if "random" in case["flags"]:
        return _other_distribution(wanted, values)
    for step, a, b in zip(case["steps"]["values"], wanted, values, strict=True):
        divergence = _other_value(f"at step {step}", a, b)
        if divergence:
            return divergence
        result.compared += 1
    return None


def calls(answer: Document) -> Iterator[Document]:
    """What each call gave: {"dtype", "value"} or {"error"}."""
    for group in answer["values"]:
        if "error" in group:
            yield from [{"error": group["error"]}] * group["times"]
        else:
            yield from ({"dtype": group["dtype"], "value": value} for value in group["values"])


def shown(error: Document | None) -> str:
    """An error in words."""
    where = f" at {error['stage']}" if error and "stage" in error else ""
    return f"{error['type']}{where}: {error['message']}" if error else "no error"


def _other_value(where: str, expected: Document, got: Document) -> Divergence | None:
    if "error" in expected or "error" in got:
        wrong, raised = expected.get("error"), got.get("error")
        if wrong and raised and wrong["type"] == raised["type"]:
            return None
        return Divergence(
            None,
            where,
            None,
            shown(wrong) if wrong else expected["value"],
            shown(raised) if raised else got["value"],
            None,
        )
    if expected["dtype"] != got["dtype"]:
        return Divergence(None, f"{where}, dtype", None, expected["dtype"], got["dtype"], None)
    if json.dumps(expected["value"]) == json.dumps(got["value"]):
        return None
    a, b = (unflat([x["value"]], x["dtype"], ()) for x in (expected, got))
    distance = float(ulps(a, b))
    return Divergence(None, where, None, expected["value"], got["value"], distance) if distance else None


def _other_distribution(expected: Sequence[Document], got: Sequence[Document]) -> Divergence | None:
    """Two samples of normal numbers: means that differ by less than six standard errors, and so do log variances."""
    for a, b in zip(expected, got, strict=True):
        if a.get("dtype") != b.get("dtype"):
            return Divergence(None, "dtype", None, a.get("dtype"), b.get("dtype"), None)
    samples = [np.array([x["value"] for x in answers], np.float64) for answers in (expected, got)]
    (mean, other_mean), (deviation, other_deviation) = ([f(x) for x in samples] for f in (np.mean, np.std))
    count = len(expected)
    if not abs(mean - other_mean) < SIGMAS * deviation * math.sqrt(2 / count):
        return Divergence(None, f"mean of {count} values", None, mean, other_mean, None)
    if not (other_deviation > 0 and 2 * abs(math.log(deviation / other_deviation)) < SIGMAS * 2 / math.sqrt(count)):
        return Divergence(None, f"standard deviation of {count} values", None, deviation, other_deviation, None)
    return None
