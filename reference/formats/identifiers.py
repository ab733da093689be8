"""`get`, `serialize` and `deserialize` of optimizers and of schedules, as each release has them.

Source   tensorflow 2.4.4, python/keras/optimizers.py; keras 2.9.0, 2.12.0, 2.15.0 and 3.15.1, optimizers/__init__.py.

release       an optimizer as               a name means       without is_legacy_optimizer, a config means
tf2.4         class_name, config            OptimizerV2        OptimizerV2
tf2.9         class_name, config            OptimizerV2        OptimizerV2
tf2.12        class_name, config            the new class      OptimizerV2, unless it is empty
tf2.15        module, class_name, config    the new class      OptimizerV2, unless it is empty
keras3        module, class_name, config    the new class      the new class
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

from goldenstep import spec
from goldenstep.spec import schedule as spec_of_schedules
from goldenstep.spec import serialization

from ..optimizer import Optimizer
from ..schedules import LearningRateSchedule, Specified
from ..wrappers.base import Wrapper
from . import by_class_name, by_module
from .custom import CustomObjects

Document = dict[str, Any]


def uninterpretable(identifier: Any) -> ValueError:
    """The error for what stands for no optimizer."""
    return ValueError(f"Could not interpret optimizer identifier: {identifier}")


# ---- the classes of a release -----------------------------------------------------------------------------


def class_at(place: str) -> Any:
    """The class that a table of the specification calls "tf2.12/Adam"."""
    from ..editions import namespace

    edition, _, name = place.partition("/")
    wrapped = getattr(namespace(spec_of_schedules.release(edition)), "loss_scale_optimizers", {})
    return wrapped[place] if place in wrapped else getattr(namespace(edition), name)


class Table(Mapping[str, Any]):
    """A table of names that looks a class up when it is asked for."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> Any:
        return class_at(self._places[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places


@functools.cache
def optimizers(release: str, legacy: bool = False) -> Table:
    """The table of a release: what `get` knows, in lower case."""
    return Table(serialization.names(release, legacy))


@functools.cache
def schedules(release: str) -> dict[str, Any]:
    """The schedules of a release by class name."""
    from ..editions import namespace

    found = namespace(release)
    folders = [vars(folder) for folder in (found.schedules, getattr(found, "experimental", None)) if folder]
    classes = {name: cls for folder in folders for name, cls in folder.items() if isinstance(cls, type)}
    return {name: cls for name, cls in classes.items() if issubclass(cls, LearningRateSchedule)}


def registered_name(cls: Any) -> str:
    """A class of the new generation is registered as `Custom>Adam`; any other has its own name."""
    own = isinstance(cls, type) and issubclass(cls, Optimizer) and vars(cls).get("rules")
    return f"Custom>{cls.__name__}" if own and serialization.registered(cls.edition) else str(cls.__name__)


@functools.cache
def registered(release: str) -> Table:
    """The classes that are registered as `Custom>Adam`."""
    return Table(
        {
            f"Custom>{name}": f"{edition}/{name}"
            for edition in editions_of(release)
            if serialization.registered(edition)
            for name in spec.available(edition)
        }
    )


def names_too(release: str) -> bool:
    """Does the release take a name in a config for that of a function, if there is one among the custom objects?"""
    return release == "tf2.4"


def editions_of(release: str) -> list[str]:
    """The editions that one release holds: its own, and its `.legacy`."""
    return [edition for edition, document in spec.editions().items() if document["release"] == release]


def module_of(cls: type) -> str | None:
    """The module of one of the release's own classes; TF 2.15 has a private one for its wrappers."""
    if issubclass(cls, Specified) and "schedule" in vars(cls):
        return serialization.SCHEDULES
    if "rules" in vars(cls) or ("edition" in vars(cls) and not issubclass(cls, Optimizer)):
        return serialization.module_of(cls.__name__, vars(cls)["edition"])
    return None


def found_in(release: str) -> Callable[[str, str], Any]:
    """What looks for a class by module and name."""

    wrapped = serialization.names(release).values()

    def found(module: str, name: str) -> Any:
        if module == serialization.SCHEDULES:
            return schedules(release).get(name)
        for edition in editions_of(release):
            public = module in ("keras.optimizers", serialization.module_of(name, edition))
            if public and (name in spec.available(edition) or f"{edition}/{name}" in wrapped):
                return class_at(f"{edition}/{name}")
        return None

    return found


@functools.cache
def public(release: str) -> by_module.Public:
    """What a release of Keras 2.15 or 3 names publicly."""
    modules = frozenset({*serialization.modules(release), serialization.SCHEDULES})
    return by_module.Public(module_of, found_in(release), registered(release), modules, strict=release == "keras3")


# ---- schedules --------------------------------------------------------------------------------------------


def serialize_schedule(release: str, schedule: Any, use_legacy_format: bool = False) -> Any:
    """The document with which a release describes a schedule."""
    if serialization.with_module(release) and not use_legacy_format:
        return by_module.serialize(schedule, public(release))
    return by_class_name.serialize(schedule, registered_name)


def deserialize_schedule(
    release: str, config: Any, custom_objects: CustomObjects | None = None, use_legacy_format: bool = False
) -> Any:
    """The schedule that a document of a release describes."""
    if serialization.with_module(release) and not use_legacy_format:
        return by_module.deserialize(config, public(release), schedules(release), custom_objects)
    known = by_class_name.Known("decay", schedules(release), registered(release), names_too(release))
    return by_class_name.deserialize(config, known, custom_objects)


def schedule_functions(release: str, namespace: SimpleNamespace) -> SimpleNamespace:
    """The namespace of a release's schedules, with its `serialize` and `deserialize`."""

    def serialize(learning_rate_schedule: Any) -> Any:
        """The document that describes a schedule."""
        return serialize_schedule(release, learning_rate_schedule)

    def deserialize(config: Any, custom_objects: CustomObjects | None = None) -> Any:
        """The schedule that a document describes, or that a class name stands for."""
        return deserialize_schedule(release, config, custom_objects)

    namespace.serialize, namespace.deserialize = serialize, deserialize
    return namespace


def schedule_functions_of_keras_2(release: str, namespace: SimpleNamespace) -> SimpleNamespace:
    """The same for Keras 2.12 and 2.15, which can be asked for the older form."""

    def serialize(learning_rate_schedule: Any, use_legacy_format: bool = False) -> Any:
        """The document that describes a schedule."""
        return serialize_schedule(release, learning_rate_schedule, use_legacy_format)

    def deserialize(config: Any, custom_objects: CustomObjects | None = None, use_legacy_format: bool = False) -> Any:
        """The schedule that a document describes, or that a class name stands for."""
        return deserialize_schedule(release, config, custom_objects, use_legacy_format)

    namespace.serialize, namespace.deserialize = serialize, deserialize
    return namespace


# ---- the functions of each generation ---------------------------------------------------------------------


def lowered(config: Document, known: Mapping[str, Any]) -> None:
    """Put the class name of a document in lower case, if so it is known."""
    if config["class_name"].lower() in known:
        config["class_name"] = config["class_name"].lower()


def functions_of_optimizer_v2(release: str) -> Document:
    """TF 2.4 and 2.9: names mean OptimizerV2."""

    def serialize(optimizer: Any) -> Any:
        """The document that describes an optimizer: class name and config."""
        return by_class_name.serialize(optimizer, registered_name)

    def deserialize(config: Document, custom_objects: CustomObjects | None = None) -> Any:
        """The optimizer that a document describes; a known class name is put in lower case in `config`."""
        lowered(config, optimizers(release))
        known = by_class_name.Known("optimizer", optimizers(release), registered(release), names_too(release))
        return by_class_name.deserialize(config, known, custom_objects)

    def get(identifier: Any) -> Any:
        """The optimizer that a name, a document or an optimizer itself stands for; ValueError for anything else."""
        if isinstance(identifier, Optimizer | Wrapper):
            return identifier
        if isinstance(identifier, dict):
            return deserialize(identifier)
        if isinstance(identifier, str):
            return deserialize({"class_name": str(identifier), "config": {}})
        raise uninterpretable(identifier)

    return {"serialize": serialize, "deserialize": deserialize, "get": get}


def functions_of_keras_2(release: str) -> Document:
    """Keras 2.12 and 2.15: names mean the new classes; a config does so with `is_legacy_optimizer: False`."""

    def serialize(optimizer: Any, use_legacy_format: bool = False) -> Any:
        """The document that describes an optimizer; in the older form class name and config only."""
        if serialization.with_module(release) and not use_legacy_format:
            return by_module.serialize(optimizer, public(release))
        return by_class_name.serialize(optimizer, registered_name)

    def deserialize(
        config: Document, custom_objects: CustomObjects | None = None, use_legacy_format: bool = False, **kwargs: Any
    ) -> Any:
        """The optimizer that a document describes; a known class name is put in lower case in `config`.

        `use_legacy_optimizer=True` asks for OptimizerV2 where the config is empty.
        """
        legacy = kwargs.pop("use_legacy_optimizer", False)
        if kwargs:
            raise TypeError(f"Invalid keyword arguments: {kwargs}")
        if len(config["config"]) > 0:
            legacy = config["config"].get("is_legacy_optimizer", True)
        known = optimizers(release, bool(legacy))
        lowered(config, known)
        if serialization.with_module(release) and not use_legacy_format:
            return by_module.deserialize(config, public(release), known, custom_objects)
        named = by_class_name.Known("optimizer", known, registered(release))
        return by_class_name.deserialize(config, named, custom_objects)

    def get(identifier: Any, **kwargs: Any) -> Any:
        """The optimizer that a name, a document or an optimizer itself stands for; ValueError for anything else.

        `use_legacy_optimizer=True` asks for OptimizerV2 where a name, or an empty config, leaves it open.
        """
        legacy = kwargs.pop("use_legacy_optimizer", False)
        if kwargs:
            raise TypeError(f"Invalid keyword arguments: {kwargs}")
        if isinstance(identifier, Optimizer | Wrapper):
            return identifier
        if isinstance(identifier, dict):
            older = "module" not in identifier
            return deserialize(identifier, use_legacy_optimizer=legacy, use_legacy_format=older)
        if isinstance(identifier, str):
            document = {"class_name": str(identifier), "config": {}}
            return deserialize(document, use_legacy_optimizer=legacy, use_legacy_format=True)
        raise uninterpretable(identifier)

    return {"serialize": serialize, "deserialize": deserialize, "get": get}


def functions_of_keras_3(release: str) -> Document:
    """Keras 3: names mean its own classes; what is not known comes back as it is, and `get` refuses it."""

    def serialize(optimizer: Any) -> Any:
        """The document that describes an optimizer: module, class name, config and registered name."""
        return by_module.serialize(optimizer, public(release))

    def deserialize(config: Document, custom_objects: CustomObjects | None = None) -> Any:
        """The optimizer that a document describes; a known class name is put in lower case in `config`."""
        lowered(config, optimizers(release))
        return by_module.deserialize(config, public(release), optimizers(release), custom_objects)

    def get(identifier: Any) -> Any:
        """The optimizer that a name, a document or an optimizer itself stands for, or None; ValueError otherwise."""
        if identifier is None:
            return None
        found = identifier
        if isinstance(identifier, dict):
            found = deserialize(identifier)
        elif isinstance(identifier, str):
            found = deserialize({"class_name": identifier, "config": {}})
        if isinstance(found, Optimizer | Wrapper):
            return found
        raise uninterpretable(identifier)

    return {"serialize": serialize, "deserialize": deserialize, "get": get}
