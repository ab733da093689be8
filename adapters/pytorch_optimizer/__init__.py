"""pytorch-optimizer: the optimizers that torch.optim does not have."""

from __future__ import annotations

from importlib import metadata

import numpy as np
import pytorch_optimizer

from ..port import Document, Port, Training
from ..torch import Torch, parameters_of


def adapter() -> Port:
    """The pytorch-optimizer that is installed."""

    def start(optimizer: Document, arguments: Document, _: Document, variables: list[np.ndarray]) -> Training:
        parameters = parameters_of(variables)
        return Torch(getattr(pytorch_optimizer, optimizer["call"])(parameters, **arguments), {}, parameters)

    return Port("pytorch_optimizer", metadata.version("pytorch_optimizer"), start)
