"""Classes and functions of one's own, by name, while a config is read."""

from __future__ import annotations

import contextlib
import contextvars
from collections.abc import Iterator, Mapping
from typing import Any

CustomObjects = Mapping[str, Any]
_SCOPE: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("custom objects", default={})  # noqa: B039


@contextlib.contextmanager
def custom_object_scope(custom_objects: CustomObjects | None) -> Iterator[None]:
    """Inside the `with` statement these names stand for these classes and functions."""
    token = _SCOPE.set({**_SCOPE.get(), **(custom_objects or {})})
    try:
        yield
    finally:
        _SCOPE.reset(token)


def in_scope() -> dict[str, Any]:
    """What the scopes around this call name."""
    return dict(_SCOPE.get())
