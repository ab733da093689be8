"""OptimizerV2: the pipeline of tf2.4 and of the `.legacy` classes of TensorFlow 2.9, 2.12 and 2.15.

Source       tensorflow 2.4.4, keras/optimizer_v2/optimizer_v2.py: OptimizerV2.apply_gradients.
What it is   hyperparameters are float32 variables read at every step; slots are made when a variable first
             has a gradient; clipping by value, then by norm, then by global norm, all that are set;
             `decay` divides the learning rate by 1 + decay * iterations; a constraint follows each update.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from goldenstep import spec
from goldenstep.spec import schedule as spec_of_schedules
from goldenstep.spec import serialization

from .. import clipping, steps
from ..bits import Operand, cast, cast_tensor, total
from ..formats import weights as _weights
from ..formats.config import Configured
from ..formats.custom import CustomObjects
from ..formats.identifiers import serialize_schedule
from ..schedules import LearningRateSchedule, called
from ..slices import values_of, with_values
from ..variable import Gradient, IndexedSlices, Variable

KEYWORDS = ("clipnorm", "clipvalue", "global_clipnorm", "lr", "decay")


class OptimizerV2(Configured):
    """Base class of the OptimizerV2 generation; its sums run as TF 2.9 and later run them."""

    _total = staticmethod(total)
    _missing = KeyError

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._state = []

    def _accept(self, kwargs: dict[str, Any]) -> None:
        if self.optimizer == "Nadam":
            if isinstance(kwargs.get("lr", self._config["learning_rate"]), LearningRateSchedule):
                raise ValueError("The Nadam optimizer does not support a LearningRateSchedule as the learning rate.")
            kwargs.pop("decay", None)  # Taken, but Nadam has a schedule of its own.
        for key, value in kwargs.items():
            if key not in KEYWORDS:
                raise TypeError(
                    f"Unexpected keyword argument passed to optimizer: {key}. Allowed: {', '.join(KEYWORDS)}."
                )
            if value is not None and value < 0:
                raise ValueError(f"Expected {key} >= 0, received: {value}")
        self.clipvalue: float | None = kwargs.get("clipvalue")
        self.clipnorm: float | None = kwargs.get("clipnorm")
        self.global_clipnorm: float | None = kwargs.get("global_clipnorm")
        if self.clipnorm is not None and self.global_clipnorm is not None:
            raise ValueError(
                f"Cannot accept both `clipnorm` and `global_clipnorm`, passed `clipnorm` {self.clipnorm}, "
                f"`global_clipnorm` {self.global_clipnorm}"
            )
        if self.optimizer != "Ftrl":  # which takes `lr` and does not use it
            self._config["learning_rate"] = kwargs.get("lr", self._config["learning_rate"])
        self._initial_decay = kwargs.get("decay", 0.0)
        own = spec.hyperparameters(self.optimizer, self.edition)
        self._hyper = {name: value for name, value in self._config.items() if name in own}
        if "epsilon" in self._hyper:
            self._hyper["epsilon"] = self._hyper["epsilon"] or 1e-7
        self._in_float32 = {"decay", *(name for name in own if own[name].get("hyper"))}
        self._decay_given = 0.004 if self.optimizer == "Nadam" else self._initial_decay
        self._hyper["decay"] = self._decay_given
        self._dtypes_of_hypers: dict[str, type[np.number]] = {}
        self._hypers_created = False

    def __getattr__(self, name: str) -> Any:
        """A hyperparameter as its float32 variable holds it; `lr` is another name of `learning_rate`."""
        name = "learning_rate" if name == "lr" else name
        if name not in self.__dict__.get("_hyper", ()):
            return super().__getattr__(name)
        if name in self._in_float32:
            self._make_variables_of_hypers()
        return self._now(name)

    def __setattr__(self, name: str, value: Any) -> None:
        name = "learning_rate" if name == "lr" else name
        if name in self.__dict__.get("_hyper", ()):
            self._refuse_function(name, value)
            self._hyper[name] = value
            if name not in self._in_float32:
                self._config[name] = value
                self._choose_rules(self._owned)
        else:
            super().__setattr__(name, value)

    def _refuse_function(self, name: str, value: Any) -> None:
        """TypeError for a function in place of a number of which there is a variable; a schedule may come."""
        if isinstance(value, LearningRateSchedule):
            self._dtypes_of_hypers.pop(name, None)
        elif callable(value) and name in self._dtypes_of_hypers:
            raise TypeError(f"float() argument must be a number, not a function. Received: {name}={value}")

    def _now(self, name: str) -> Any:
        """A hyperparameter, called if it is a function; a schedule is given as it is."""
        value = called(self._hyper[name])
        return np.float32(value) if name in self._in_float32 and isinstance(value, int | float) else value

    def _make_variables_of_hypers(self) -> None:
        """The first step, or reading one of them, makes variables of all hyperparameters that are numbers by then."""
        for name in set() if self._hypers_created else self._in_float32:
            if isinstance(self._hyper[name], int | float):
                self._dtypes_of_hypers[name] = np.int32 if isinstance(self._hyper[name], int) else np.float32
        self._hypers_created = True

    def _in_config(self, key: str) -> Any:
        """A hyperparameter is the number that was given, or numpy's scalar of its variable; a function is called."""
        if key == "decay" and not serialization.decay_is_a_variable(self.edition):
            return self._decay_given
        if key not in self._hyper:
            return super()._in_config(key)
        value = called(self._hyper[key])
        if isinstance(value, LearningRateSchedule):
            return serialize_schedule(spec_of_schedules.release(self.edition), value)
        made = self._dtypes_of_hypers.get(key)
        return value if made is None or callable(self._hyper[key]) else made(value)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: CustomObjects | None = None) -> Any:
        """The optimizer that `get_config` described; `lr` in it becomes `learning_rate`.

        Adagrad makes no schedule of a description: it takes it as it is, and its first step fails.
        """
        if cls.optimizer == "Adagrad" and "initial_accumulator_value" not in config:
            config["initial_accumulator_value"] = 0.1
        if "lr" in config:
            config["learning_rate"] = config.pop("lr")
        return cls(**config) if cls.optimizer == "Adagrad" else super().from_config(config, custom_objects)

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Gradient | None, Variable]],
        name: str | None = None,
        experimental_aggregate_gradients: bool = True,
    ) -> Variable | None:
        """One step: clip, decay the learning rate, then for each variable its rule and its constraint."""
        present = steps.with_gradient(grads_and_vars)
        self._create_all_weights([variable for _, variable in present])
        if not present:
            return None
        hypers = {dtype: self._hypers(dtype) for dtype in dict.fromkeys(v.dtype for _, v in present)}
        self._prepare(next(iter(hypers.values())), hypers)
        gradients = [gradient for gradient, _ in present]
        clipped = clipping.by_value_norm_and_global_norm(
            values_of(gradients), self.clipvalue, self.clipnorm, self.global_clipnorm, self._total
        )
        for gradient, (_, variable) in zip(with_values(gradients, clipped), present, strict=True):
            self._refuse_constraint(variable, gradient)
            self._update(variable, gradient, hypers[variable.dtype])
            steps.apply_constraints([variable])
        self._iterations.value = self._iterations.value + 1
        return self._iterations

    def _hypers(self, dtype: np.dtype) -> dict[str, Any]:
        """The hyperparameters of this step for variables of a dtype; functions are called once."""
        now = {name: self._now(name) for name in self._hyper}
        (iterations,) = cast(dtype, self._iterations.value)
        (learning_rate,) = cast(dtype, self._scheduled(now["learning_rate"], iterations))
        decay = self._decay(dtype)
        if self._initial_decay > 0:
            learning_rate = learning_rate / (1 + decay * iterations)
        return {**now, "learning_rate": learning_rate, "t": int(self._iterations.value) + 1}

    def _scheduled(self, learning_rate: Any, iterations: np.floating) -> Any:
        """What a schedule gives for the iterations in the dtype of the variables; a number is itself."""
        if not isinstance(learning_rate, LearningRateSchedule):
            return learning_rate
        if self.optimizer == "Nadam":
            raise ValueError("Attempt to convert a value (a schedule) with an unsupported type to a Tensor.")
        return learning_rate(iterations)

    def _decay(self, dtype: np.dtype) -> Operand:
        """What was given to the constructor: `opt.decay = 0.1` is kept, and not used."""
        return cast_tensor(dtype, self._initial_decay)[0]

    def _refuse_constraint(self, variable: Variable, gradient: Gradient) -> None:
        """RuntimeError for a constraint on a variable that has a sparse gradient."""
        if isinstance(gradient, IndexedSlices) and variable.constraint is not None:
            raise RuntimeError(f"Cannot use a constraint function on a sparse variable: {variable.name}.")

    def _create_all_weights(self, var_list: Sequence[Variable]) -> None:
        """Make the state of `var_list` without a step; some slots take their dtype from the first variable."""
        self._make_variables_of_hypers()
        new = [v for v in var_list if id(v) not in self._plans]
        if new or not self._state:
            self._refuse_learning_rate(self._hyper["learning_rate"])
            self._create_slots(new)
        once = any(slot.get("per") == "optimizer" for slot in spec.optimizers()[self.optimizer]["slots"].values())
        if once and not var_list:
            raise IndexError("list index out of range")

    def _refuse_learning_rate(self, learning_rate: Any) -> None:
        """The variable of a learning rate is made at the first step: only then it turns out to be none."""
        if learning_rate is None:
            raise TypeError("the learning rate must be a number. Received: None")
        if isinstance(learning_rate, str):
            raise ValueError(f"Unknown initializer: {learning_rate}")

    def variables(self) -> list[Variable]:
        """The state in the order of creation: the iteration, then the slots."""
        return list(self._state)

    @property
    def weights(self) -> list[Variable]:
        """The same as `variables()`."""
        return list(self._state)

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`."""
        return [variable.numpy() for variable in self._state]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Overwrite the state; ValueError for another number of arrays or another shape, before anything changes."""
        _weights.set_weights_v2(self.optimizer, self.name, self._state, weights)

    def get_slot_names(self) -> list[str]:
        """Names of the slots that a variable has."""
        groups = [entry for entry in spec.state(self.optimizer, self.edition) if not isinstance(entry, str)]
        return [
            name
            for group in groups
            if spec.holds(group.get("when", {}), self._config)
            for name in group["slots"].values()
        ]

    def get_slot(self, var: Variable, slot_name: str) -> Variable:
        """The slot `slot_name` of `var`."""
        groups = [entry for entry in spec.state(self.optimizer, self.edition) if not isinstance(entry, str)]
        symbols = {name: symbol for group in groups for symbol, name in group["slots"].items()}
        return self._slots[symbols[slot_name], id(var)]

    @property
    def iterations(self) -> Variable:
        """int64 scalar: how many updates have been applied. It is made when it is first asked for."""
        if not self._state:
            self._iterations.name = "iter:0"
            self._state.append(self._iterations)
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        if self._state:
            raise RuntimeError(
                "Cannot set `iterations` to a new Variable after the Optimizer weights have been created"
            )
        self._iterations = self._slots["iteration", None] = variable
        self._state.append(variable)
