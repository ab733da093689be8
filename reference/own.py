"""Bases for optimizers of one's own: an edition's whole pipeline around a rule that a subclass writes.

OptimizerV2   tf2.4 and `.legacy`: `_create_slots`, `_prepare_local`, `_resource_apply_dense`, `_resource_apply_sparse`
Keras 2       tf2.9, tf2.12, tf2.15: `build`, `update_step(gradient, variable)`, `self._build_learning_rate`
Keras 3       keras3: `build`, `update_step(gradient, variable, learning_rate)`

What a subclass is made of is what the release documents; docs/writing-an-optimizer.md shows one of each.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from goldenstep import spec
from goldenstep.spec import schedule as spec_of_schedules
from goldenstep.spec import serialization

from .bits import cast, run
from .formats.identifiers import serialize_schedule
from .optimizer import Optimizer, Plan, parameter
from .schedules import LearningRateSchedule, called
from .slices import summed
from .variable import Gradient, IndexedSlices, Variable

if TYPE_CHECKING:  # The classes here stand before the base of an edition, of which they are no subclasses themselves.
    from .editions.keras3 import BaseOptimizer
    from .editions.optimizer_v2 import OptimizerV2
    from .editions.tf2_12 import Keras2Optimizer
    from .formats.config import Configured
else:
    Configured = OptimizerV2 = Keras2Optimizer = BaseOptimizer = object

Hyper = dict[str, Any]
NO_RULE: Plan = (lambda: (), [], [])
"""The plan of a variable that is known, and is updated by the subclass itself."""


def subclassable(edition: str, base: type[Optimizer], kind: type[Own]) -> type:
    """The public base class of an edition: its pipeline, with the rule and the state left to a subclass."""
    arguments = [*kind.first_arguments, *spec.editions()[edition]["arguments"]]
    by_name = {argument["name"]: argument for argument in arguments}
    for name, default in kind.defaults.items():
        if name in by_name:
            by_name[name] = {**by_name[name], "default": default}
    by_name["name"] = {**by_name["name"], **({} if edition == "keras3" else {"default": inspect.Parameter.empty})}
    order = ["name", *(name for name in by_name if name != "name")] if edition != "keras3" else list(by_name)
    parameters = [parameter(by_name[name]) for name in order]
    attributes = {
        "__doc__": f"Base class for optimizers of one's own, as {spec.editions()[edition]['title']} documents it.",
        "__module__": base.__module__,
        "__signature__": inspect.Signature(parameters),
        "edition": edition,
        "optimizer": "Optimizer",
    }
    return type("Optimizer", (kind, base), attributes)


class Own(Configured):
    """What all bases share: there is no rule, and nothing of the specification's optimizers."""

    first_arguments: ClassVar[Sequence[dict[str, Any]]] = ()
    defaults: ClassVar[Mapping[str, Any]] = {}

    def _refuse_values(self) -> None: ...

    def _choose_rules(self, variables: Sequence[Variable]) -> None: ...

    def _prepare(self, hyper: Hyper, dtypes: Collection[np.dtype]) -> None: ...

    def get_config(self) -> dict[str, Any]:
        """The arguments that all optimizers of the edition have; a subclass adds its own."""
        common = {"name", *(argument["name"] for argument in self.first_arguments)}
        others = {*spec.hyperparameters("SGD", self.edition), "decay"} - common
        keys = [key for key in serialization.config_keys("SGD", self.edition) if key not in others]
        config = {key: self._in_config(key) for key in keys}
        omitted = serialization.omitted_if_none(self.edition)
        return {key: value for key, value in config.items() if not (value is None and key in omitted)}


def serialized(edition: str, value: Any) -> Any:
    """A hyperparameter as a config holds it: numpy's scalar of a variable, a schedule's description, a number."""
    value = called(value)
    if isinstance(value, LearningRateSchedule):
        return serialize_schedule(spec_of_schedules.release(edition), value)
    return value.value[()] if isinstance(value, Variable) else value


