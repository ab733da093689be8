"""MLX, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import mlx.core as mx
import mlx.optimizers
import numpy as np

from ..port import Document, Port, Training


class Mlx(Training):
    """An mlx optimizer; the parameters are a dict whose keys are the indices."""

    def __init__(self, optimizer: Any, variables: list[np.ndarray]) -> None:
        self.optimizer = optimizer
        self.parameters = {str(index): mx.array(value) for index, value in enumerate(variables)}
        self.optimizer.init(self.parameters)

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        given = {str(i): mx.array(gradient) for i, gradient in enumerate(gradients) if gradient is not None}
        self.parameters.update(self.optimizer.apply_gradients(given, self.parameters))
        mx.eval(self.parameters, self.optimizer.state)

    def weight(self, index: int) -> np.ndarray:
        return np.array(self.parameters[str(index)])

    def assign(self, index: int, value: np.ndarray) -> None:
        self.parameters[str(index)] = mx.array(value)

    def slot(self, index: int, entry: str) -> np.ndarray | None:
        value = self.optimizer.state[str(index)].get(entry)
        return None if value is None else np.array(value)

    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        self.optimizer.state[str(index)][entry] = mx.array(value)

    def set_steps(self, count: int) -> None:
        self.optimizer.state["step"] = mx.array(count, mx.uint64)

    def set_learning_rate(self, value: float) -> None:
        self.optimizer.learning_rate = value


def adapter() -> Port:
    """The MLX that is installed."""
    mx.set_default_device(mx.cpu)

    def start(optimizer: Document, arguments: Document, _: Document, variables: list[np.ndarray]) -> Training:
        return Mlx(getattr(mlx.optimizers, optimizer["call"])(**arguments), variables)

    return Port("mlx", metadata.version("mlx"), start)
