"""Which variables are spared weight decay: tf2.12, tf2.15 and keras3 share the method and differ in its guard."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .variable import Variable


class ExcludesFromWeightDecay:
    """A base with `exclude_from_weight_decay`; until it is called, nothing is excluded."""

    _excluded: frozenset[int] = frozenset()
    _excluded_names: tuple[str, ...] = ()

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Spare these variables, and those in whose name one of the patterns is found; forget earlier ones."""
        self._excluded = frozenset(id(variable) for variable in var_list or ())
        self._excluded_names = tuple(var_names or ())

    def _decays(self, variable: Variable) -> bool:
        """Is the variable subject to weight decay?"""
        named = any(re.search(pattern, self._name_searched(variable)) for pattern in self._excluded_names)
        return id(variable) not in self._excluded and not named

    def _name_searched(self, variable: Variable) -> str:
        """TensorFlow's names end in `:0`."""
        return f"{variable.name}:0"
