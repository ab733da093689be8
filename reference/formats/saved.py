"""What a file holds of an optimizer, whatever its format."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .errors import FileFormatError

Document = dict[str, Any]


@dataclass(frozen=True)
class Weight:
    """One array of an optimizer's state.

    `name` is the name that the file has for it. A slot of a checkpoint of OptimizerV2 belongs to a variable and has
    the name of its kind (`m`); elsewhere both are None, and the order says which is which.
    """

    name: str
    value: np.ndarray
    slot: str | None = None
    variable: str | None = None


@dataclass(frozen=True)
class SavedOptimizer:
    """An optimizer as a file holds it: weights in the order of `set_weights`, and the config where the file has one.

    format      "h5", "weights.h5", "keras" or "checkpoint"
    weights     the state; empty where the file has none
    config      {"class_name", "config"} or {"module", "class_name", "config", "registered_name"}; None without one
    version     of the Keras that wrote the file, as it stands there; None if it does not
    beside      what a checkpoint has beside the weights, by attribute: hyperparameters, `_learning_rate`, `_u_product`
    variables   the model's own variables where a checkpoint has them, by name
    """

    format: str
    weights: list[Weight]
    config: Document | None = None
    version: str | None = None
    beside: dict[str, np.ndarray] = field(default_factory=dict)
    variables: dict[str, np.ndarray] = field(default_factory=dict)


MOST_TEXT = 16 << 20
MOST_DIGITS = 18


def parsed(text: str | bytes, place: str) -> Any:
    """The JSON document of a file: every key of an object once, and not nested too deep; nothing is executed."""
    if len(text) > MOST_TEXT:
        raise FileFormatError(f"{place}: {len(text)} bytes of JSON, expected at most {MOST_TEXT}")
    try:
        # Given bytes, json would guess at encodings, and import what it guesses.
        text = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(text, object_pairs_hook=_without_duplicates)
    except RecursionError as error:
        raise FileFormatError(f"{place}: JSON that is nested too deep") from error
    except ValueError as error:
        raise FileFormatError(f"{place}: expected JSON: {error}") from error


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Document:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError(f"the key {twice(name for name, _ in pairs)!r} stands twice in an object")
    return found


def is_number(name: str) -> bool:
    """Is a name a number of a list, 0, 1, 2 ...? One of thousands of digits is none, and takes time to read."""
    return name.isascii() and name.isdigit() and len(name) <= MOST_DIGITS


def twice(names: Iterable[str]) -> str | None:
    """The first name that has come before; None if each stands once."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


def optimizer_config(document: Any, place: str) -> Document:
    """`document` as the config of an optimizer; FileFormatError unless the schema takes it."""
    from goldenstep import spec

    try:
        _refuse_code(document, place)
        spec.validate(document, "saved_config", place)
    except spec.SpecificationError as error:
        raise FileFormatError(str(error)) from error
    except RecursionError as error:
        raise FileFormatError(f"{place}: a config that is nested too deep") from error
    return dict(document)


def _refuse_code(value: Any, place: str) -> None:
    """A function that was saved as Python byte code is never executed."""
    if isinstance(value, dict):
        name = value.get("class_name")
        if name in ("__lambda__", "function", "__bytes__", "__numpy__", "__tensor__", "__typespec__"):
            raise FileFormatError(f"{place}: a {name} in a config, expected numbers, text and schedules; not executed")
        for key, item in value.items():
            _refuse_code(item, f"{place}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_code(item, f"{place}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise FileFormatError(f"{place}: {value} in a config, expected a finite number")


def renewed(before: Document, config: Document | None) -> Document:
    """A config in the form of another one of the same class, as the release that wrote that one has it."""
    if config is None:
        return before
    names = [document["class_name"].removeprefix("Custom>") for document in (before, config)]
    if names[0] != names[1]:
        raise FileFormatError(f"the file to write into was saved with {names[0]}, expected {names[1]}")
    merged = {key: _renewed(key, before["config"].get(key), value) for key, value in config["config"].items()}
    return {**before, "config": {**merged, **{k: v for k, v in before["config"].items() if k not in merged}}}


def _renewed(key: str, old: Any, value: Any) -> Any:
    """An argument in the form of another one: a document, documents by the patterns of a map, or as it is."""
    if not isinstance(value, dict):
        return value
    if "class_name" not in value:
        if not isinstance(old, dict) or set(old) != set(value):
            raise FileFormatError(f"the file to write into was saved with {key}={old}, expected {sorted(value)}")
        return {pattern: renewed(old[pattern], document) for pattern, document in value.items()}
    if not isinstance(old, dict) or old.get("class_name") != value["class_name"]:
        raise FileFormatError(f"the file to write into was saved with {key}={old}, expected {value['class_name']}")
    return renewed(old, value)
