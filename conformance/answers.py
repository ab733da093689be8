"""What an implementation gives instead of a trajectory, and trajectories that can't be compared for their shape."""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from goldenstep.golden.compare import Divergence, with_layouts

Document = dict[str, Any]


class NoAnswerError(Exception):
    """An implementation gave no trajectory; `kind` is the verdict, `detail` what else is known of it."""

    kind: ClassVar[str] = "error"

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.detail = detail


class UnsupportedError(NoAnswerError):
    """The implementation says that it does not support the case."""

    kind = "unsupported"


class CrashError(NoAnswerError):
    """The process of the implementation ended."""

    kind = "crash"


class TimeoutExceededError(NoAnswerError):
    """The process of the implementation took longer than it may."""

    kind = "timeout"


class ProtocolError(NoAnswerError):
    """The process of the implementation answered something else than the protocol says."""

    kind = "protocol error"


def misshapen(case: Document, got: Document) -> Divergence | None:
    """The first array of a trajectory that does not fill the shape it must have; None if all can be compared."""
    if "schedule" in case or "file" in case or "calls" in case:
        return None
    shapes = [("variables", v["name"], v["value"]["dtype"], v["value"]["shape"]) for v in case["variables"]]
    shapes *= case.get("replicas", 1)
    for (number, layout), step in zip(with_layouts(got), got["steps"], strict=True):
        state = [("state", entry["name"], entry["dtype"], entry["shape"]) for entry in layout]
        for side, entries in (("variables", shapes), ("state", state)):
            if len(step[side]) != len(entries):
                return Divergence(number, f"number of arrays in {side}", None, len(entries), len(step[side]), None)
            for (_, name, dtype, shape), values in zip(entries, step[side], strict=True):
                if len(values) != math.prod(shape):
                    expected = f"{math.prod(shape)} values (shape {list(shape)})"
                    return Divergence(number, name, None, expected, f"{len(values)} values", None)
                if not whole(values, dtype):
                    return Divergence(number, name, None, f"whole numbers ({dtype})", values[:5], None)
    return None


def whole(values: list[Any], dtype: str) -> bool:
    """Are these values of an integer dtype? (Of a dtype that no golden has, the comparison of layouts speaks.)"""
    if dtype not in ("int32", "int64"):
        return True
    low, high = np.iinfo(dtype).min, np.iinfo(dtype).max
    return all(isinstance(v, int | float) and low <= v <= high and v == int(v) for v in values)
