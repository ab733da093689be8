"""Any module shaped like Keras as an implementation: `mod.optimizers.Adam(...)`, `apply_gradients`, `variables`."""

from __future__ import annotations

import contextlib
import importlib
import re
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from goldenstep.golden.codec import Rows, array, flat, gradient, unflat
from goldenstep.spec import wrapper as wrapper_spec

from . import calls, files, schedules, serialization, wrappers

Document = dict[str, Any]
HIDDEN = ("_u_product", *wrappers.HIDDEN)


class KerasShaped:
    """An implementation (it has `run`) made of optimizer classes, a variable class and a tensor function.

    `slices(values, indices, dense_shape)` makes a sparse gradient; without it sparse cases are unsupported.
    `restore(path, optimizer, variables)` gives a new optimizer the state that a file holds and returns its arrays;
    without it file cases are unsupported. `counter(value)` makes what takes the place of `iterations`, if that is no
    variable. `replicas(count, make)` makes copies that step together, see replicas.py; without it cases of several
    replicas are unsupported. `graph(optimizer)` gives a function of pairs that is its `apply_gradients` inside a graph;
    without it cases of graph mode are unsupported. `features` are those that it claims; without it, all. `dtype(name)`
    gives a dtype as its methods take one. `overwrites` says that steps heed a variable's `overwrite_with_gradient`.
    """

    def __init__(
        self,
        name: str,
        namespaces: dict[str, Any],
        variable: Callable[..., Any],
        tensor: Callable[[np.ndarray], Any],
        forget_names: Callable[[], object] = lambda: None,
        version: str = "",
        code: Document | None = None,
        constraints: dict[str, Any] | None = None,
        slices: Callable[[np.ndarray, np.ndarray, tuple[int, ...]], Any] | None = None,
        restore: Callable[[Path, Any, list[Any]], Sequence[Any]] | None = None,
        losses: calls.Losses | None = None,
        counter: Callable[[np.ndarray], Any] | None = None,
        mixed_precision: dict[str, Any] | None = None,
        replicas: Callable[[int, Callable[[], tuple[Any, list[Any]]]], Any] | None = None,
        graph: Callable[[Any], Callable[[list[Any]], object]] | None = None,
        features: Sequence[str] | None = None,
        dtype: Callable[[str], Any] = np.dtype,
        overwrites: bool = False,
    ) -> None:
        self.name = name
        self.version = version
        self.namespaces = namespaces
        self.editions = list(namespaces)
        self._variable = variable
        self._tensor = tensor
        self.forget_names = forget_names
        self._slices = slices
        self.restore = restore
        self.counter = counter or (lambda value: variable(value, "iterations"))
        self.replicas = replicas
        self.graph = graph
        self.features = features
        self.dtype = dtype
        self.overwrites = overwrites
        self.code = code
        self.constraints = constraints or {}
        self.losses = losses
        self.mixed_precision = mixed_precision or {}

    def supports(self, case: Document) -> str | None:
        """None if the case can be run, otherwise why not."""
        namespace = self.namespaces.get(case["edition"])
        if namespace is None:
            return f"edition {case['edition']} is not claimed"
        undeclared = [f for f in case["features"] if f not in self.features] if self.features is not None else []
        if undeclared:
            return f"no {undeclared[0]}"
        if "schedule" in case:
            return schedules.unsupported(self, case)
        if "calls" in case:
            return serialization.unsupported(self, case)
        if "file" in case:
            return files.unsupported(self, case)
        missing = wrappers.unsupported(self, case)
        if missing:
            return missing
        for constraint in filter(None, (v.get("constraint") for v in case["variables"])):
            if not hasattr(self.constraints.get(case["edition"]), constraint["class_name"]):
                return f"no constraint {constraint['class_name']}"
        if any("overwrite_with_gradient" in v for v in case["variables"]) and not self.overwrites:
            return "no overwrite_with_gradient"
        if "sparse" in case["features"] and self._slices is None:
            return "no IndexedSlices"
        if "replicas" in case and self.replicas is None:
            return "no Replicas"
        if case.get("mode") == "graph" and self.graph is None:
            return "no graph"
        cls = getattr(namespace, case["optimizer"].get("class_name", ""), None)
        wraps = case["optimizer"].get("class_name") in wrapper_spec.wrappers()
        resuming = None if wraps else serialization.cannot_resume(cls, case["events"])
        return schedules.unsupported(self, case) or calls.unsupported(self, case) or resuming

    def run(self, case: Document) -> Document:
        """The trajectory of a case: layout and kept steps, and the error if there was one."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if "calls" in case:
                return serialization.answer(self, case)
            if "schedule" in case:
                return schedules.answer(self, case)
            if "replicas" in case:
                from . import replicas

                return replicas.answer(self, case)
            return files.answer(self, case) if "file" in case else Run(self, case).trajectory()

    def construct(self, case: Document) -> Any:
        """The optimizer of a case."""
        self.forget_names()
        return self.optimizer(case["optimizer"], case["edition"])

    def optimizer(self, description: Document, edition: str) -> Any:
        """The optimizer that a description stands for: one of the edition's, or one that wraps others."""
        if description["class_name"] in wrapper_spec.wrappers():
            return wrappers.construct(self, description, edition)
        config = {
            name: calls.value_of(schedules.made(self, value, edition)) for name, value in description["config"].items()
        }
        return calls.class_of(self, {"edition": edition, "optimizer": description})(**config)

    def variables(self, case: Document) -> list[Any]:
        """The variables of a case."""
        made = [
            self.variable(array(v["value"]), v["name"], v.get("constraint"), case["edition"]) for v in case["variables"]
        ]
        for variable, document in zip(made, case["variables"], strict=True):
            if "overwrite_with_gradient" in document:
                variable.overwrite_with_gradient = True
        return made

    def variable(self, value: np.ndarray, name: str, constraint: Document | None, edition: str) -> Any:
        """A variable, with a constraint of the edition if there is one."""
        if not constraint:
            return self._variable(value, name)
        made = getattr(self.constraints[edition], constraint["class_name"])(**constraint["config"])
        return self._variable(value, name, made)

    def tensor(self, value: np.ndarray | Rows) -> Any:
        """A gradient as the implementation takes it."""
        if isinstance(value, Rows):
            assert self._slices is not None
            return self._slices(*value)
        return self._tensor(value)


