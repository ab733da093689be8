"""tf2.4: `tf.keras.optimizers` of TensorFlow 2.4, eager.

Source       tensorflow 2.4.4, python/keras/optimizer_v2; the pipeline is in optimizer_v2.py beside this file.
"""

from __future__ import annotations

from ..optimizer import optimizers_of
from .optimizer_v2 import OptimizerV2

globals().update(optimizers_of("tf2.4", OptimizerV2))