class OwnV2(Own, OptimizerV2):
    """OptimizerV2's base: slots by `add_slot`, hyperparameters by `_set_hyper`, a rule for arrays and one for rows."""

    _prefix = ""
    _apply_state: dict[Any, Any]
    _hyper: dict[str, Any]

    def _create_slots(self, var_list: Sequence[Variable]) -> Any:
        """Make the slots of these variables; for a subclass to write."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._slots = {("iteration", None): Variable(np.int64(0), "iter:0")}
        super().__init__(*args, **kwargs)

    def _accept(self, kwargs: dict[str, Any]) -> None:
        self._config["learning_rate"] = 0.0
        super()._accept(kwargs)
        self._hyper.clear()

    def _own_arguments(self) -> dict[str, Any]:
        return {}

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "_slots" and "_slots" in self.__dict__:
            return  # Optimizer's constructor begins with an empty one.
        super().__setattr__(name, value)

    def _create_all_weights(self, var_list: Sequence[Variable]) -> None:
        """Make the iteration, the hyperparameters and the slots of these variables."""
        self._prefix = f"{self.name}/"
        if not any(variable is self._slots["iteration", None] for variable in self._state):
            self._slots["iteration", None].name = f"{self._prefix}iter:0"
            self._state.append(self._slots["iteration", None])
        self._create_hypers()
        self._create_slots(var_list)
        self._prefix = ""

    def _symbol(self, slot_name: str) -> str:
        return slot_name

    def _add_slot(self, var: Variable, slot_name: str, initializer: Any, shape: Sequence[int]) -> Variable:
        known = (slot_name, id(var)) in self._slots
        slot: Variable = super()._add_slot(var, slot_name, initializer, shape)
        if not known:
            slot.name = f"{self._prefix}{slot.name}"
        return slot

    def _hypers(self, dtype: np.dtype) -> Hyper:
        return {}

    def _decayed_lr(self, var_dtype: np.dtype) -> Any:
        """The learning rate of this step in a dtype: scheduled, and divided by 1 + decay * iterations."""
        (iterations,) = cast(var_dtype, self._slots["iteration", None].value)
        (rate,) = cast(var_dtype, self._scheduled(self._now("learning_rate"), iterations))
        decays = self._initial_decay > 0
        return rate / (1 + self._decay(var_dtype) * iterations) if decays else rate

    def _prepare(self, hyper: Hyper, dtypes: Collection[np.dtype]) -> None:
        self._apply_state = {}
        for dtype in dtypes:
            self._apply_state["", dtype] = {}
            self._prepare_local("", dtype, self._apply_state)

    def _prepare_local(self, var_device: str, var_dtype: np.dtype, apply_state: dict[Any, Any]) -> None:
        """Put what all variables of a dtype need in this step into `apply_state[var_device, var_dtype]`."""
        if "learning_rate" in self._hyper:
            apply_state[var_device, var_dtype]["lr_t"] = self._decayed_lr(var_dtype)

    def _fallback_apply_state(self, var_device: str, var_dtype: np.dtype) -> dict[str, Any]:
        """What `_prepare_local` puts there, made anew."""
        apply_state: dict[Any, Any] = {(var_device, var_dtype): {}}
        self._prepare_local(var_device, var_dtype, apply_state)
        return dict(apply_state[var_device, var_dtype])

    def _update(self, variable: Variable, gradient: Gradient, hyper: Hyper) -> None:
        if isinstance(gradient, IndexedSlices):
            rows, indices = run(lambda r: summed(gradient.indices, r)[::-1], gradient.values)
            self._called(self._resource_apply_sparse, rows, variable, indices)
        else:
            self._called(self._resource_apply_dense, np.asarray(gradient), variable)

    def _called(self, rule: Any, *given: Any) -> None:
        takes = "apply_state" in inspect.signature(rule).parameters
        rule(*given, **({"apply_state": self._apply_state} if takes else {}))

    def _resource_apply_dense(self, grad: np.ndarray, var: Variable, apply_state: Any = None) -> Any:
        """Update a variable by an array; for a subclass to write."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def _resource_apply_sparse(
        self, grad: np.ndarray, var: Variable, indices: np.ndarray, apply_state: Any = None
    ) -> Any:
        """Update a variable by rows, each index once; for a subclass to write."""
        raise NotImplementedError("Must be implemented in subclasses.")

    def _resource_scatter_add(self, x: Variable, i: np.ndarray, v: np.ndarray) -> Variable:
        """Add rows to a variable in their places."""
        value = x.value.copy()
        np.add.at(value, i, np.asarray(v, x.dtype))
        x.assign(value)
        return x

    def _serialize_hyperparameter(self, hyperparameter_name: str) -> Any:
        """A hyperparameter as a config holds it."""
        return serialized(self.edition, self._hyper[hyperparameter_name])