class Run:
    """One case on its way to a trajectory."""

    def __init__(self, implementation: KerasShaped, case: Document) -> None:
        self.implementation = implementation
        self.case = case
        self.traced: Callable[[list[Any]], object] | None = None
        self.keep = set(case.get("keep", ()))
        self.count = 0
        self.stage = "construct"
        self.answer: Document = {}
        self.layout: list[Document] | None = None
        self.latest_layout: list[tuple[str, np.dtype, tuple[int, ...]]] | None = None
        self.steps: list[Document] = []

    def trajectory(self) -> Document:
        """Play the events; an exception ends the trajectory and is its error."""
        failure: Document | None = None
        try:
            self.construct()
            self.play(self.case["events"])
        except Exception as exception:  # whatever it raises is its answer
            failure = self.error(exception)
        answer = {"id": self.case["id"], "layout": self.layout or [], "steps": self.steps}
        return {**answer, "error": failure} if failure else answer

    def construct(self) -> None:
        """The optimizer and the variables."""
        self.optimizer = self.implementation.construct(self.case)
        self.stage = "variables"
        self.variables = self.implementation.variables(self.case)

    def error(self, exception: Exception) -> Document:
        """An exception as data: where it came, its type and message."""
        return {"stage": self.stage, "type": type(exception).__name__, "message": plain(exception)}

    def play(self, events: list[Document]) -> None:
        """Each event in turn."""
        for event in events:
            if "repeat" in event:
                for _ in range(event["repeat"]):
                    self.play(event["events"])
            elif "load" in event:
                self.load(event["load"])
            else:
                failure = self.attempt(event["attempt"]) if "attempt" in event else None
                if "attempt" not in event:
                    self.do(event)
                self.count += 1
                if not self.keep or self.count in self.keep:
                    self.record(failure)

    def attempt(self, event: Document) -> Document | None:
        """An event that may fail: its error, if there is one, is part of the step."""
        try:
            self.do(event)
        except Exception as exception:  # whatever it raises is its answer
            return self.error(exception)
        return None

    def do(self, event: Document) -> None:
        """One call of the optimizer."""
        self.stage = next(kind for kind in event if kind not in ("of", "unscaled", "arguments"))
        self.unscales = "unscaled" in event
        self.arguments: dict[str, bool] = event.get("arguments", {})
        variables = [self.variables[i] for i in event["of"]] if "of" in event else self.variables
        self.answer = {}
        getattr(self, self.stage)(event[self.stage], variables)

    def tensors(self, gradients: list[Any], variables: list[Any]) -> list[Any]:
        """Gradients as the implementation takes them."""
        arrays = [gradient(g, as_array(v)) for g, v in zip(gradients, variables, strict=True)]
        return [None if a is None else self.implementation.tensor(a) for a in arrays]

    def get(self, name: str, _: list[Any]) -> None:
        """An attribute read."""
        self.answer = self.caller().get(name)

    def call(self, event: Document, _: list[Any]) -> None:
        """Any method."""
        self.answer = self.caller().call(event)

    def caller(self) -> calls.Caller:
        """What makes calls and their results JSON."""
        public = lambda: [v for name, v in self.entries() if name not in HIDDEN]  # noqa: E731
        return calls.Caller(self.implementation, self.optimizer, self.variables, self.case["edition"], public)

    def apply(self, gradients: list[Any], variables: list[Any]) -> None:
        """One `apply_gradients`, of gradients that a LossScaleOptimizer unscales before if they are `unscaled`."""
        arrays = [gradient(g, as_array(v)) for g, v in zip(gradients, variables, strict=True)]
        given = [None if a is None else self.implementation.tensor(a) for a in arrays]
        handed = [a.values if isinstance(a, Rows) else a for a in arrays if a is not None]
        before = [a.tobytes() for a in handed]
        if self.unscales:
            given = self.optimizer.get_unscaled_gradients(given)
        pairs = list(zip(given, variables, strict=True))
        if self.case.get("mode") == "graph":
            self.in_graph(pairs)
        else:
            self.optimizer.apply_gradients(pairs, **self.arguments)
        refuse_changes(before, handed)

    def in_graph(self, pairs: list[Any]) -> None:
        """The same inside a graph, for which the state is made beforehand."""
        if self.traced is None:
            assert self.implementation.graph is not None
            serialization.build(self.optimizer, self.variables)
            self.traced = self.implementation.graph(self.optimizer)
        self.traced(pairs)

    def set(self, values: Document, _: list[Any]) -> None:
        """Assignment of attributes; `iterations` gets what `counter` makes."""
        for name, value in values.items():
            if name == "iterations":
                value = self.implementation.counter(np.asarray(value, np.int64))
            value = schedules.made(self.implementation, value, self.case["edition"])
            setattr(self.optimizer, name, calls.value_of(value))

    def set_iterations(self, value: int, _: list[Any]) -> None:
        """The variable that counts the steps takes another value."""
        self.optimizer.iterations.assign(value)

    def finalize(self, _: bool, variables: list[Any]) -> None:
        """What training does at its end."""
        self.optimizer.finalize_variable_values(variables)

    def exclude(self, which: Document, _: list[Any]) -> None:
        """Some variables, given themselves or by patterns of their names, are spared weight decay."""
        variables = [self.variables[i] for i in which.get("variables", ())]
        self.optimizer.exclude_from_weight_decay(var_list=variables, var_names=which.get("names"))

    def resume(self, way: str, variables: list[Any]) -> None:
        """Another optimizer goes on, made of the config, with the state handed over."""
        self.optimizer = serialization.resumed(self.optimizer, way, variables)

    def record(self, failure: Document | None) -> None:
        """Every variable and the whole state as they are now, and the layout if it has changed."""
        entries = self.entries()
        values = [as_array(v) for _, v in entries]
        layout = [(name, value.dtype, value.shape) for (name, _), value in zip(entries, values, strict=True)]
        variables = [flat(as_array(v)) for v in self.variables]
        step: Document = {"step": self.count, "variables": variables, "state": [flat(value) for value in values]}
        step.update(self.answer)
        if layout != self.latest_layout:
            described = [{"name": n, "dtype": dtype.name, "shape": list(shape)} for n, dtype, shape in layout]
            if self.layout is None:
                self.layout = described
            else:
                step["layout"] = described
        self.latest_layout = layout
        if failure:
            step["error"] = failure
        self.steps.append(step)

    def entries(self) -> list[tuple[str, Any]]:
        """The state with its names: the public variables, then what is remembered outside them."""
        return entries_of(self.optimizer)

    def load(self, step: Document) -> None:
        """Overwrite every variable and the whole state with what a step recorded."""
        if len(self.entries()) != len(step["state"]):
            serialization.build(self.optimizer, self.variables)
        self.count = step["step"]
        targets = [*self.variables, *(v for _, v in self.entries())]
        for target, values in zip(targets, [*step["variables"], *step["state"]], strict=True):
            now = as_array(target)
            target.assign(unflat(values, now.dtype, now.shape))


