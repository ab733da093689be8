"""How Keras 3 names its optimizers: the class name in snake case, made unique by a number (adam, adam_1 ...)."""

from __future__ import annotations

import re
from typing import Any

_counts: dict[str, int] = {}


def unique_name(class_name: str) -> str:
    """The next name for an object of a class: rm_sprop, rm_sprop_1 ..."""
    stem = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z0-9]+)", r"\1_\2", class_name)).lower()
    return numbered(stem)


def numbered(stem: str) -> str:
    """The name, made unique by a number: adam, adam_1 ..."""
    count = _counts[stem] = _counts.get(stem, -1) + 1
    return f"{stem}_{count}" if count else stem


def forget_names() -> None:
    """The next Adam is `adam` again."""
    _counts.clear()


def refuse_name(name: Any) -> None:
    """ValueError for a name that is no string, or has a slash; None is no name yet."""
    if name is not None and (not isinstance(name, str) or "/" in name):
        raise ValueError(f"Argument `name` must be a string and cannot contain character `/`. Received: name={name}")
