"""The editions: what each generation of the API does around a rule, and its public names.

from goldenstep.reference.editions import keras3, tf2_4
keras3.Adam(learning_rate=0.1)
"""

from __future__ import annotations

import importlib
from typing import Any

from goldenstep import spec


def namespace(edition: str) -> Any:
    """The object that holds the classes of an edition: a module, or its `legacy`."""
    module = importlib.import_module(f"{__name__}.{edition.removesuffix('.legacy').replace('.', '_')}")
    return module.legacy if edition.endswith(".legacy") else module


def namespaces() -> dict[str, Any]:
    """Every edition's namespace by its id."""
    return {edition: namespace(edition) for edition in spec.editions()}
