"""The operators of ai.onnx.preview.training, as onnx's own reference evaluator computes them."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper
from onnx.reference import ReferenceEvaluator

from ..port import Document, Port, Training

DOMAIN = "ai.onnx.preview.training"
STATE = {"Adam": ("V", "H"), "Momentum": ("V",), "Adagrad": ("H",)}
KINDS = {"float32": onnx.TensorProto.FLOAT, "float64": onnx.TensorProto.DOUBLE}


@functools.lru_cache(maxsize=256)
def evaluator(operator: str, dtypes: tuple[str, ...], attributes: tuple[tuple[str, Any], ...]) -> Any:
    """A model of one operator on variables of these dtypes: the inputs are R, T, every X, every G, every state."""
    state = STATE[operator]
    tensors = [(f"{name}{i}", KINDS[dtype]) for name in ("X", "G", *state) for i, dtype in enumerate(dtypes)]
    results = [(f"{name}{i}_new", KINDS[dtype]) for name in ("X", *state) for i, dtype in enumerate(dtypes)]
    inputs = [("R", onnx.TensorProto.FLOAT), ("T", onnx.TensorProto.INT64), *tensors]
    names, outputs = [name for name, _ in inputs], [name for name, _ in results]
    node = helper.make_node(operator, names, outputs, domain=DOMAIN, **dict(attributes))
    graph = helper.make_graph(
        [node],
        "step",
        [helper.make_tensor_value_info(name, kind, None) for name, kind in inputs],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in results],
    )
    return ReferenceEvaluator(helper.make_model(graph, opset_imports=[helper.make_opsetid(DOMAIN, 1)]))


class Onnx(Training):
    """One operator, called for all variables; R is the learning rate and T counts the steps, 1 at the first."""

    def __init__(self, operator: str, arguments: Document, variables: list[np.ndarray]) -> None:
        self.operator = operator
        start = arguments.pop("initial_accumulator_value", 0.0)
        self.learning_rate = arguments.pop("R")
        self.attributes = tuple(sorted(arguments.items()))
        self.variables = [value.copy() for value in variables]
        self.state = [{name: np.full_like(value, start) for name in STATE[operator]} for value in variables]
        self.steps = 0

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        self.steps += 1
        model = evaluator(self.operator, tuple(v.dtype.name for v in self.variables), self.attributes)
        given: Document = {"R": np.float32(self.learning_rate), "T": np.int64(self.steps)}
        count = len(self.variables)
        for index, gradient in enumerate(gradients):
            given |= {f"X{index}": self.variables[index], f"G{index}": gradient}
            given |= {f"{name}{index}": value for name, value in self.state[index].items()}
        results = [np.asarray(result) for result in model.run(None, given)]
        self.variables = results[:count]
        for place, name in enumerate(STATE[self.operator], 1):
            for index in range(count):
                self.state[index][name] = results[place * count + index]

    def weight(self, index: int) -> np.ndarray:
        return self.variables[index]

    def assign(self, index: int, value: np.ndarray) -> None:
        self.variables[index] = value

    def slot(self, index: int, entry: str) -> np.ndarray | None:
        return self.state[index][entry]

    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        self.state[index][entry] = value

    def set_steps(self, count: int) -> None:
        self.steps = count

    def set_learning_rate(self, value: float) -> None:
        self.learning_rate = value


def adapter() -> Port:
    """The onnx that is installed."""

    def start(optimizer: Document, arguments: Document, _: Document, variables: list[np.ndarray]) -> Training:
        if "mode" in optimizer["arguments"]:
            arguments["mode"] = "nesterov" if arguments["mode"] else "standard"
        return Onnx(optimizer["call"], arguments, variables)

    return Port("onnx", onnx.__version__, start)
