"""keras3: `keras.optimizers` of Keras 3.15.1, eager, on TensorFlow.

Source       keras 3.15.1, src/optimizers/base_optimizer.py: BaseOptimizer.apply.
What it is   state is made once, for all variables; one kind of clipping; weight decay before the rule, scaled
             by the learning rate; the moving average after it, of weights that the constraint has not yet seen.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from goldenstep.spec.layout import Owner, facts

from .. import clipping, steps
from .. import constraints as _constraints
from ..bits import cast, maximum, run, run_one
from ..errors import InvalidArgumentError, refuse_mixture
from ..exclusion import ExcludesFromWeightDecay
from ..formats import by_module
from ..formats import weights as _weights
from ..formats.custom import CustomObjects
from ..formats.identifiers import functions_of_keras_3, public, schedule_functions
from ..naming import forget_names, refuse_name, unique_name
from ..optimizer import optimizers_of
from ..own import OwnKeras3, subclassable
from ..replicas import Step, alone, summed
from ..schedules import LearningRateSchedule, schedules_of
from ..slices import densified, values_of
from ..variable import Gradient, IndexedSlices, Variable
from ..wrappers.loss_scale_keras3 import LossScaleOptimizer
from ..wrappers.multi_optimizer import MultiOptimizer as MultiOptimizer
from ..wrappers.multi_optimizer import OptimizerMap as OptimizerMap
from .state_keras3 import StateKeras3
from .tf2_12 import refuse_averages, refuse_to_leave


class BaseOptimizer(ExcludesFromWeightDecay, StateKeras3):
    """Base class of Keras 3."""

    _summed = staticmethod(lambda gradients: summed(alike(gradients)))

    def _accept(self, kwargs: dict[str, Any]) -> None:
        if kwargs.pop("decay", None) is not None:
            warnings.warn("Argument `decay` is no longer supported and will be ignored.", stacklevel=4)
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        config = self._config
        clips = {name: config[name] for name in ("clipnorm", "clipvalue", "global_clipnorm")}
        if sum(value is not None for value in clips.values()) > 1:
            raise ValueError(f"Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {clips}")
        refuse_name(config["name"])
        if not isinstance(config["learning_rate"], float) and not callable(config["learning_rate"]):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of LearningRateSchedule, or a callable. "
                f"Received instead: learning_rate={config['learning_rate']}"
            )
        steps = config["gradient_accumulation_steps"]
        if steps and not steps >= 2:
            raise ValueError(f"`gradient_accumulation_steps` must be an integer >= 2. Received: {steps}")
        refuse_averages(config, ">= 1")
        if "exclude_layers" in config:
            config["exclude_layers"] = config["exclude_layers"] or []

    def _default_name(self, class_name: str | None = None) -> Any:
        """For a name of None; one without letters stays."""
        return unique_name(class_name or type(self).__name__) if self._config["name"] is None else ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._learning_rate = self._slots.get(("learning_rate", None), self._config["learning_rate"])
        self._trainable_variables: list[Variable] = []
        self._averages: list[Variable | None]
        self.built = False

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the state for `variables`; done by the first `apply` at the latest."""
        if not self.built:
            self._trainable_variables = list(variables)
            made = self._create_slots(self._trainable_variables)
            if self._config["use_ema"]:
                self._averages = [made.get(("average", i)) for i in range(len(variables))]
            self.built = True

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]]) -> Variable:
        """`apply` of a list of pairs; returns the iteration."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(gradients, variables)
        return self._iterations

    def apply(self, grads: Sequence[Gradient | None], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step, see `_step`."""
        alone(self._step(grads, trainable_variables))

    def _step_of(self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]]) -> Step:  # type: ignore[override]
        gradients, variables = zip(*grads_and_vars, strict=True)
        return self._step(gradients, variables)

    def _step(self, grads: Sequence[Gradient | None], trainable_variables: Sequence[Variable] | None = None) -> Step:
        """Overwrite, clip, decay weights, sum over replicas, each variable's rule, then averages, then constraints."""
        if len(grads) == 0:
            return
        variables = self._known(grads, trainable_variables)
        gradients, variables = self._with_gradient(grads, variables)
        gradients, variables = self._overwritten(gradients, variables)
        gradients = self._unscaled(gradients)
        gradients = self._accumulated(gradients, variables)
        if gradients:
            gradients = clipping.by_the_one_given(gradients, self._config)
            decay_weights = steps.decay_weights_graph if self._in_graph else steps.decay_weights
            for variable in variables:
                weight_decay = self._weight_decay_of(variable)
                if weight_decay is not None and self._decays(variable):
                    decay_weights(variable, weight_decay, self._learning_rate_now())
            gradients = yield gradients
            hyper = {**self._config, "learning_rate": self._learning_rate_now(), "t": int(self.iterations) + 1}
            self._prepare(hyper, {variable.dtype for variable in variables})
            for gradient, variable in zip(gradients, variables, strict=False):
                self._update(variable, gradient, hyper)
            self._forget_gradients()
        if variables:
            self._average_weights()
            steps.apply_constraints(variables)
        self._iterations.value = self._iterations.value + 1

    @property
    def iterations(self) -> Any:
        """int64 scalar: how many updates have been applied; with accumulation, a number that can't be assigned."""
        every = self._config["gradient_accumulation_steps"]
        return self._iterations.value // every if every else self._iterations

    def _overwritten(
        self, gradients: list[Gradient], variables: list[Variable]
    ) -> tuple[list[Gradient], list[Variable]]:
        """What is left for the step once the variables with overwrite_with_gradient have taken their gradients.

        With gradient accumulation they take, at the call that ends a round of it, the largest of each element, or 0.
        The last comes first. IndexError, before anything moves, if there are more gradients than variables.
        """
        if not any(variable.overwrite_with_gradient for variable in variables):
            return gradients, variables
        if len(gradients) > len(variables):
            raise IndexError("list index out of range")
        every = self._config["gradient_accumulation_steps"]
        pairs = list(zip(gradients, variables, strict=False))
        taken = [pair for pair in pairs if pair[1].overwrite_with_gradient]
        for gradient, variable in reversed(taken):
            if not every:
                variable.assign(densified(gradient))
                continue
            accumulator = self._slots["gradient_accumulator", id(variable)]
            largest = maximum(densified(gradient), accumulator.value)
            last = (self._iterations.value + 1) % every == 0
            variable.value = largest if last else variable.value
            accumulator.value = np.zeros_like(largest) if last else largest
        left = [(g, v) for g, v in pairs if not v.overwrite_with_gradient]
        return [g for g, _ in left], [v for _, v in left] + variables[len(gradients) :]

    def _unscaled(self, gradients: list[Gradient]) -> list[Gradient]:
        """Gradients of a loss that was multiplied by loss_scale_factor; TypeError for a sparse one."""
        factor = self._config["loss_scale_factor"]
        if factor is None:
            return gradients
        if any(isinstance(gradient, IndexedSlices) for gradient in gradients):
            raise TypeError("unsupported operand type(s) for /: 'IndexedSlices' and 'float'")
        quotient = steps.quotient_graph if self._in_graph else steps.quotient
        return [quotient(g, factor) for g in values_of(gradients)]

    def _accumulated(self, gradients: list[Gradient], variables: Sequence[Variable]) -> list[Gradient]:
        """The mean over gradient_accumulation_steps calls on the last of them, as an array; nothing on the others."""
        every = self._config["gradient_accumulation_steps"]
        if not every:
            return gradients
        if not isinstance(every, int):
            raise TypeError(f"Cannot convert {every} to an int64 number of steps.")
        kept = [(self._slots["gradient_accumulator", id(v)], g) for v, g in zip(variables, gradients, strict=False)]
        if (self._iterations.value + 1) % every:
            for accumulator, gradient in kept:
                accumulator.value = self._sum(accumulator, gradient)
            return []
        sums = [self._sum(accumulator, gradient) for accumulator, gradient in kept]
        quotient = steps.quotient_graph if self._in_graph else steps.quotient
        return [quotient(total, every) for total in sums]

    def _sum(self, accumulator: Variable, gradient: Gradient) -> np.ndarray:
        """Of what is accumulated and one more gradient: TensorFlow adds nothing of another dtype."""
        added = densified(gradient)
        if added.dtype != accumulator.dtype:
            raise InvalidArgumentError(f"cannot compute AddV2 of {added.dtype} and {accumulator.dtype}")
        return run(lambda a, g: (g + a,), accumulator.value, added)[0]

    def _forget_gradients(self) -> None:
        """After an update the accumulators are 0 again, those of variables without a gradient included."""
        for variable in self._trainable_variables if self._config["gradient_accumulation_steps"] else ():
            self._slots["gradient_accumulator", id(variable)].assign(np.zeros(variable.shape))

    def _known(self, gradients: Sequence[Gradient | None], variables: Sequence[Variable] | None) -> list[Variable]:
        """The variables of this step, after building on them if it is the first; None stands for those built on."""
        if variables is None:
            if not self.built:
                raise ValueError("`apply(grads)` without variables needs an optimizer that is built.")
            if len(gradients) != len(self._trainable_variables):
                raise ValueError(f"expected {len(self._trainable_variables)} gradients, got {len(gradients)}.")
            return self._trainable_variables
        if self._outer == "":
            self._outer = None
        self.build(variables)
        for variable in variables:
            if id(variable) not in self._plans:
                raise ValueError(
                    f"Unknown variable: {variable}. This optimizer can only be called for the variables it was "
                    "originally built with."
                )
        return list(variables)

    def _with_gradient(
        self, gradients: Sequence[Gradient | None], variables: Sequence[Variable]
    ) -> tuple[list[Gradient], list[Variable]]:
        """The gradients that are there, and the variables but those whose gradient is null, of which it warns.

        The longer list keeps what it has more.  Raises IndexError for a null without a variable, ValueError if there
        is no gradient.
        """
        missing = [place for place, gradient in enumerate(gradients) if gradient is None]
        if missing and missing[-1] >= len(variables):
            raise IndexError("pop index out of range")
        if len(missing) == len(gradients):
            raise ValueError(f"No gradients provided for any variable: {[variable.name for variable in variables]}.")
        if missing:
            paths = [variables[place].path for place in missing]
            warnings.warn(f"Gradients do not exist for variables {paths} when minimizing the loss.", stacklevel=4)
        present = [gradient for gradient in gradients if gradient is not None]
        return present, [variable for place, variable in enumerate(variables) if place not in missing]

    def _name_searched(self, variable: Variable) -> str:
        """Muon looks at Keras' own variables, whose name is the end of their path, the others at TensorFlow's."""
        return variable.path.rpartition("/")[2] if self.optimizer == "Muon" else super()._name_searched(variable)

    def _weight_decay_of(self, variable: Variable) -> float | None:
        """Muon decays the variables that it hands to Adam by their own factor."""
        decay: float | None = self._config["adam_weight_decay" if self._uses_adam(variable) else "weight_decay"]
        return decay

    def _uses_adam(self, variable: Variable) -> bool:
        """Does Muon hand the variable to Adam?"""
        owner = Owner(variable.path, variable.shape, variable.dtype.name)
        return bool(facts(self.optimizer, self._config, owner).get("uses_adam", False))

    def _update(self, variable: Variable, gradient: Gradient, hyper: dict[str, Any]) -> None:
        """The rule; of Muon's matrix only the momentum moves before a rate of another dtype is refused."""
        before = variable.value
        super()._update(variable, gradient, hyper)
        if self.optimizer == "Muon" and not self._uses_adam(variable):
            try:
                self._refuse_rate(variable.dtype, hyper["learning_rate"])
            except InvalidArgumentError:
                variable.value = before
                raise

    def _refuse_rate(self, dtype: np.dtype, rate: Any) -> None:
        """InvalidArgumentError for an update that Muon multiplies by factors of another dtype, as they are.

        A number is a variable that Keras converts; what a schedule gives is a tensor; what a function returns is a
        number that takes the dtype of the update, so that rms_rate's factor, a float32 tensor, is the first to differ.
        """
        if isinstance(self._learning_rate, LearningRateSchedule):
            refuse_mixture(dtype, rate.dtype)
        if callable(self._learning_rate) and self._config["rms_rate"] is not None:
            refuse_mixture(dtype, np.dtype(np.float32))

    def _average_weights(self) -> None:
        """average = m * average + (1 - m) * w, in the variable's dtype, with m = 0 on the first step."""
        frequency = self._config["ema_overwrite_frequency"]
        momentum = self._config["ema_momentum"] if int(self.iterations) else 0
        averaged = zip(self._averages, self._trainable_variables, strict=True) if self._config["use_ema"] else ()
        for average, variable in averaged:
            if average is None:
                continue
            self._refuse_empty(variable)
            (m,) = cast(variable.dtype, momentum)
            average.value = run_one(lambda a, w, m: m * a + (1 - m) * w, average.value, variable.value, m)
        if self._config["use_ema"] and frequency and (int(self.iterations) + 1) % frequency == 0:
            self._take_averages(self._trainable_variables)

    def _take_averages(self, variables: Sequence[Variable]) -> None:
        """Variables become their averages, one after the other; ValueError, as shipped, at one that has none."""
        for variable, average in zip(variables, self._averages, strict=False):
            if average is None:
                raise ValueError(f"{variable.name}: attempt to convert a value (None) to a tensor.")
            variable.assign(average.value)

    def _refuse_empty(self, variable: Variable) -> None:
        """InvalidArgumentError for an empty array that Keras' `add` takes for a bias of the second or last axis."""
        long = [n for n in variable.shape if n > 1]
        if variable.value.size == 0 and len(long) == 1 and long[0] in (variable.shape[1], variable.shape[-1]):
            raise InvalidArgumentError(f"Biases must be 1D: {variable.shape}")

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Overwrite the variables with their averages, if averages are kept."""
        if self._config["use_ema"]:
            self._take_averages(var_list)

    @property
    def variables(self) -> list[Variable]:
        """The state: iteration, learning rate, then the slots."""
        return list(self._state)

    @property
    def learning_rate(self) -> Any:
        """float32 scalar variable; or what the function, or the schedule for this iteration, returns that was given."""
        if isinstance(self._learning_rate, LearningRateSchedule):
            return self._learning_rate(self._iterations)
        return self._learning_rate() if callable(self._learning_rate) else self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        _ = self.learning_rate, self.learning_rate  # TensorFlow looks twice at what is overwritten; a function notices.
        if callable(value):
            self._state = [variable for variable in self._state if variable is not self._learning_rate]
            self._learning_rate = self._config["learning_rate"] = value
        else:
            refuse_to_leave(self._learning_rate)
            self._learning_rate.assign(value)

    def _learning_rate_now(self) -> Any:
        """A function is called again at every use, and Muon takes its number as it is; a schedule's keeps its dtype."""
        rate = self.learning_rate
        as_it_is = isinstance(rate, np.floating) or (self.optimizer == "Muon" and isinstance(rate, float))
        return rate if as_it_is else np.float32(rate)

    def _in_config(self, key: str) -> Any:
        """The learning rate is a Python float, or the document of a schedule or function."""
        if key != "learning_rate":
            return super()._in_config(key)
        rate = self._learning_rate
        return float(rate) if isinstance(rate, Variable) else by_module.serialize(rate, public("keras3"))

    @classmethod
    def _rate_of(cls, document: dict[str, Any], custom_objects: CustomObjects | None) -> Any:
        """What is found by its module, not only by its class name."""
        return by_module.deserialize(document, public("keras3"), None, custom_objects)

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Overwrite the state, one array after the other; ValueError before it is built, and for another shape."""
        _weights.set_weights(self.built, self.variables, weights)

    def save_own_variables(self, store: _weights.Store) -> None:
        """Put the state into a store, each array under its number."""
        _weights.save_own_variables(self.variables, store)

    def load_own_variables(self, store: _weights.Store) -> None:
        """Take the state out of a store; if it has another number of arrays, nothing, with a warning."""
        _weights.warned(_weights.load_own_variables(self.name, self.variables, store))


def alike(gradients: Sequence[Gradient]) -> Sequence[Gradient]:
    """The gradients; AssertionError if some are sparse and some are not."""
    if len({isinstance(gradient, IndexedSlices) for gradient in gradients}) > 1:
        raise AssertionError("expected all replicas to have a sparse gradient, or none")
    return gradients


def clear_session() -> None:
    """Forget the names given so far: the next Adam is `adam` again."""
    forget_names()


constraints = _constraints.KERAS_3
globals().update(optimizers_of("keras3", BaseOptimizer))
Optimizer = subclassable("keras3", BaseOptimizer, OwnKeras3)
schedules = schedule_functions("keras3", schedules_of("keras3", "optimizers.schedules"))
globals().update(functions_of_keras_3("keras3"))
mixed_precision = SimpleNamespace(LossScaleOptimizer=LossScaleOptimizer)


def __getattr__(name: str) -> Any:
    """For type checkers: the classes are made from the specification."""
    raise AttributeError(f"keras3 has no {name!r}")
