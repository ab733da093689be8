"""A second copy of the reference, of its own modules: what the first one is judged by, or what is built upon it.

An implementation may stand on `goldenstep.reference`: subclass it, replace a function of it, share its counters of
names.  The copy knows nothing of that.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import goldenstep.reference

from .keras_shaped import KerasShaped, reference

NAME = "goldenstep_reference_as_shipped"


@functools.cache
def pristine() -> KerasShaped:
    """The reference, from modules that nobody else has."""
    return another()


def another() -> KerasShaped:
    """One more implementation of the same modules, whose parts may be replaced."""
    package()
    return reference("the reference as it is shipped", NAME)


@functools.cache
def package() -> ModuleType:
    """The copy of the package, loaded from its files."""
    (folder,) = goldenstep.reference.__path__
    place = Path(folder) / "__init__.py"
    specification = importlib.util.spec_from_file_location(NAME, place, submodule_search_locations=[folder])
    assert specification is not None
    assert specification.loader is not None
    module = sys.modules[NAME] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def module_of(name: str) -> ModuleType:
    """A module of the copy."""
    package()
    return importlib.import_module(f"{NAME}.{name}")
