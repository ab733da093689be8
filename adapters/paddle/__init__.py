"""PaddlePaddle, on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import paddle

from ..port import Document, Port, Training


class Paddle(Training):
    """A paddle optimizer."""

    def __init__(self, call: str, arguments: Document, clipping: Document, variables: list[np.ndarray]) -> None:
        parameter = paddle.base.framework.EagerParamBase.from_tensor
        self.parameters = [parameter(paddle.to_tensor(value)) for value in variables]
        clip = [getattr(paddle.nn, name)(limit) for name, limit in clipping.items()]
        given = {**arguments, **({"grad_clip": clip[0]} if clip else {})}
        self.optimizer: Any = getattr(paddle.optimizer, call)(parameters=self.parameters, **given)

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else paddle.to_tensor(gradient)
        self.optimizer.step()

    def weight(self, index: int) -> np.ndarray:
        return np.array(self.parameters[index].numpy())

    def assign(self, index: int, value: np.ndarray) -> None:
        self.parameters[index].set_value(value)

    def slot(self, index: int, entry: str) -> np.ndarray | None:
        held = self.optimizer._accumulators.get(entry, {}).get(self.parameters[index].name)
        return None if held is None else np.array(held.numpy()).reshape(self.parameters[index].shape)

    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        held = self.optimizer._accumulators.get(entry, {}).get(self.parameters[index].name)
        if held is not None:
            held.set_value(np.broadcast_to(value, held.shape).astype(held.numpy().dtype))

    def set_steps(self, count: int) -> None:
        """Its powers of beta are those of the step to come, but for NAdam's."""
        powers = {"beta1_pow_acc": ("_beta1", 1), "beta2_pow_acc": ("_beta2", 1), "beta2_pow": ("_beta2", 0)}
        for entry, (beta, ahead) in powers.items():
            for index in range(len(self.parameters)):
                value = np.float32(getattr(self.optimizer, beta, 0.0)) ** np.float32(count + ahead)
                self.assign_slot(index, entry, np.asarray(value))
        for index in range(len(self.parameters)):
            self.assign_slot(index, "momentum_decay_pow", np.asarray(np.float32(0.96) ** np.float32(count)))

    def set_learning_rate(self, value: float) -> None:
        self.optimizer.set_lr(value)


def adapter() -> Port:
    """The PaddlePaddle that is installed."""
    paddle.set_device("cpu")

    def start(optimizer: Document, arguments: Document, clipping: Document, variables: list[np.ndarray]) -> Training:
        return Paddle(optimizer["call"], arguments, clipping, variables)

    return Port("paddle", paddle.__version__, start)
