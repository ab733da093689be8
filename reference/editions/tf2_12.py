"""tf2.12: `tf.keras.optimizers` of TensorFlow 2.12, eager; `legacy` beside it.

Source       keras 2.12.0, optimizers/optimizer.py: Optimizer.apply_gradients.
What it is   state is made once, for all variables of the first step; of several kinds of clipping the first of
             norm, global norm, value; after that the duplicate rows of a sparse gradient are summed; weight decay
             before the rule, scaled by the learning rate; the moving average starts at the first weights, and is
             paired with the variables that have a gradient by position.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from .. import clipping, steps
from .. import constraints as _constraints
from ..exclusion import ExcludesFromWeightDecay
from ..formats import weights as _weights
from ..formats.identifiers import (
    functions_of_keras_2,
    schedule_functions_of_keras_2,
    serialize_schedule,
)
from ..minimizing import Pairs, warn_of_missing
from ..optimizer import optimizers_of
from ..own import OwnKeras2, OwnV2, subclassable
from ..replicas import Step, alone
from ..schedules import LearningRateSchedule, called, schedules_of
from ..slices import deduplicated, values_of, with_values
from ..variable import Gradient, Variable
from ..wrappers import loss_scale_v2, loss_scale_v3
from ..wrappers.loss_scale import loss_scale_chooser
from ..wrappers.loss_scale_config import loss_scale_optimizers_of
from .optimizer_v2 import LegacyOptimizer, OptimizerV2
from .state_keras2 import StateKeras2

DEPRECATED = ("decay", "gradient_aggregator", "gradient_transformers")


class Keras2Optimizer(StateKeras2):
    """Base class of Keras 2.11 to 2.15; also the ground of tf2.9's experimental one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._schedule: LearningRateSchedule | None = None
        self._learning_rate: Variable | None = None
        if isinstance(self._config["learning_rate"], LearningRateSchedule):
            self._schedule = self._config["learning_rate"]
            self._follow_schedule()
        else:
            rate = Variable(np.float32(self._config["learning_rate"]), "learning_rate:0")
            self._learning_rate = self._slots.get(("learning_rate", None), rate)
        self._averages: list[Variable]

    def _accept(self, kwargs: dict[str, Any]) -> None:
        refuse_common(self._config, "> 1")
        kwargs.pop("is_legacy_optimizer", None)
        if kwargs.pop("lr", None):
            logging.warning("`lr` is deprecated in Keras optimizer, please use `learning_rate`.")
        for key in kwargs:
            if key in DEPRECATED:
                raise ValueError(f"{key} is deprecated in the new Keras optimizer, please check the docstring.")
            raise TypeError(
                f"{key} is not a valid argument, kwargs should be empty for `optimizer_experimental.Optimizer`."
            )
        refuse_rate(self._config["learning_rate"])
        self._config["jit_compile"] = False  # There is no GPU.
        self._config["learning_rate"] = called(self._config["learning_rate"])

    def build(self, var_list: Sequence[Variable]) -> None:
        """Make the state for `var_list`; done by the first `apply_gradients` at the latest."""
        if not self._plans:
            self._trainable_variables = list(var_list)
            made = self._create_slots(self._trainable_variables)
            if self._config["use_ema"]:
                self._averages = [made["average", i] for i in range(len(var_list))]

    def _follow_schedule(self) -> None:
        """What the schedule gives now is the learning rate until the next step; the first one's dtype stays."""
        if self._schedule is not None:
            rate = np.asarray(self._schedule(self._iterations))
            if self._learning_rate is None:
                made = Variable(rate, "current_learning_rate:0")
                self._learning_rate = self._slots.get(("learning_rate", None), made)
            if rate.dtype != self._learning_rate.dtype:
                wanted = self._learning_rate.dtype
                raise ValueError(f"Tensor conversion requested dtype {wanted} for Tensor with dtype {rate.dtype}")
            self._learning_rate.assign(rate)

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Gradient | None, Variable]],
        name: str | None = None,
        skip_gradients_aggregation: bool = False,
        **kwargs: Any,
    ) -> Variable:
        """One step, see `_step`."""
        iterations: Variable = alone(self._step(grads_and_vars, name, skip_gradients_aggregation, **kwargs))
        return iterations

    def _step(
        self,
        grads_and_vars: Iterable[tuple[Gradient | None, Variable]],
        name: str | None = None,
        skip_gradients_aggregation: bool = False,
        **kwargs: Any,
    ) -> Step:
        """Sum over replicas, clip, decay weights, for each variable its rule, then averages, then constraints."""
        pairs = warn_of_missing(grads_and_vars)
        present = steps.with_gradient(pairs)
        gradients, variables = [gradient for gradient, _ in present], [variable for _, variable in present]
        if gradients and not skip_gradients_aggregation and kwargs.get("experimental_aggregate_gradients", True):
            gradients = yield gradients
        self._follow_schedule()
        if not present:
            return self._iterations
        self._build_in_step([variable for _, variable in pairs], name or self.name or "optimizer")
        clipped = clipping.by_norm_or_global_norm_or_value(values_of(gradients), self._config)
        gradients = [deduplicated(gradient) for gradient in with_values(gradients, clipped)]
        if self._config["weight_decay"] is not None:
            decay_weights = steps.decay_weights_graph if self._in_graph else steps.decay_weights
            for variable in filter(self._decays, variables):
                decay_weights(variable, self._config["weight_decay"], self.learning_rate.value[()])
        hyper = {**self._config, "learning_rate": self.learning_rate.value[()], "t": int(self._iterations.value) + 1}
        for gradient, variable in zip(gradients, variables, strict=True):
            self._update(self._known(variable), gradient, hyper)
        self._average_weights(variables)
        self._iterations.value = self._iterations.value + 1
        steps.apply_constraints(variables)
        return self._iterations

    def aggregate_gradients(self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]]) -> Pairs:
        """The pairs, summed over replicas, of which there is one; ValueError if there is no gradient at all."""
        pairs = warn_of_missing(grads_and_vars)
        steps.with_gradient(pairs)
        return pairs

    def _known(self, variable: Variable) -> Variable:
        if id(variable) not in self._plans:
            raise KeyError(
                f"The optimizer cannot recognize variable {variable.name}. This usually means you are trying to call "
                "the optimizer to update different parts of the model separately."
            )
        return variable

    def _average_weights(self, variables: Sequence[Variable]) -> None:
        """Move the averages, and write them back when their frequency says so."""
        if not self._config["use_ema"]:
            return
        averages = self._averages_of(variables)
        steps.move_averages(averages, variables, self._config["ema_momentum"])
        frequency = self._config["ema_overwrite_frequency"]
        if frequency and (self._iterations.value + 1) % frequency == 0:
            self.finalize_variable_values(variables)

    def _averages_of(self, variables: Sequence[Variable]) -> list[Variable]:
        """By position, whatever the variables are."""
        return self._averages

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Overwrite the variables with their averages, if averages are kept."""
        if self._config["use_ema"]:
            if len(var_list) != len(self._averages):
                raise ValueError(
                    f"The length of model variables ({len(var_list)}) to override does not match the length of model "
                    f"variables stored in the optimizer ({len(self._averages)})."
                )
            steps.overwrite(var_list, self._averages)

    def _decays(self, variable: Variable) -> bool:
        """Does weight decay apply to the variable? An edition that decays weights says so."""
        raise NotImplementedError

    @property
    def iterations(self) -> Variable:
        """int64 scalar: how many updates have been applied; a new variable only before the first."""
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        self._refuse_iterations()
        self._iterations = variable

    def _refuse_iterations(self) -> None:
        if self._plans:
            raise RuntimeError(
                "Cannot set `iterations` to a new Variable after the Optimizer weights have been created."
            )

    @property
    def variables(self) -> CallableList:
        """The state: iteration, averages, then the slots."""
        return CallableList(self._state)

    @property
    def _u_product(self) -> Variable | None:
        """Nadam's product of momenta, which is not among the variables."""
        return self._slots.get(("u_product", None))

    @property
    def learning_rate(self) -> Variable:
        """float32 scalar variable; of a schedule: what it gave at the latest step."""
        if self._learning_rate is None:
            raise AttributeError("the schedule that was assigned is asked for the first time by the next step")
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: float | LearningRateSchedule) -> None:
        if isinstance(value, LearningRateSchedule):
            self._take_schedule(value)
        else:
            refuse_to_leave(self._schedule)
            self.learning_rate.assign(value)

    def _take_schedule(self, schedule: LearningRateSchedule) -> None:
        """Follow a schedule from the next step on; until then there is no learning rate."""
        if self._schedule is None:
            self._learning_rate = None
            self._config.pop("learning_rate")
        self._schedule = schedule

    lr = learning_rate

    def _in_config(self, key: str) -> Any:
        """The learning rate is numpy's scalar of its variable, or the document of a schedule."""
        if key != "learning_rate":
            return super()._in_config(key)
        if self._schedule is not None:
            return serialize_schedule(self.edition, self._schedule)
        return self.learning_rate.value[()]