class ChangedGradientError(AssertionError):
    """The optimizer has written into an array that it was given."""


def refuse_changes(before: list[bytes], handed: list[np.ndarray]) -> None:
    """ChangedGradientError if an array has changed; then spoil them all: nobody can have kept their memory."""
    for bits, given in zip(before, handed, strict=True):
        if given.tobytes() != bits:
            raise ChangedGradientError("an array has been overwritten by the call that it was given to")
        if given.dtype.kind == "f":
            given.fill(np.nan)


STATE = "expected its state, a list of what has a `path` or `name` and can be read as an array (docs/modules.md)"


def entries_of(optimizer: Any) -> list[tuple[str, Any]]:
    """The state with its names: the public variables, then what is remembered outside them."""
    if not hasattr(type(optimizer), "variables") and not hasattr(optimizer, "variables"):
        raise TypeError(f"{type(optimizer).__name__} has no `variables`: {STATE}")
    variables = optimizer.variables
    state = variables() if callable(variables) and not isinstance(variables, list) else variables
    nameless = next((v for v in state if not hasattr(v, "path") and not hasattr(v, "name")), None)
    if nameless is not None:
        raise TypeError(
            f"`variables` of {type(optimizer).__name__} holds a nameless {type(nameless).__name__}: {STATE}"
        )
    product = getattr(optimizer, "_u_product", None)
    hidden = [] if product is None or any(product is v for v in state) else [("_u_product", product)]
    named = [(getattr(v, "path", None) or v.name, v) for v in state]
    return named + hidden + wrappers.hidden_state(optimizer)


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


