"""torch.optim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..port import Document, Port, Training


class Torch(Training):
    """A torch.optim optimizer, or one that is made like it."""

    def __init__(self, optimizer: Any, clipping: Document, parameters: list[Any]) -> None:
        self.optimizer = optimizer
        self.parameters = parameters
        self.clipping = [(getattr(torch.nn.utils, name), limit) for name, limit in clipping.items()]

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else torch.from_numpy(gradient.copy())
        for clip, limit in self.clipping:
            clip(self.parameters, limit)
        self.optimizer.step()

    def weight(self, index: int) -> np.ndarray:
        return np.array(self.parameters[index].detach().numpy())

    def assign(self, index: int, value: np.ndarray) -> None:
        with torch.no_grad():
            self.parameters[index].copy_(torch.from_numpy(value.copy()))

    def slot(self, index: int, entry: str) -> np.ndarray | None:
        value = self.optimizer.state[self.parameters[index]].get(entry)
        return None if value is None else np.array(value.detach().numpy())

    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        held = self.optimizer.state[self.parameters[index]].get(entry)
        if held is not None:  # it is made with the first gradient, and some only for matrices
            held.copy_(torch.from_numpy(np.array(value)).reshape(held.shape))

    def set_steps(self, count: int) -> None:
        for state in [*self.optimizer.state.values(), *self.optimizer.param_groups]:
            if "step" in state:
                state["step"] = torch.full_like(state["step"], count) if torch.is_tensor(state["step"]) else count

    def set_learning_rate(self, value: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = value


def parameters_of(variables: list[np.ndarray]) -> list[Any]:
    """A parameter for each variable."""
    return [torch.nn.Parameter(torch.from_numpy(value.copy())) for value in variables]


def adapter() -> Port:
    """The torch.optim that is installed."""

    def start(optimizer: Document, arguments: Document, clipping: Document, variables: list[np.ndarray]) -> Training:
        parameters = parameters_of(variables)
        return Torch(getattr(torch.optim, optimizer["call"])(parameters, **arguments), clipping, parameters)

    return Port("torch", torch.__version__, start)