class Base(ExcludesFromWeightDecay, Keras2Optimizer):
    """Base class of Keras 2.12."""

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Spare these variables, and those in whose name one of the patterns is found; only before the first step."""
        if self._plans:
            raise ValueError("`exclude_from_weight_decay()` can only be configured before the optimizer is built.")
        super().exclude_from_weight_decay(var_list, var_names)

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Overwrite the state, one array after the other; ValueError before it is built, and for another shape."""
        _weights.set_weights(bool(self._plans), self.variables, weights)

    def _save_own_variables(self, store: _weights.Store) -> None:
        """Put the state into a store, each array under its number."""
        _weights.save_own_variables(self.variables, store)

    def _load_own_variables(self, store: _weights.Store) -> None:
        """Take the state out of a store; if it has another number of arrays, nothing, and that is logged."""
        _weights.logged(_weights.load_own_variables(self.name, self.variables, store))


class CallableList(list[Variable]):
    """A list that may also be called: `opt.variables` and `opt.variables()` are the same."""

    def __call__(self) -> CallableList:
        return self


def refuse_to_leave(learning_rate: Any) -> None:
    """TypeError if the learning rate is a schedule, which no number can replace."""
    if isinstance(learning_rate, LearningRateSchedule):
        raise TypeError(
            "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` constructor "
            "argument, hence its learning rate is not settable."
        )


