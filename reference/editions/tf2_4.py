"""tf2.4: `tf.keras.optimizers` of TensorFlow 2.4, eager.

Source       tensorflow 2.4.4, python/keras/optimizer_v2; the pipeline is in optimizer_v2.py beside this file.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import constraints as _constraints
from ..bits import Operand, cast_tensor, total_in_two
from ..formats.identifiers import functions_of_optimizer_v2, schedule_functions
from ..optimizer import optimizers_of
from ..own import OwnV2, subclassable
from ..schedules import schedules_of
from ..wrappers import loss_scale_v2
from ..wrappers.loss_scale_config import FixedLossScale, MovingLossScale, loss_scale_optimizers_of
from .optimizer_v2 import OptimizerV2


class Base(OptimizerV2):
    """Base class of TF 2.4: sums run in two packets."""

    _total = staticmethod(total_in_two)

    def _decay(self, dtype: np.dtype) -> Operand:
        """The hyperparameter as it is now."""
        return cast_tensor(dtype, self._now("decay"))[0]


constraints = _constraints.TF2_4
globals().update(optimizers_of("tf2.4", Base))
Optimizer = subclassable("tf2.4", Base, OwnV2)
schedules = schedule_functions("tf2.4", schedules_of("tf2.4", "optimizers.schedules"))
globals().update(functions_of_optimizer_v2("tf2.4"))
experimental = schedules_of("tf2.4", "experimental")
loss_scale_optimizers = loss_scale_optimizers_of({"tf2.4": loss_scale_v2.LossScaleOptimizer24})
mixed_precision = SimpleNamespace(
    LossScaleOptimizer=loss_scale_optimizers["tf2.4/LossScaleOptimizer"],
    experimental=SimpleNamespace(
        LossScaleOptimizer=loss_scale_v2.LossScaleOptimizerV1,
        DynamicLossScale=MovingLossScale,
        FixedLossScale=FixedLossScale,
    ),
)


def __getattr__(name: str) -> Any:
    """For type checkers: the classes are made from the specification."""
    raise AttributeError(f"tf2.4 has no {name!r}")