PARTS = (".formats.files", ".graph", ".replicas")


def reference(name: str = "reference", package: str = "goldenstep.reference") -> KerasShaped:
    """The embedded numpy reference, or a copy of it under the name of another package."""
    root, editions, tape = (importlib.import_module(package + part) for part in ("", ".editions", ".tape"))
    formats, graph, replicas = (importlib.import_module(package + part) for part in PARTS)
    namespaces = editions.namespaces()
    return KerasShaped(
        name,
        namespaces,
        root.Variable,
        lambda value: value,
        editions.namespace("keras3").clear_session,
        code={
            "imports": [
                "import numpy as np",
                "from goldenstep.reference import IndexedSlices, Variable, editions, tape",
            ],
            "namespaces": {edition: f"editions.namespace({edition!r})" for edition in namespaces},
            "mixed_precision": {
                edition: f"editions.namespace({edition.removesuffix('.legacy')!r}).mixed_precision"
                for edition in namespaces
            },
            "variable": "Variable({value}, {name!r})",
            "tensor": "{value}",
            "constraint": "{variable}.constraint = {namespace}.constraints.{constraint}",
            "slices": "IndexedSlices({values}, {indices}, {shape})",
            "losses": {"tape": "tape.Tape()", "read": "tape.read({})", "square": "{} ** 2", "total": "tape.total({})"},
        },
        constraints={edition: names.constraints for edition, names in namespaces.items()},
        slices=root.IndexedSlices,
        replicas=replicas.Replicas,
        graph=graph.traced,
        restore=formats.restore,
        losses=calls.Losses(tape=tape.Tape, read=tape.read, square=lambda x: x**2, total=tape.total),
        mixed_precision={
            edition: editions.namespace(edition.removesuffix(".legacy")).mixed_precision for edition in namespaces
        },
        overwrites=True,
    )
