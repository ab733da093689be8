"""Any module shaped like Keras as an implementation: `mod.optimizers.Adam(...)`, `apply_gradients`, `variables`."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from goldenstep.golden.codec import array, flat, gradient, unflat

Document = dict[str, Any]


class KerasShaped:
    """An implementation (it has `run`) made of optimizer classes, a variable class and a tensor function."""

    def __init__(
        self,
        name: str,
        namespaces: dict[str, Any],
        variable: Callable[[np.ndarray, str], Any],
        tensor: Callable[[np.ndarray], Any],
        forget_names: Callable[[], object] = lambda: None,
        version: str = "",
        code: Document | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.namespaces = namespaces
        self.editions = list(namespaces)
        self._variable = variable
        self._tensor = tensor
        self._forget_names = forget_names
        self.code = code

    def supports(self, case: Document) -> str | None:
        """None if the case can be run, otherwise why not."""
        namespace = self.namespaces.get(case["edition"])
        if namespace is None:
            return f"edition {case['edition']} is not claimed"
        if not hasattr(namespace, case["optimizer"]["class_name"]):
            return f"no {case['optimizer']['class_name']}"
        return None

    def run(self, case: Document) -> Document:
        """The trajectory of a case: layout and kept steps, and the error if there was one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Run(self, case).trajectory()

    def construct(self, case: Document) -> Any:
        """The optimizer of a case."""
        self._forget_names()
        return getattr(self.namespaces[case["edition"]], case["optimizer"]["class_name"])(**case["optimizer"]["config"])

    def variables(self, case: Document) -> list[Any]:
        """The variables of a case."""
        return [self._variable(array(v["value"]), v["name"]) for v in case["variables"]]

    def tensor(self, value: np.ndarray) -> Any:
        """A gradient as the implementation takes it."""
        return self._tensor(value)


class Run:
    """One case on its way to a trajectory."""

    def __init__(self, implementation: KerasShaped, case: Document) -> None:
        self.implementation = implementation
        self.case = case
        self.keep = set(case.get("keep", ()))
        self.count = 0
        self.layout: list[Document] = []
        self.steps: list[Document] = []

    def trajectory(self) -> Document:
        """Play the events; an exception ends the trajectory and is its error."""
        stage = "construct"
        error: Document | None = None
        try:
            self.optimizer = self.implementation.construct(self.case)
            stage = "variables"
            self.variables = self.implementation.variables(self.case)
            stage = "apply"
            self.play(self.case["events"])
        except Exception as exception:  # whatever it raises is its answer
            error = {"stage": stage, "type": type(exception).__name__, "message": plain(exception)}
        answer = {"id": self.case["id"], "layout": self.layout, "steps": self.steps}
        return {**answer, "error": error} if error else answer

    def play(self, events: list[Document]) -> None:
        """Each event in turn."""
        for event in events:
            if "repeat" in event:
                for _ in range(event["repeat"]):
                    self.play(event["events"])
            elif "load" in event:
                self.load(event["load"])
            else:
                self.apply(event["apply"])

    def apply(self, gradients: list[Any]) -> None:
        """One `apply_gradients`, and a record of it if it is to be kept."""
        arrays = [gradient(g, as_array(v)) for g, v in zip(gradients, self.variables, strict=True)]
        given = [None if a is None else self.implementation.tensor(a) for a in arrays]
        self.optimizer.apply_gradients(list(zip(given, self.variables, strict=True)))
        self.count += 1
        if not self.keep or self.count in self.keep:
            self.record()

    def record(self) -> None:
        """Every variable and the whole state, as they are now."""
        entries = self.entries()
        values = [as_array(v) for _, v in entries]
        if not self.layout:
            self.layout = [
                {"name": name, "dtype": value.dtype.name, "shape": list(value.shape)}
                for (name, _), value in zip(entries, values, strict=True)
            ]
        variables = [flat(as_array(v)) for v in self.variables]
        self.steps.append({"step": self.count, "variables": variables, "state": [flat(value) for value in values]})

    def entries(self) -> list[tuple[str, Any]]:
        """The state with its names: the public variables, then what is remembered outside them."""
        variables = self.optimizer.variables
        state = variables() if callable(variables) and not isinstance(variables, list) else variables
        product = getattr(self.optimizer, "_u_product", None)
        hidden = [] if product is None or any(product is v for v in state) else [("_u_product", product)]
        return [(getattr(v, "path", None) or v.name, v) for v in state] + hidden

    def load(self, step: Document) -> None:
        """Overwrite every variable and the whole state with what a step recorded."""
        self.build()
        self.count = step["step"]
        targets = [*self.variables, *(v for _, v in self.entries())]
        for target, values in zip(targets, [*step["variables"], *step["state"]], strict=True):
            now = as_array(target)
            target.assign(unflat(values, now.dtype, now.shape))

    def build(self) -> None:
        """Make the state without a step."""
        if hasattr(self.optimizer, "_create_all_weights"):
            with name_scope(self.optimizer):
                self.optimizer._create_all_weights(self.variables)
        else:
            self.optimizer.build(self.variables)


def name_scope(optimizer: Any) -> contextlib.AbstractContextManager[Any]:
    """TensorFlow's name scope of the optimizer, where there is TensorFlow."""
    import sys

    tensorflow = sys.modules.get("tensorflow")
    return tensorflow.name_scope(optimizer._name) if tensorflow else contextlib.nullcontext()


def as_array(variable: Any) -> np.ndarray:
    """The variable's value as a numpy array."""
    return np.asarray(variable.numpy() if hasattr(variable, "numpy") else variable)


def plain(exception: BaseException) -> str:
    """The message without addresses and colours, at most 300 characters."""
    text = re.sub(r"0x[0-9a-f]+", "0x...", str(exception))
    return re.sub(r"\x1b\[[0-9;]*m", "", text)[:300]


def reference() -> KerasShaped:
    """The embedded numpy reference."""
    from goldenstep.reference import Variable
    from goldenstep.reference.editions import keras3, namespaces

    return KerasShaped(
        "reference",
        namespaces(),
        lambda value, name: Variable(value, name),
        lambda value: value,
        keras3.clear_session,
        code={
            "imports": ["import numpy as np", "from goldenstep.reference import Variable, editions"],
            "namespaces": {edition: f"editions.namespace({edition!r})" for edition in namespaces()},
            "variable": "Variable({value}, {name!r})",
            "tensor": "{value}",
        },
    )
