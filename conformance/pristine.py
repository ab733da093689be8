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

import goldenstep.reference

from .keras_shaped import KerasShaped

NAME = "goldenstep_reference_as_shipped"


@functools.cache
def pristine() -> KerasShaped:
    """The reference, from modules that nobody else has."""
    (folder,) = goldenstep.reference.__path__
    place = Path(folder) / "__init__.py"
    specification = importlib.util.spec_from_file_location(NAME, place, submodule_search_locations=[folder])
    assert specification is not None
    assert specification.loader is not None
    package = sys.modules[NAME] = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(package)
    editions = importlib.import_module(f"{NAME}.editions")
    keras3 = importlib.import_module(f"{NAME}.editions.keras3")
    namespaces = editions.namespaces()
    return KerasShaped(
        "the reference as it is shipped",
        namespaces,
        package.Variable,
        lambda value: value,
        keras3.clear_session,
        constraints={edition: names.constraints for edition, names in namespaces.items()},
        slices=package.IndexedSlices,
    )
