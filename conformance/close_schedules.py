"""Is a schedule's value off by rounding only? Its formula is one expression, so its errors can be bounded at once.

With u the distance from 1 to the next number of the value's dtype, a value may be off by N u times the sum of

    the largest rate that the schedule is given     a cosine or a polynomial near its end is a small difference of these
    the value itself                                the operations
    the value times the logarithm of its share      an exponent that is off by u moves a power by u * log(power)
      of that rate

and by one ulp. A boundary is no matter of rounding: on its other side the value is another.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from goldenstep.golden.codec import flat, unflat
from goldenstep.golden.compare import Divergence, ulps
from goldenstep.golden.schedule_compare import calls, compare

Document = dict[str, Any]
RATES = ("initial_learning_rate", "end_learning_rate", "warmup_target", "values")


def measure(case: Document, expected: Document, got: Document, ulp: int) -> tuple[Divergence | None, float] | None:
    """The first value beyond its margin or None, and the largest error as a share of its margin.

    None where something else than numbers differs, or where the numbers are random.
    """
    if "error" in expected or "error" in got or "random" in case["flags"]:
        return None
    wanted, found = list(calls(expected)), list(calls(got))
    if [value.get("dtype") for value in wanted] != [value.get("dtype") for value in found]:
        return None
    others = compare(case, expected, {**got, "values": expected["values"]})
    if others.divergence:
        return None
    largest = max(map(abs, rates(case["schedule"]["config"])), default=0.0)
    first, share = None, 0.0
    for step, a, b in zip(case["steps"]["values"], wanted, found, strict=True):
        if "error" in a:
            if a["error"]["type"] != b["error"]["type"]:
                return None
            continue
        e, g = (unflat([x["value"]], x["dtype"], ()) for x in (a, b))
        with np.errstate(all="ignore"):
            room = margin(e, largest, ulp) if e.dtype.kind == "f" else 0.0
            used = 0.0 if flat(e) == flat(g) else abs(float(e) - float(g)) / room if room else float("inf")
        share = max(share, used if used == used else float("inf"))
        if first is None and not used <= 1:
            first = Divergence(None, f"at step {step}", None, a["value"], b["value"], float(ulps(e, g)))
    return first, share


def margin(value: np.ndarray, largest: float, ulp: int) -> float:
    """How far a value may be off where the largest rate of its schedule is this one."""
    u, size = float(np.finfo(value.dtype).eps), abs(float(value))
    power = size * abs(np.log(size / largest)) if size and largest else 0.0
    return ulp * u * (largest + size + power) + float(np.spacing(np.abs(value)))


def rates(config: Document) -> Iterator[float]:
    """The learning rates among the arguments of a schedule."""
    for name in RATES:
        given = config.get(name)
        for value in given if isinstance(given, list) else [given]:
            number = value["value"] if isinstance(value, dict) and "value" in value else value
            if isinstance(number, int | float):
                yield float(number)
