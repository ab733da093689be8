"""Objects as `{"module", "class_name", "config", "registered_name"}`.

Source   keras 2.15.0 and keras 3.15.1, src/saving/serialization_lib.py.
Differs  the release imports the module that a config names if it can't find the class otherwise; this does not.
"""

from __future__ import annotations

import base64
import marshal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from .custom import CustomObjects, custom_object_scope, in_scope

Document = dict[str, Any]
PLAIN = (str, int, float, bool)


@dataclass(frozen=True)
class Public:
    """What a release names publicly: the module of each class, the class of each module and name, `Custom>Adam`.

    A strict one, of Keras 3, takes only dicts as configs, and no registered name for a class of its own.
    """

    module_of: Callable[[type], str | None]
    found: Callable[[str, str], Any]
    registered: Mapping[str, Any]
    modules: frozenset[str]
    strict: bool


def serialize(thing: Any, public: Public) -> Any:
    """Plain values as they are, numpy's other scalars as Python's, lists and dicts part by part, objects as documents.

    Raises TypeError for an object that has neither a config nor a name.
    """
    if thing is None or isinstance(thing, PLAIN):  # numpy's float64 is one of Python's floats.
        return thing
    if isinstance(thing, list | tuple):
        return type(thing)(serialize(value, public) for value in thing)
    if isinstance(thing, dict):
        return {key: serialize(value, public) for key, value in thing.items()}
    if isinstance(thing, bytes):
        return {"class_name": "__bytes__", "config": {"value": thing.decode("utf-8")}}
    if isinstance(thing, np.ndarray) and thing.ndim:
        return {"class_name": "__numpy__", "config": {"value": thing.tolist(), "dtype": thing.dtype.name}}
    if isinstance(thing, np.ndarray | np.generic):
        return thing.item()
    if isinstance(thing, FunctionType) and thing.__name__ == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": dumped(thing)}}
    cls = type(thing)
    module = public.module_of(cls)
    named = cls.__module__ if module is None else module
    return {
        "module": None if named == "__main__" else named,
        "class_name": cls.__name__,
        "config": _config_of(thing, public),
        "registered_name": cls.__name__ if module is None or ".src." in module else None,
    }


def _config_of(thing: Any, public: Public) -> Any:
    """The config of an object, or the name of a function or class."""
    if isinstance(thing, FunctionType):
        return thing.__name__
    if hasattr(thing, "get_config"):
        return serialize(thing.get_config(), public)
    if hasattr(thing, "__name__"):
        return thing.__name__
    raise TypeError(
        f"Cannot serialize object {thing} of type {type(thing)}. To be serializable, a class must implement the "
        "`get_config()` method."
    )


def dumped(function: FunctionType) -> tuple[str, Any, Any]:
    """The code of a lambda in base64, its defaults and what it closes over. Nothing here reads it again."""
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = function.__closure__
    return code, function.__defaults__, tuple(cell.cell_contents for cell in closure) if closure else None


def deserialize(
    config: Any, public: Public, objects: Mapping[str, Any] | None = None, custom_objects: CustomObjects | None = None
) -> Any:
    """The object that a document describes.

    With a table of `objects` only the class name is looked at: one that is not in the table is given back as it is.
    Raises TypeError where no class can be found, and ValueError for a dict without class name, and for a lambda.
    """
    custom = {**(custom_objects or {}), **in_scope(), **public.registered}
    if config is None:
        return None
    if isinstance(config, str) and custom.get(config) is not None:
        return custom[config]
    if isinstance(config, list | tuple):
        return [deserialize(value, public, None, custom) for value in config]
    if objects is not None and not _is_custom(config, custom):
        name, inner = _name_and_config(config)
        if name not in objects:
            return name
        return _made(objects[name], inner, custom, public)
    if isinstance(config, PLAIN):
        return config
    if not isinstance(config, dict):
        raise TypeError(f"Could not parse config: {config}")
    if "class_name" not in config or "config" not in config:
        return {key: deserialize(value, public, None, custom) for key, value in config.items()}
    name, inner = config["class_name"], config["config"]
    if name == "__numpy__":
        return np.array(inner["value"], inner["dtype"])
    if name == "__bytes__":
        return inner["value"].encode("utf-8")
    if name == "__lambda__":
        raise ValueError("A lambda is code, and is not loaded. Give a named function among the custom objects.")
    is_function = name == "function"
    registered = inner if is_function else config.get("registered_name", name)
    found = custom.get(registered)
    if found is None:
        found = _public(config, inner if is_function else name, public)
    return found if isinstance(found, FunctionType) else _made(found, inner, custom, public)


def _is_custom(config: Any, custom: Mapping[str, Any]) -> bool:
    """Does a document name one of the custom objects?"""
    if not isinstance(config, dict) or not custom:
        return False
    inner = config.get("config")
    names = (config.get("class_name"), config.get("registered_name"), inner if isinstance(inner, str) else None)
    return any(name in custom for name in names)


def _name_and_config(config: Any) -> tuple[Any, Any]:
    """The class name of a document, or of what stands for it, and the config if there is one."""
    if not isinstance(config, dict):
        return config, None
    if "class_name" not in config:
        raise ValueError(f"Unknown `config` as a `dict`, config={config}")
    if config.get("module", "_") is None:
        raise TypeError(
            f"Cannot deserialize object of type `{config['class_name']}`. If it is a class of your own, pass it as one "
            "of `custom_objects`."
        )
    return config["class_name"], config.get("config")


def _public(config: Document, name: str, public: Public) -> Any:
    """What the module of a document has by the name, if it is one of the release's public modules."""
    found = public.found(config.get("module") or "", name)
    if found is None and public.strict and config.get("module") in public.modules:
        raise ValueError(f"Could not deserialize '{config['module']}.{name}': the module has no such class.")
    if found is None:
        raise TypeError(
            f"Could not locate '{name}' of module {config.get('module')!r}. Pass it as one of `custom_objects`, if it "
            f"is a class of your own. Full object config: {config}"
        )
    registered = config.get("registered_name")
    if registered and public.strict and registered not in (name, config["class_name"]):
        raise ValueError(
            f"`registered_name={registered!r}` was provided in the config, but '{config['module']}.{name}' is a class "
            f"of Keras, which has none. Full object config: {config}"
        )
    return found


def _made(cls: Any, inner: Any, custom: CustomObjects, public: Public) -> Any:
    """An object of a class, by its `from_config`."""
    if public.strict and not isinstance(inner, dict | None):
        raise TypeError(f"Expected 'config' to be a dict for {cls.__name__}, instead got {type(inner)}")
    with custom_object_scope(custom):
        return cls.from_config({} if inner is None else inner)
