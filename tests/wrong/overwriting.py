"""Wrong where a variable is set to its gradient: what must leave it alone does not."""

from __future__ import annotations

from goldenstep.reference.editions import keras3
from goldenstep.reference.optimizer import Optimizer
from goldenstep.reference.wrappers import loss_scale_keras3

from . import code, wrong
from .subtle import K3

BASE, SCALED = keras3.BaseOptimizer, loss_scale_keras3.LossScaleOptimizer

wrong("overwriting/not-at-all", "the attribute is overlooked", "own",
      code(BASE, "_overwritten", ("if pair[1].overwrite_with_gradient", "if False"), editions=K3))  # fmt: skip
wrong("overwriting/unscaled", "the gradient is divided by loss_scale_factor first", "C05",
      code(BASE, "_step", ("self._overwritten(gradients, variables)\n        gradients = self._unscaled(gradients)\n", "self._overwritten(self._unscaled(gradients), variables)\n"), editions=K3))  # fmt: skip
wrong("overwriting/unscaled-by-the-wrapper", "LossScaleOptimizer divides the gradient by its scale", "C05",
      code(SCALED, "apply", ("if g is None or v.overwrite_with_gradient else", "if g is None else"), editions=K3, optimizers="LossScaleOptimizer"))  # fmt: skip
wrong("overwriting/mean-of-the-accumulated", "with accumulation it takes the mean, as others do", "own",
      code(BASE, "_overwritten", ("largest = maximum(densified(gradient), accumulator.value)", "largest = densified(gradient) + accumulator.value"), ("largest if last", "largest / every if last"), editions=K3))  # fmt: skip
wrong("overwriting/variables-without-gradients-dropped", "variables beyond the gradients are left out, not decayed", "own",
      code(BASE, "_overwritten", (" + variables[len(gradients) :]", ""), editions=K3))  # fmt: skip
wrong("overwriting/surplus-gradients-dropped", "gradients beyond the variables are left out, not refused", "own",
      code(BASE, "_overwritten", ("if len(gradients) > len(variables):", "if False:"), editions=K3))  # fmt: skip
wrong("overwriting/latest-of-the-accumulated", "with accumulation it takes the last gradient", "own",
      code(BASE, "_overwritten", ("variable.value = largest if last", "variable.value = densified(gradient) if last"), editions=K3))  # fmt: skip
wrong("overwriting/every-micro-step", "with accumulation it takes the largest at every call", "own",
      code(BASE, "_overwritten", ("variable.value = largest if last else variable.value", "variable.value = largest"), editions=K3))  # fmt: skip
wrong("overwriting/accumulator-kept", "after it was taken the largest gradient stays the one to beat", "own",
      code(BASE, "_overwritten", ("np.zeros_like(largest) if last else largest", "largest"), editions=K3),
      code(BASE, "_forget_gradients", ("for variable in self._trainable_variables if", "for variable in [v for v in self._trainable_variables if not v.overwrite_with_gradient] if"), editions=K3))  # fmt: skip
wrong("overwriting/largest-from-below-0", "the largest of the gradients may be below 0", "own",
      code(BASE, "_overwritten", ("largest = maximum(densified(gradient), accumulator.value)", "largest = maximum(densified(gradient), accumulator.value) if accumulator.value.any() else densified(gradient)"), editions=K3))  # fmt: skip
wrong("overwriting/averages-of-a-step-without-others", "averages move, though only such variables have a gradient", "own",
      code(BASE, "_step", ("        if variables:\n", "        if True:\n"), editions=K3))  # fmt: skip
wrong("overwriting/not-counted-without-others", "a step with gradients of such variables alone is no iteration", "own",
      code(BASE, "_step", ("self._iterations.value = self._iterations.value + 1", "self._iterations.value = self._iterations.value + (1 if variables else 0)"), editions=K3))  # fmt: skip
wrong("overwriting/in-the-global-norm", "its gradient counts in the global norm of the others", "own",
      code(BASE, "_step", ("gradients = clipping.by_the_one_given(gradients, self._config)", "gradients = clipping.by_the_one_given([*gradients, *(v.value for v in self._trainable_variables if v.overwrite_with_gradient)], self._config)[:len(gradients)]"), editions=K3))  # fmt: skip
wrong("overwriting/constrained", "its constraint holds, too", "own",
      code(BASE, "_step", ("        self._iterations.value = ", "        steps.apply_constraints([v for v in self._trainable_variables if v.overwrite_with_gradient])\n        self._iterations.value = "), editions=K3))  # fmt: skip
wrong("overwriting/has-slots", "it has slots that nobody uses", "own",
      code(Optimizer, "_create_slots", ("v.dtype.name, v.overwrite_with_gradient)", "v.dtype.name)"), editions=K3))  # fmt: skip
wrong("overwriting/first-only", "only the first such variable of a step takes its gradient, the others keep what they are", "own",
      code(BASE, "_overwritten", ("in reversed(taken):", "in taken[:1]:"), editions=K3))  # fmt: skip
wrong("overwriting/decays", "its value decays afterwards", "own",
      code(BASE, "_step", ("        self._iterations.value = ", '        for v in self._trainable_variables:\n            if v.overwrite_with_gradient and self._config["weight_decay"]:\n                steps.decay_weights(v, self._config["weight_decay"], self._learning_rate_now())\n        self._iterations.value = '), editions=K3))  # fmt: skip
wrong("overwriting/averages-skip-it", "where averages are taken such a variable is left alone, as documented, but all after it, too", "own",
      code(BASE, "_take_averages", ("                raise ValueError(f\"{variable.name}: attempt to convert a value (None) to a tensor.\")\n", "                return\n"), editions=K3))  # fmt: skip
