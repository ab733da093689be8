"""Serialization: configs, identifiers and weights in memory, and files.

config.py         what `get_config` gives and `from_config` takes, in each edition
identifiers.py    `get`, `serialize` and `deserialize` of each release
by_class_name.py  objects as a class name and a config: Keras 2.4 to 2.12
by_module.py      objects with a module and a registered name, too: Keras 2.15 and 3
custom.py         classes of one's own
weights.py        the state as a list of arrays, and as a store of numbered ones
files.py          files of every format that carry an optimizer, with the modules that it names

Nothing here imports a module that a config names: a class is found in the release's tables or among the custom objects.
"""

from __future__ import annotations

from .custom import custom_object_scope

__all__ = ["custom_object_scope"]
