"""Objects as `{"class_name", "config"}`.

Source   tensorflow 2.4.4, python/keras/utils/generic_utils.py; keras 2.12.0, saving/legacy/serialization.py.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

from .custom import CustomObjects, custom_object_scope, in_scope

Document = dict[str, Any]


def serialize(thing: Any, name_of: Callable[[Any], str]) -> Any:
    """None as it is; what has a config as class name and config; what has a name as that; ValueError for the rest."""
    if thing is None:
        return None
    if hasattr(thing, "get_config"):
        name = name_of(type(thing))
        return {"class_name": name, "config": {k: _item(v, name_of) for k, v in thing.get_config().items()}}
    if hasattr(thing, "__name__"):
        return name_of(thing)
    raise ValueError(f"Cannot serialize {thing} because it doesn't implement `get_config()`.")


def _item(value: Any, name_of: Callable[[Any], str]) -> Any:
    """A value of a config: objects inside it are marked, so that they are made anew with it."""
    if isinstance(value, str):
        return value
    try:
        serialized = serialize(value, name_of)
    except ValueError:
        return value
    return {**serialized, "__passive_serialization__": True} if isinstance(serialized, dict) else serialized


@dataclass(frozen=True)
class Known:
    """The classes of a release: those of a table, those registered as `Custom>Adam`; `kind` is for messages.

    TF 2.4 takes a string for a function of one's own even where it is a name: `names_too`.
    """

    kind: str
    objects: Mapping[str, Any]
    registered: Mapping[str, Any]
    names_too: bool = False

    def found(self, name: str, custom_objects: CustomObjects) -> Any:
        """What a name stands for; None if nothing."""
        for table in (in_scope(), self.registered, custom_objects, self.objects):
            if name in table:
                return table[name]
        return None


def deserialize(identifier: Any, known: Known, custom_objects: CustomObjects | None) -> Any:
    """The object that a dict, or a class name alone, describes.

    Raises ValueError for an unknown class name, a dict that lacks class name or config, and anything else.
    """
    custom = custom_objects or {}
    if identifier is None or isinstance(identifier, FunctionType):
        return identifier
    if isinstance(identifier, str):
        found = custom[identifier] if identifier in custom else known.found(identifier, custom)
        if found is None:
            raise ValueError(unknown(known.kind, identifier))
        return found() if inspect.isclass(found) else found
    if not isinstance(identifier, dict):
        raise ValueError(f"Could not interpret serialized {known.kind}: {identifier}")
    if "class_name" not in identifier or "config" not in identifier:
        raise ValueError(
            f"Improper config format for {identifier}. Expecting python dict contains `class_name` and `config` as keys"
        )
    cls, config = known.found(identifier["class_name"], custom), identifier["config"]
    if cls is None:
        raise ValueError(unknown(known.kind, identifier["class_name"]))
    for key, value in () if isinstance(config, list) else config.items():
        if isinstance(value, dict) and "__passive_serialization__" in value:
            config[key] = deserialize(value, dataclasses.replace(known, kind="config_item"), custom)
        elif (
            (key != "name" or known.names_too)
            and isinstance(value, str)
            and isinstance(_own(value, custom), FunctionType)
        ):
            config[key] = _own(value, custom)
    if not hasattr(cls, "from_config"):
        return cls(**config)
    if "custom_objects" in inspect.signature(cls.from_config).parameters:
        return cls.from_config(config, custom_objects={**in_scope(), **custom})
    with custom_object_scope(custom):
        return cls.from_config(config)


def _own(name: str, custom_objects: CustomObjects) -> Any:
    """The function or class of one's own that is called so."""
    return {**custom_objects, **in_scope()}.get(name)


def unknown(kind: str, name: str) -> str:
    """The message for a name that is in no table."""
    return (
        f"Unknown {kind}: {name}. Pass it as one of `custom_objects`, or in a `custom_object_scope`, if it is a class "
        "of your own."
    )
