"""tinygrad, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import metadata
from typing import Any

import numpy as np
import tinygrad
from tinygrad.nn import optim

from ..port import Document, Port, Training


def tensor(value: np.ndarray) -> Any:
    """A tensor with memory of its own; of a numpy scalar tinygrad makes a constant, which stands on no device."""
    return tinygrad.Tensor(value.reshape(-1)).reshape(value.shape)


class Tinygrad(Training):
    """A tinygrad optimizer."""

    def __init__(self, call: str, arguments: Document, variables: list[np.ndarray]) -> None:
        self.parameters = [tensor(value).is_param_(True).realize() for value in variables]
        self.optimizer: Any = getattr(optim, call)(self.parameters, **arguments)

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else tensor(gradient)
        with tinygrad.helpers.Context(TRAINING=1):
            self.optimizer.step()

    def weight(self, index: int) -> np.ndarray:
        return np.array(self.parameters[index].numpy())

    def assign(self, index: int, value: np.ndarray) -> None:
        self.parameters[index].assign(tensor(value)).realize()

    def slot(self, index: int, entry: str) -> np.ndarray | None:
        return np.array(getattr(self.optimizer, entry)[index].numpy())

    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        held = getattr(self.optimizer, entry)
        if held:  # it keeps none without momentum
            held[index].assign(tensor(value.astype(np.float32))).realize()

    def set_steps(self, count: int) -> None:
        for beta in ("b1", "b2"):
            if hasattr(self.optimizer, f"{beta}_t"):
                power = np.array([getattr(self.optimizer, beta) ** count], np.float32)
                getattr(self.optimizer, f"{beta}_t").assign(tensor(power)).realize()

    def set_learning_rate(self, value: float) -> None:
        self.optimizer.lr.assign(tensor(np.array([value], np.float32))).realize()


def adapter() -> Port:
    """The tinygrad that is installed."""

    def start(optimizer: Document, arguments: Document, _: Document, variables: list[np.ndarray]) -> Training:
        return Tinygrad(optimizer["call"], arguments, variables)

    return Port("tinygrad", metadata.version("tinygrad"), start)