class OwnKeras2(Own, Keras2Optimizer):
    """Keras 2's base: variables by `add_variable_from_reference`, the learning rate by `_build_learning_rate`."""

    defaults: ClassVar[dict[str, Any]] = {"weight_decay": 0}
    _iterations: Variable
    _schedule: LearningRateSchedule | None
    _learning_rate: Variable | None
    _index_dict: dict[int, int]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._learning_rate = None
        self._known_attributes = set(self.__dict__)

    def _accept(self, kwargs: dict[str, Any]) -> None:
        self._config["learning_rate"] = 0.0
        super()._accept(kwargs)

    def _build_learning_rate(self, learning_rate: Any) -> Variable:
        """The variable that holds the learning rate, or what a schedule gives for the present step."""
        if isinstance(learning_rate, LearningRateSchedule):
            self._schedule = learning_rate
            self._learning_rate = None
            self._follow_schedule()
            assert self._learning_rate is not None
            return self._learning_rate
        return Variable(np.float32(learning_rate), "learning_rate:0")

    def _create_slots(self, variables: Sequence[Variable]) -> dict[tuple[str, int | None], Variable]:
        made: dict[tuple[str, int | None], Variable] = {}
        if ("iteration", None) not in self._slots:
            self._slots["iteration", None] = Variable(np.int64(0), "iteration:0")
            self._state.append(self._slots["iteration", None])
        self._plans.update({id(variable): NO_RULE for variable in variables})
        self._index_dict = {id(variable): index for index, variable in enumerate(variables)}
        for i, variable in enumerate(variables if self._config["use_ema"] else ()):
            made["average", i] = self.add_variable_from_reference(variable, "average", initial_value=variable)
        return made

    def _var_key(self, variable: Variable) -> int:
        return id(variable)

    def _serialize_hyperparameter(self, hyperparameter: Any) -> Any:
        """A hyperparameter as a config holds it."""
        scheduled = self._schedule is not None and hyperparameter is self._learning_rate
        return serialized(self.edition, self._schedule if scheduled else hyperparameter)

    def _update(self, variable: Variable, gradient: Gradient, hyper: Hyper) -> None:
        self.update_step(gradient, variable)

    def update_step(self, gradient: Any, variable: Variable) -> Any:
        """Update a variable by its gradient; for a subclass to write."""
        raise NotImplementedError


class OwnKeras29(OwnKeras2):
    """TF 2.9: the state is what the attributes hold, by their names."""

    def _build_learning_rate(self, learning_rate: Any) -> Variable:
        rate = super()._build_learning_rate(learning_rate)
        rate.name = "learning_rate:0"
        return rate

    @property
    def variables(self) -> tuple[Variable, ...]:  # type: ignore[override]  # a list only from 2.12 on
        """The state, by the names of the attributes that hold it."""
        held: dict[str, Any] = {name: self.__dict__[name] for name in set(self.__dict__) - self._known_attributes}
        held = {name: value for name, value in held.items() if name not in ("_averages", "_trainable_variables")}
        rate = "_learning_rate" if self._schedule is None else "_current_learning_rate"
        averages = self.__dict__.get("_averages", [])
        held |= {
            "_iterations": self._iterations,
            rate: self._learning_rate,
            "_model_variables_moving_average": averages,
        }
        found = [value if isinstance(value, list) else [value] for _, value in sorted(held.items())]
        return tuple(x for values in found for x in values if isinstance(x, Variable))


class OwnKeras3(Own, BaseOptimizer):
    """Keras 3's base: variables by `add_variable_from_reference` or `add_optimizer_variables`."""

    first_arguments = ({"name": "learning_rate"},)
    _trainable_variables: list[Variable]

    def _default_name(self, class_name: str | None = None) -> Any:
        return super()._default_name(class_name or type(self).__name__)

    def _create_slots(self, variables: Sequence[Variable]) -> dict[tuple[str, int | None], Variable]:
        made: dict[tuple[str, int | None], Variable] = {}
        if ("iteration", None) not in self._slots:
            self._slots["iteration", None] = Variable(np.int64(0), f"{self.name}/iteration")
            self._state.append(self._slots["iteration", None])
            if isinstance(self._config["learning_rate"], float):
                rate = Variable(np.float32(self._config["learning_rate"]), f"{self.name}/learning_rate")
                self._slots["learning_rate", None] = rate
                self._state.append(rate)
        self._plans.update({id(variable): NO_RULE for variable in variables})
        kinds = {
            "average": self._config["use_ema"],
            "gradient_accumulator": self._config["gradient_accumulation_steps"],
        }
        for kind in (kind for kind, wanted in kinds.items() if wanted):
            for i, variable in enumerate(variables):
                made[kind, i] = self._slots[kind, id(variable)] = self.add_variable_from_reference(variable, kind)
        return made

    def _get_variable_index(self, variable: Variable) -> int:
        return next(i for i, known in enumerate(self._trainable_variables) if known is variable)

    def _update(self, variable: Variable, gradient: Gradient, hyper: Hyper) -> None:
        self.update_step(gradient, variable, hyper["learning_rate"])

    def update_step(self, gradient: Any, variable: Variable, learning_rate: Any) -> None:
        """Update a variable by its gradient; for a subclass to write."""
        raise NotImplementedError
