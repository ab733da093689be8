"""Compare the results of a case that is a list of calls: values to the bit and keys in their order, errors by type."""

from __future__ import annotations

import itertools
import json
from typing import Any

from .compare import Comparison, Divergence

Document = dict[str, Any]
NOTHING = "nothing"


def compare(case: Document, expected: Document, got: Document) -> Comparison:
    """The comparison of the recorded results with an implementation's."""
    result = Comparison()
    pairs = itertools.zip_longest(case["calls"], expected["results"], got["results"])
    for number, (call, wanted, found) in enumerate(pairs, 1):
        result.divergence = _first_divergence(f"call {number}, {next(iter(call))}", wanted, found)
        result.compared += 1
        if result.divergence:
            break
    return result


def _first_divergence(where: str, expected: Document | None, got: Document | None) -> Divergence | None:
    if expected is None or got is None:
        return None if expected is got else Divergence(None, where, None, _shown(expected), _shown(got), None)
    if expected.get("error", {}).get("type") != got.get("error", {}).get("type"):
        return Divergence(None, where, None, _shown(expected), _shown(got), None)
    for name in ("value", "given"):
        place = difference(expected.get(name, NOTHING), got.get(name, NOTHING))
        if place:
            path, wanted, found = place
            shown = f"{where}, {'the argument afterwards' if name == 'given' else 'result'}{path}"
            return Divergence(None, shown, None, json.dumps(wanted), json.dumps(found), None)
    return None


def _shown(result: Document | None) -> str:
    """A result in words."""
    if result is None:
        return "no result"
    if "error" in result:
        return f"{result['error']['type']}: {result['error']['message']}"
    return json.dumps(result["value"])


def difference(expected: Any, got: Any, path: str = "") -> tuple[str, Any, Any] | None:
    """The first place where two JSON values differ, and both values there; -0.0, 0.0 and 0 are three numbers."""
    if isinstance(expected, dict) and isinstance(got, dict):
        if list(expected) != list(got):
            return f"{path}, keys", list(expected), list(got)
        pairs = ((f"{path}[{key!r}]", expected[key], got[key]) for key in expected)
    elif isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return f"{path}, length", len(expected), len(got)
        pairs = ((f"{path}[{index}]", *both) for index, both in enumerate(zip(expected, got, strict=True)))
    else:
        return None if json.dumps(expected) == json.dumps(got) else (path, expected, got)
    return next(filter(None, (difference(a, b, place) for place, a, b in pairs)), None)
