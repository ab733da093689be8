"""tf2.4: `tf.keras.optimizers` of TensorFlow 2.4, eager.

Source       tensorflow 2.4.4, python/keras/optimizer_v2; the pipeline is in optimizer_v2.py beside this file.
"""

from __future__ import annotations

from ..bits import total_in_two
from ..optimizer import optimizers_of
from .optimizer_v2 import OptimizerV2


class Optimizer(OptimizerV2):
    """Base class of TF 2.4: sums run in two packets."""

    _total = staticmethod(total_in_two)


globals().update(optimizers_of("tf2.4", Optimizer))
