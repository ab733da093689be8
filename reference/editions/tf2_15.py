"""tf2.15: `tf.keras.optimizers` of TensorFlow 2.15, eager; `legacy` beside it.

Source       keras 2.15.0, src/optimizers/optimizer.py: Optimizer.apply_gradients.
What it is   as tf2.12, but each moving average stays with its own variable, whichever variables have a gradient.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from .. import constraints as _constraints
from .. import steps
from ..formats import weights as _weights
from ..formats.identifiers import functions_of_keras_2, schedule_functions_of_keras_2
from ..optimizer import optimizers_of
from ..own import OwnKeras2, OwnV2, subclassable
from ..schedules import schedules_of
from ..variable import Variable
from ..wrappers import loss_scale_v2, loss_scale_v3
from ..wrappers.loss_scale import loss_scale_chooser
from ..wrappers.loss_scale_config import loss_scale_optimizers_of
from .optimizer_v2 import LegacyOptimizer, OptimizerV2
from .tf2_12 import Base as Keras212Optimizer
from .tf2_12 import Keras2Optimizer


class Base(Keras212Optimizer):
    """Base class of Keras 2.15."""

    def _averages_of(self, variables: Sequence[Variable]) -> list[Variable]:
        """By identity."""
        own = {id(v): average for v, average in zip(self._trainable_variables, self._averages, strict=True)}
        return [own[id(variable)] for variable in variables]

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Overwrite the variables with their averages, if averages are kept."""
        for variable in var_list if self._config["use_ema"] else ():
            steps.overwrite([variable], self._averages_of([variable]))

    def save_own_variables(self, store: _weights.Store) -> None:
        """Put the state into a store, each array under its number."""
        self._save_own_variables(store)

    def load_own_variables(self, store: _weights.Store) -> None:
        """Take the state out of a store; if it has another number of arrays, nothing, and that is logged."""
        self._load_own_variables(store)


constraints = _constraints.KERAS_2
globals().update(optimizers_of("tf2.15", Base))
Optimizer = subclassable("tf2.15", Base, OwnKeras2)
schedules = schedule_functions_of_keras_2("tf2.15", schedules_of("tf2.15", "optimizers.schedules"))
globals().update(functions_of_keras_2("tf2.15"))
legacy = SimpleNamespace(**optimizers_of("tf2.15.legacy", LegacyOptimizer), constraints=constraints)
legacy.Optimizer = subclassable("tf2.15.legacy", LegacyOptimizer, OwnV2)
loss_scale_optimizers = loss_scale_optimizers_of(
    {"tf2.15.legacy": loss_scale_v2.LossScaleOptimizer215, "tf2.15": loss_scale_v3.LossScaleOptimizer215}
)
mixed_precision = SimpleNamespace(
    LossScaleOptimizer=loss_scale_chooser(
        dict(zip((OptimizerV2, Keras2Optimizer), loss_scale_optimizers.values(), strict=True))
    )
)


def __getattr__(name: str) -> Any:
    """For type checkers: the classes are made from the specification."""
    raise AttributeError(f"tf2.15 has no {name!r}")
