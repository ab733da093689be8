"""OptimizerV2: the pipeline of tf2.4 and of the `.legacy` classes of TensorFlow 2.9, 2.12 and 2.15.

Source       tensorflow 2.4.4, keras/optimizer_v2/optimizer_v2.py: OptimizerV2.apply_gradients.
What it is   hyperparameters are float32 variables read at every step; slots are made when a variable first
             has a gradient; clipping by value, then by norm, then by global norm, all that are set;
             `decay` divides the learning rate by 1 + decay * iterations; a constraint follows each update.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from goldenstep import spec
from goldenstep.spec import schedule as spec_of_schedules
from goldenstep.spec import serialization

from .. import clipping, steps
from ..bits import Operand, cast, cast_tensor, flush, total
from ..formats.custom import CustomObjects
from ..formats.identifiers import serialize_schedule
from ..minimizing import warn_of_missing
from ..naming import unique_name
from ..replicas import Step, alone
from ..schedules import LearningRateSchedule, called
from ..slices import values_of, with_values
from ..variable import Gradient, IndexedSlices, Variable
from .state_v2 import PRIVATE, SlotsOfAnyShape, StateV2

Transform = Callable[[list[steps.Pair]], list[steps.Pair]]
KEYWORDS = ("clipnorm", "clipvalue", "global_clipnorm", "lr", "decay")


class OptimizerV2(StateV2):
    """Base class of the OptimizerV2 generation; its sums run as TF 2.9 and later run them."""

    _total = staticmethod(total)
    _missing = KeyError

    def _accept(self, kwargs: dict[str, Any]) -> None:
        if self.optimizer == "Nadam":
            if isinstance(kwargs.get("lr", self._config["learning_rate"]), LearningRateSchedule):
                raise ValueError("The Nadam optimizer does not support a LearningRateSchedule as the learning rate.")
            kwargs = {**kwargs, "decay": kwargs.get("schedule_decay", 0.004)}  # Whatever `decay` was given.
            kwargs.pop("schedule_decay", None)
        self.gradient_aggregator: Transform | None = kwargs.pop("gradient_aggregator", None)
        self.gradient_transformers: Sequence[Transform] = kwargs.pop("gradient_transformers", None) or []
        for key, value in kwargs.items():
            if key not in KEYWORDS:
                raise TypeError(
                    f"Unexpected keyword argument passed to optimizer: {key}. Allowed: {', '.join(KEYWORDS)}."
                )
            if value is not None and value < 0:
                raise ValueError(f"Expected {key} >= 0, received: {value}")
        if kwargs.get("decay", 0.0) is None:
            raise TypeError("'<' not supported between instances of 'NoneType' and 'float'")
        if self.gradient_transformers:
            refuse_clipping(kwargs)
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
        self._decay_given = kwargs.get("decay", 0.0)
        self._initial_decay = 0.0 if self.optimizer == "Nadam" else self._decay_given
        own = self._own_arguments()
        self._hyper = {name: value for name, value in self._config.items() if own.get(name, {}).get("hyper")}
        self._hyper["decay"] = self._decay_given
        if "epsilon" in self._config:
            self._config["epsilon"] = self._config["epsilon"] or 1e-7

    def _default_name(self, class_name: str | None = None) -> Any:
        """For a name of None: the class name in snake case, made unique."""
        return unique_name(type(self).__name__)

    def _own_arguments(self) -> dict[str, Any]:
        """The optimizer's own arguments, as the specification lists them."""
        return spec.hyperparameters(self.optimizer, self.edition)

    def _in_config(self, key: str) -> Any:
        """A hyperparameter is the number that was given, or numpy's scalar of its variable; a function is called."""
        if key == "decay" and not serialization.decay_is_a_variable(self.edition):
            return self._decay_given
        if key in PRIVATE:
            return self._config[key]
        if key not in self._hyper:
            return super()._in_config(key)
        value = called(self._hyper[key])
        if isinstance(value, LearningRateSchedule):
            return serialize_schedule(spec_of_schedules.release(self.edition), value)
        return value.value[()] if isinstance(value, Variable) else value

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
        """One step, see `_step`."""
        iterations: Variable | None = alone(self._step(grads_and_vars, name, experimental_aggregate_gradients))
        return iterations

    def _step(
        self,
        grads_and_vars: Iterable[tuple[Gradient | None, Variable]],
        name: str | None = None,
        experimental_aggregate_gradients: bool = True,
    ) -> Step:
        """Sum over replicas, clip, decay the learning rate, then for each variable its rule and its constraint."""
        present = steps.with_gradient(warn_of_missing(grads_and_vars))
        self._create_all_weights([variable for _, variable in present])
        if not present:
            return None
        hypers = {dtype: self._hypers(dtype) for dtype in dict.fromkeys(v.dtype for _, v in present)}
        self._prepare(next(iter(hypers.values())), hypers)
        if self.gradient_aggregator and experimental_aggregate_gradients:
            present = self.gradient_aggregator(present)
        gradients, variables = [gradient for gradient, _ in present], [variable for _, variable in present]
        if experimental_aggregate_gradients and not self.gradient_aggregator:
            gradients = yield gradients
        clipped = clipping.by_value_norm_and_global_norm(
            values_of(gradients), self.clipvalue, self.clipnorm, self.global_clipnorm, self._total
        )
        pairs = list(zip(with_values(gradients, clipped), variables, strict=True))
        for transform in self.gradient_transformers:
            pairs = transform(pairs)
        for gradient, variable in pairs:
            self._refuse_constraint(variable, gradient)
            self._update(variable, gradient, hypers[variable.dtype])
            steps.apply_constraints([variable])
        self._iterations.value = self._iterations.value + 1
        return self._iterations

    def _hypers(self, dtype: np.dtype) -> dict[str, Any]:
        """The hyperparameters of this step for variables of a dtype; functions are called once."""
        now = {**self._config, **{name: self._now(name) for name in self._hyper}}
        (iterations,) = cast(dtype, self._iterations.value)
        (learning_rate,) = cast(dtype, flush(np.asarray(self._scheduled(now["learning_rate"], iterations))))
        decay = self._decay(dtype)
        if self._initial_decay > 0:
            learning_rate = learning_rate / (1 + decay * iterations)
        step = int(self._iterations.value) + 1
        return {**now, "learning_rate": learning_rate, "schedule_decay": self._decay_given, "t": step}

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


class LegacyOptimizer(SlotsOfAnyShape, OptimizerV2):
    """Base class of the `.legacy` optimizers of TensorFlow 2.9 and later."""


def refuse_clipping(kwargs: dict[str, Any]) -> None:
    """ValueError for a kind of clipping beside functions that transform gradients."""
    for key in ("clipnorm", "global_clipnorm", "clipvalue"):
        if kwargs.get(key) is not None:
            raise ValueError(
                f"`{key}` cannot be set when `gradient_transformers` is set. Instead, use the `gradient_transformers` "
                "to specify clipping and other transformations."
            )