def refuse_rate(learning_rate: Any) -> None:
    """TypeError or ValueError for what is no learning rate."""
    if learning_rate is None:
        raise ValueError("The learning rate must be specified. Received: learning_rate=None")
    if isinstance(learning_rate, str):
        raise TypeError(f"Cannot convert {learning_rate!r} to a float32 variable.")


def refuse_common(config: dict[str, Any], least: str) -> None:
    """ValueError for a moving average that can't be, then for both kinds of norm."""
    refuse_averages(config, least)
    clipnorm, global_clipnorm = config["clipnorm"], config["global_clipnorm"]
    if clipnorm is not None and global_clipnorm is not None:
        raise ValueError(
            f"At most one of `clipnorm` and `global_clipnorm` can be set. Received: clipnorm={clipnorm}, "
            f"global_clipnorm={global_clipnorm}."
        )


def refuse_averages(config: dict[str, Any], least: str) -> None:
    """ValueError for a momentum outside [0, 1], or a frequency that is no positive int, of a moving average."""
    if not config["use_ema"]:
        return
    momentum, frequency = config["ema_momentum"], config["ema_overwrite_frequency"]
    if momentum > 1 or momentum < 0:
        raise ValueError(f"`ema_momentum` must be in the range [0, 1]. Received: ema_momentum={momentum}")
    if frequency and (not isinstance(frequency, int) or frequency < 1):
        raise ValueError(
            f"`ema_overwrite_frequency` must be an integer {least} or None. "
            f"Received: ema_overwrite_frequency={frequency}"
        )


constraints = _constraints.KERAS_2
globals().update(optimizers_of("tf2.12", Base))
Optimizer = subclassable("tf2.12", Base, OwnKeras2)
schedules = schedule_functions_of_keras_2("tf2.12", schedules_of("tf2.12", "optimizers.schedules"))
globals().update(functions_of_keras_2("tf2.12"))
legacy = SimpleNamespace(**optimizers_of("tf2.12.legacy", LegacyOptimizer), constraints=constraints)
legacy.Optimizer = subclassable("tf2.12.legacy", LegacyOptimizer, OwnV2)
loss_scale_optimizers = loss_scale_optimizers_of(
    {"tf2.12.legacy": loss_scale_v2.LossScaleOptimizer212, "tf2.12": loss_scale_v3.LossScaleOptimizer212}
)
mixed_precision = SimpleNamespace(
    LossScaleOptimizer=loss_scale_chooser(
        dict(zip((OptimizerV2, Keras2Optimizer), loss_scale_optimizers.values(), strict=True))
    )
)


def __getattr__(name: str) -> Any:
    """For type checkers: the classes are made from the specification."""
    raise AttributeError(f"tf2.12 has no {name!r}")
