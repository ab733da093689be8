"""Subtly wrong pipelines: right for the first step, the first variable, a usual order, a rate that never changes."""

from __future__ import annotations

from goldenstep.reference import clipping, constraints, exclusion, optimizer, slices, steps
from goldenstep.reference.editions import keras3, optimizer_v2, tf2_9, tf2_12, tf2_15

from . import LEGACY, NEW, code, wrong

K3, BASE, KERAS2, V2 = "keras3", keras3.BaseOptimizer, tf2_12.Keras2Optimizer, optimizer_v2.OptimizerV2
DECAYING, ALL = ("tf2.12", "tf2.15", "keras3"), (*LEGACY, *NEW)
T3 = '"t": int(self.iterations) + 1'
T2 = '"t": int(self._iterations.value) + 1'
T_V2 = "step = int(self._iterations.value) + 1"
COUNTED = 'self.__dict__.setdefault("_own", [0]).__setitem__(0, self._own[0] + 1) or self._own[0]'
OWN = f'"t": {COUNTED}'

# ---- counting, and the learning rate -----------------------------------------------------------------------

wrong("subtle/own-counter", "t counts the updates itself, and does not see that iterations was assigned", "B13",
      code(BASE, "_step", (T3, OWN), editions=K3, optimizers=("Adam", "Nadam")))  # fmt: skip
wrong("subtle/own-counter-in-2.12", "t counts the updates itself", "B13",
      code(KERAS2, "_step", (T2, OWN), editions=("tf2.12", "tf2.15"), optimizers="Adam"))  # fmt: skip
wrong("subtle/own-counter-in-2.9", "t counts the updates itself", "B13",
      code(tf2_9.Base, "_step", (T2, OWN), editions="tf2.9", optimizers="Adam"))  # fmt: skip
wrong("subtle/own-counter-in-legacy", "t counts the updates itself", "B13",
      code(V2, "_hypers", (T_V2, f"step = {COUNTED}"), editions=LEGACY, optimizers="Adam"))  # fmt: skip
wrong("subtle/counter-in-int32-of-16-bits", "t wraps around at 2**15", "own",
      code(BASE, "_step", (T3, '"t": (int(self.iterations) + 1) % 32768'), editions=K3, optimizers="Adam"))  # fmt: skip
wrong("subtle/counter-stops-at-10000", "t is at most 10,000", "own",
      code(V2, "_hypers", (T_V2, "step = min(int(self._iterations.value) + 1, 10000)"), editions=LEGACY, optimizers="Adam"))  # fmt: skip
wrong("subtle/rate-of-the-first-step", "a learning rate that is assigned later has no effect", "own",
      code(BASE, "_learning_rate_now", ("    rate = self.learning_rate\n", "    rate = self.__dict__.setdefault('_first', self.learning_rate if callable(self._learning_rate) else np.float32(self.learning_rate))\n"), editions=K3))  # fmt: skip
wrong("subtle/rate-one-step-late", "an assigned learning rate counts from the step after the next on", "own",
      code(KERAS2, "_step", ('"learning_rate": self.learning_rate.value[()]', '"learning_rate": self.__dict__.pop("_late", self.learning_rate.value[()])'), ("        for gradient, variable in zip(", "        self.__dict__['_late'] = self.learning_rate.value[()]\n        for gradient, variable in zip("), editions=("tf2.12", "tf2.15")))  # fmt: skip
wrong("subtle/schedule-one-ahead", "a schedule is asked for the step after", "own",
      code(BASE, "_learning_rate_now", ("rate = self.learning_rate\n", "rate = self._learning_rate(self._iterations.value + 1) if hasattr(self._learning_rate, 'get_config') else self.learning_rate\n"), editions=K3))  # fmt: skip
wrong("subtle/schedule-one-ahead-in-2.12", "a schedule is asked for the step after", "own",
      code(KERAS2, "_follow_schedule", ("self._iterations", "(self._iterations.value + 1)"), editions=("tf2.9", "tf2.12", "tf2.15")))  # fmt: skip
wrong("subtle/schedule-one-ahead-in-legacy", "a schedule is asked for the step after", "own",
      code(V2, "_scheduled", ("learning_rate(iterations)", "learning_rate(iterations + 1)"), editions=LEGACY))  # fmt: skip
wrong("subtle/schedule-counts-updates", "with accumulation a schedule is asked for the number of updates", "A18",
      code(BASE, "_learning_rate_now", ("rate = self.learning_rate\n", "rate = self._learning_rate(np.int64(int(self.iterations))) if hasattr(self._learning_rate, 'get_config') else self.learning_rate\n"), editions=K3))  # fmt: skip
wrong("subtle/schedule-result-in-float32", "a schedule of float64 is rounded to float32", "own",
      code(V2, "_hypers", ("flush(np.asarray(self._scheduled(now[\"learning_rate\"], iterations)))", "np.float32(self._scheduled(now[\"learning_rate\"], iterations)) * np.float32(1)"), editions=LEGACY))  # fmt: skip
wrong("subtle/decay-of-the-assigned-rate-off", "after the learning rate was assigned `decay` has no effect", "own",
      code(V2, "_hypers", ("if self._initial_decay > 0", "if self._initial_decay > 0 and self._hyper['learning_rate'] == self._config['learning_rate']"), editions=LEGACY))  # fmt: skip
wrong("subtle/hyperparameters-of-the-first-step", "a beta or rho that is assigned later has no effect", "own",
      code(V2, "_now", ("        return np.float32(value)", "        value = self.__dict__.setdefault('_once', {}).setdefault(name, value) if name in ('beta_1', 'rho', 'momentum') else value\n        return np.float32(value)"), editions=LEGACY, optimizers=("Adam", "RMSprop", "SGD")))  # fmt: skip
wrong("subtle/hyperparameters-in-float64", "beta and rho never were float32 variables", "own",
      code(V2, "_now", ("        return np.float32(value)", "        if name in ('beta_1', 'beta_2', 'rho', 'momentum') and isinstance(self._config[name], float):\n            return np.float64(self._config[name])\n        return np.float32(value)"), editions=LEGACY, optimizers=("Adam", "RMSprop", "SGD")))  # fmt: skip

# ---- state -------------------------------------------------------------------------------------------------------

wrong("subtle/state-shared-by-shape", "variables of the same shape share their slots", "own",
      code(optimizer.Optimizer, "_plan", ("self._slots.get((slot, id(variable)))", "self._slots.get((slot, next((id(v) for v in self._owned if v.shape == variable.shape and slot == 'v'), id(variable))))"), editions=ALL, optimizers=("Adam", "RMSprop")))  # fmt: skip
wrong("subtle/state-shared-by-shape-momentum", "variables of the same shape share their velocity", "own",
      code(optimizer.Optimizer, "_plan", ("self._slots.get((slot, id(variable)))", "self._slots.get((slot, next((id(v) for v in self._owned if v.shape == variable.shape), id(variable))))"), editions=ALL, optimizers="SGD"))  # fmt: skip
UPDATE = "values = [slot.value for slot in slots]\n        w, *new = bits.run(rule, variable.value, gradient, *values"
wrong("subtle/keeps-the-gradient-itself", "the first mean is the gradient's own memory", "own",
      code(optimizer.Optimizer, "_update", ("            slot.value = np.asarray(value)", "            slot.value = gradient if np.array_equal(value, gradient) else np.asarray(value)"), editions=ALL, optimizers=("Adam", "RMSprop", "Lion", "Adadelta")))  # fmt: skip
wrong("subtle/gradient-changed-in-place", "a gradient is clipped where it stands", "own",
      code(clipping, "value_clipped", ("return maximum(minimum(g, high), low)", "return np.clip(g, low, high, out=np.asarray(g) if g.flags.writeable else None)"), editions=ALL))  # fmt: skip
wrong("subtle/gradient-zeroed-after-the-step", "the gradient is set to 0 after the step", "own",
      code(optimizer.Optimizer, "_update", ("        variable.value = np.asarray(w)", "        gradient[...] = 0\n        variable.value = np.asarray(w)"), editions=ALL))  # fmt: skip
wrong("subtle/second-variable-sees-the-first-gradient-s-dtype", "the second variable's slots are float32", "own",
      code(optimizer.Optimizer, "_started", ("np.full(entry.shape, entry.start, entry.dtype)", "np.full(entry.shape, entry.start, entry.dtype if not entry.owner or entry.dtype == 'int64' else 'float32')"), editions=ALL, optimizers="Adam"))  # fmt: skip
wrong("subtle/third-variable-left-out", "only two variables are updated", "own",
      code(BASE, "_step", ("for gradient, variable in zip(gradients, variables, strict=False):\n                self._update", "for gradient, variable in list(zip(gradients, variables, strict=False))[:2]:\n                self._update"), editions=K3))  # fmt: skip
wrong("subtle/null-gradient-counts-as-zero", "a variable without a gradient moves on by its momentum", "own",
      code(BASE, "_with_gradient", ("        present = ", "        gradients, missing = [np.zeros_like(v.value) if g is None else g for g, v in zip(gradients, variables)], []\n        present = "), editions=K3))  # fmt: skip
wrong("subtle/null-gradient-counts-as-zero-in-legacy", "a variable without a gradient moves on by its momentum", "own",
      code(V2, "_step", ("present = steps.with_gradient(warn_of_missing(grads_and_vars))", "pairs = list(grads_and_vars); present = steps.with_gradient(pairs) and [(np.zeros_like(v.value) if g is None else g, v) for g, v in pairs]"), editions=LEGACY))  # fmt: skip
wrong("subtle/order-of-the-call-ignored", "gradients go to the variables in the order of the first step", "own",
      code(BASE, "_step", ("variables = self._known(grads, trainable_variables)", "variables = self._known(grads, trainable_variables); variables = [v for v in self._trainable_variables if v in variables]"), editions=K3))  # fmt: skip

# ---- clipping ----------------------------------------------------------------------------------------------------

STACK = "[total(g * g * half) for g in gradients]"
wrong("subtle/global-norm-of-two", "the global norm sees the first two gradients only", "own",
      code(clipping, "globally_clipped", (STACK, "[total(g * g * half) for g in gradients[:2]]"), editions=ALL[:-1]))  # fmt: skip
wrong("subtle/global-norm-without-scalars", "the global norm leaves out scalars", "own",
      code(clipping, "globally_clipped", (STACK, "[total(g * g * half) * (one if g.ndim else one - one) for g in gradients]"), editions=ALL[:-1]))  # fmt: skip
wrong("subtle/global-norm-counts-nulls", "a gradient that is null counts as 1 in the global norm", "own",
      code(BASE, "_step", ("gradients = clipping.by_the_one_given(gradients, self._config)", "gradients = clipping.by_the_one_given([*gradients, *(np.ones(1, gradients[0].dtype) for g in grads if g is None)], self._config)[: len(gradients)]"), editions=K3))  # fmt: skip
wrong("subtle/global-norm-of-updates-order", "the squares are summed from the last gradient to the first", "own",
      code(clipping, "globally_clipped_keras3", ("[total(square) for square in squares]", "[total(square) for square in squares[::-1]]"), editions=K3))  # fmt: skip
wrong("subtle/global-norm-squares-sums-of-rows", "duplicate rows are summed before they are squared", "A03",
      code(clipping, "by_the_one_given", ("squares = with_values(gradients, each(lambda g: g * g, values))", "squares = [densified(g) * densified(g) for g in gradients]"), editions=K3))  # fmt: skip
wrong("subtle/norm-of-deduplicated-rows", "clipnorm sees duplicate rows summed", "A03",
      code(KERAS2, "_step", ("clipped = clipping.by_norm_or_global_norm_or_value(values_of(gradients), self._config)", "gradients = [deduplicated(gradient) for gradient in gradients]; clipped = clipping.by_norm_or_global_norm_or_value(values_of(gradients), self._config)"), editions=("tf2.12", "tf2.15")))  # fmt: skip
wrong("subtle/norm-of-float16-in-float32", "norms of float16 are taken in float32", "own",
      code(clipping, "norm_clipped", ("squares = total(g * g)\n", "squares = total(g.astype(np.float32) * g.astype(np.float32)).astype(g.dtype) if g.dtype == np.float16 else total(g * g)\n"), editions=ALL, optimizers="Adam"))  # fmt: skip
wrong("subtle/norm-limit-float32-of-float64", "a threshold of float64 gradients was float32 before", "own",
      code(clipping, "norm_clipped", ("cast(g.dtype, clipnorm)", "cast(g.dtype, np.float32(clipnorm))"), editions=ALL, optimizers="Adam"))  # fmt: skip
wrong("subtle/value-limit-float32-of-float64", "a threshold of float64 gradients was float32 before", "own",
      code(clipping, "value_clipped", ("cast(g.dtype, -clipvalue or 0.0, clipvalue)", "cast(g.dtype, np.float32(-clipvalue) or 0.0, np.float32(clipvalue))"), editions=ALL, optimizers="Adam"))  # fmt: skip
wrong("subtle/global-limit-float32-of-float64", "a threshold of float64 gradients was float32 before", "own",
      code(clipping, "globally_clipped_keras3", ("clipnorm, 1 / clipnorm, 1)", "np.float32(clipnorm), 1 / np.float32(clipnorm), 1)"), editions=K3, optimizers="Adam"))  # fmt: skip
wrong("subtle/norm-of-zero-is-nan", "a gradient of zeros is divided by its norm", "own",
      code(clipping, "norm_clipped", ("g * limit / maximum(norm, limit)", "g / norm * minimum(norm, limit)"), editions=ALL))  # fmt: skip
wrong("subtle/clip-survives-infinity", "an infinite gradient is clipped to 0", "own",
      code(clipping, "norm_clipped", ("g * limit / maximum(norm, limit)", "np.where(np.isinf(norm), g.dtype.type(0), g * limit / maximum(norm, limit))"), editions=ALL))  # fmt: skip

# ---- decay -------------------------------------------------------------------------------------------------------

SEARCH = "re.search(pattern, self._name_searched(variable))"
EXCLUDE = "goldenstep.reference.exclusion"
for name, what, after in (
    ("prefix", "patterns are prefixes", "self._name_searched(variable).startswith(pattern)"),
    ("match", "patterns match at the beginning only", "re.match(pattern, self._name_searched(variable))"),
    ("substring", "patterns are no patterns but words", "pattern in self._name_searched(variable)"),
    ("whole-name", "patterns must match the whole name", "re.fullmatch(pattern, variable.name)"),
    ("any-case", "patterns ignore case and see the name without its number", "re.search(pattern, variable.name)"),
):
    wrong(f"subtle/excluded-by-{name}", what, "A15",
          code(exclusion.ExcludesFromWeightDecay, "_decays", (SEARCH, after), editions=DECAYING))  # fmt: skip
wrong("subtle/excluded-by-first-pattern", "of several patterns only the first counts", "own",
      code(exclusion.ExcludesFromWeightDecay, "_decays", ("in self._excluded_names)", "in self._excluded_names[:1])"), editions=DECAYING))  # fmt: skip
wrong("subtle/excluded-adds-up", "a second call adds to the first", "own",
      code(exclusion.ExcludesFromWeightDecay, "exclude_from_weight_decay", ("tuple(var_names or ())", "(*self._excluded_names, *(var_names or ()))"), editions=DECAYING))  # fmt: skip
wrong("subtle/excluded-names-or-variables", "with patterns, variables that are given are not looked at", "own",
      code(exclusion.ExcludesFromWeightDecay, "_decays", ("id(variable) not in self._excluded and not named", "(not named if self._excluded_names else id(variable) not in self._excluded)"), editions=DECAYING))  # fmt: skip
wrong("subtle/decay-by-the-first-rate", "weights decay by the learning rate of the config", "own",
      code(BASE, "_step", ("decay_weights(variable, weight_decay, self._learning_rate_now())", "decay_weights(variable, weight_decay, np.float32(self._config['learning_rate'] if isinstance(self._config['learning_rate'], float) else self._learning_rate_now()))"), editions=K3, optimizers=("SGD", "Adam", "AdamW")))  # fmt: skip
wrong("subtle/decay-of-null-gradients", "variables without a gradient decay, too", "own",
      code(BASE, "_step", ("            for variable in variables:\n                weight_decay", "            for variable in self._trainable_variables:\n                weight_decay"), editions=K3))  # fmt: skip
wrong("subtle/decay-of-scalars-off", "scalars do not decay", "own",
      code(steps, "decay_weights", ("    variable.value =", "    if variable.value.ndim == 0:\n        return\n    variable.value ="), editions=DECAYING))  # fmt: skip
wrong("subtle/decay-negative-is-off", "a negative weight_decay counts as none", "own",
      code(steps, "decay_weights", ("w - w * d * lr", "w - w * maximum(d, d - d) * lr"), editions=DECAYING))  # fmt: skip
wrong("subtle/decay-float64-rate", "of float64 variables the decay's rate is the config's number", "own",
      code(steps, "decay_weights", ("cast_tensor(variable.dtype, weight_decay, learning_rate)", "cast(variable.dtype, weight_decay, np.float32(learning_rate))"), editions=DECAYING, optimizers="Adam"))  # fmt: skip
wrong("subtle/decay-only-touched-rows", "of a sparse gradient only the rows decay that it names", "own",
      code(BASE, "_step", ("                    decay_weights(", "                    whole, g = variable.value, gradients[[v is variable for v in variables].index(True)]\n                    decay_weights("), ("            gradients = yield gradients", "                    if isinstance(g, IndexedSlices) and weight_decay is not None:\n                        kept = np.setdiff1d(np.arange(len(whole)), g.indices); new = variable.value.copy(); new[kept] = whole[kept]; variable.value = new\n            gradients = yield gradients"), editions=K3))  # fmt: skip

# ---- averages ----------------------------------------------------------------------------------------------------

wrong("subtle/ema-seeded-once", "the average is seeded in the first call, not whenever iterations is 0", "A06",
      code(BASE, "_average_weights", ("if int(self.iterations) else 0", "if self.__dict__.setdefault('_seeded', []) or self._seeded.append(1) else 0"), editions=K3))  # fmt: skip
wrong("subtle/ema-of-the-first-variable", "only the first variable is averaged after the first step", "own",
      code(BASE, "_average_weights", ("(m,) = cast(variable.dtype, momentum)", "(m,) = cast(variable.dtype, momentum if average is self._averages[0] or not momentum else 1.0)"), editions=K3))  # fmt: skip
wrong("subtle/ema-overwrites-matrices-only", "vectors keep their weights when averages are written back", "own",
      code(BASE, "_average_weights", ("            self._take_averages(self._trainable_variables)\n", "            kept = [(v, v.value) for v in self._trainable_variables if v.value.ndim < 2]\n            self._take_averages(self._trainable_variables)\n            for v, value in kept:\n                v.value = value\n"), editions=K3))  # fmt: skip
wrong("subtle/ema-overwrite-at-twice-the-frequency", "after the first time averages are written back half as often", "own",
      code(KERAS2, "_average_weights", ("(self._iterations.value + 1) % frequency == 0", "(self._iterations.value + 1) % frequency == 0 and (self._iterations.value + 1) // frequency in (1, 2, 4, 6)"), editions=("tf2.12", "tf2.15")))  # fmt: skip
wrong("subtle/ema-set-momentum-ignored", "ema_momentum is that of the config", "own",
      code(BASE, "_average_weights", ('momentum = self._config["ema_momentum"]', 'momentum = self.__dict__.setdefault("_kept", self._config["ema_momentum"])'), editions=K3))  # fmt: skip
wrong("subtle/ema-float64-rest-in-float32", "1 - momentum of float64 variables is taken in float32", "own",
      code(steps, "move_averages", ("cast(variable.dtype, momentum, 1 - momentum)", "cast(variable.dtype, momentum, np.float32(1) - np.float32(momentum))"), editions=("tf2.9", "tf2.12", "tf2.15"), optimizers="Adam"))  # fmt: skip
wrong("subtle/ema-of-null-gradients-stands", "a variable without a gradient is not averaged", "own",
      code(BASE, "_step", ("            self._average_weights()", "            whole, pairs = self._averages, list(zip(self._averages, self._trainable_variables))\n            known, self._averages = self._trainable_variables, [a for a, v in pairs if v in variables]\n            self._trainable_variables = [v for _, v in pairs if v in variables] if pairs else known\n            self._average_weights()\n            self._averages, self._trainable_variables = whole, known"), editions=K3))  # fmt: skip
wrong("subtle/finalize-all-but-the-last", "finalize leaves the last variable as it is", "own",
      code(steps, "overwrite", ("zip(variables, averages, strict=False)", "list(zip(variables, averages, strict=False))[: max(len(variables) - 1, 1)]"), editions=NEW))  # fmt: skip
wrong("subtle/finalize-without-averages-zeroes", "finalize copies the iteration, too", "own",
      code(BASE, "finalize_variable_values", ("            self._take_averages(var_list)", "            self._take_averages(var_list); self._iterations.value = self._iterations.value * 0"), editions=K3))  # fmt: skip

# ---- accumulation ------------------------------------------------------------------------------------------------

wrong("subtle/accumulation-last-gradient-whole", "the last gradient is not divided", "own",
      code(BASE, "_accumulated", ("return [quotient(total, every) for total in sums]", "return [run(lambda a, g, n: (a / n + g,), a.value, densified(g), *cast(g.dtype, every))[0] for a, g in kept]"), editions=K3))  # fmt: skip
wrong("subtle/accumulation-by-reciprocal", "times 1 / steps", "own",
      code(steps, "quotient", ("x / d,", "x * (1 / d),"), editions=K3))  # fmt: skip
wrong("subtle/accumulation-divides-by-the-given", "a sum is divided by how many gradients there were", "A07",
      code(BASE, "_accumulated", ("kept = [", "every_one = self.__dict__.setdefault('_given', {})\n        for v in variables:\n            every_one[id(v)] = every_one.get(id(v), 0) + 1\n        kept = ["), ("[quotient(total, every) for total in sums]", "[quotient(total, every_one.pop(id(v))) for total, v in zip(sums, variables)]"), editions=K3))  # fmt: skip
wrong("subtle/accumulation-decay-between", "weights decay in every call of the second round", "C01",
      code(BASE, "_step", ("        if gradients:\n", "        if not gradients and self._iterations.value > 2:\n            for v in variables:\n                if self._weight_decay_of(v) is not None:\n                    steps.decay_weights(v, self._weight_decay_of(v), self._learning_rate_now())\n        if gradients:\n"), editions=K3))  # fmt: skip
wrong("subtle/accumulation-constraint-once", "between updates constraints are not applied", "own",
      code(BASE, "_step", ("        steps.apply_constraints(variables)", "        steps.apply_constraints(variables if gradients else [])"), editions=K3))  # fmt: skip
wrong("subtle/loss-scale-of-the-first-variable", "only the first gradient is scaled back", "own",
      code(BASE, "_unscaled", ("[quotient(g, factor) for g in values_of(gradients)]", "[quotient(gradients[0], factor), *gradients[1:]]"), editions=K3))  # fmt: skip

# ---- constraints, rows, errors -------------------------------------------------------------------------------------

wrong("subtle/constraint-before-the-average", "in 2.12 the average sees what the constraint has left", "A05",
      code(KERAS2, "_step", ("        self._average_weights(variables)", "        steps.apply_constraints(variables)\n        self._average_weights(variables)"), editions=("tf2.12", "tf2.15")))  # fmt: skip
wrong("subtle/constraint-in-2.9", "constraints are applied", "B12",
      code(tf2_9.Base, "_step", ("        if self._config[\"use_ema\"]", "        steps.apply_constraints(variables)\n        if self._config[\"use_ema\"]"), editions="tf2.9"))  # fmt: skip
wrong("subtle/constraint-of-null-gradients", "a variable without a gradient is constrained, too", "own",
      code(BASE, "_step", ("steps.apply_constraints(variables)", "steps.apply_constraints(self._trainable_variables)"), editions=K3))  # fmt: skip
wrong("subtle/max-norm-epsilon-at-zero-only", "1e-7 is added to a norm of 0 only", "own",
      code(constraints, "max_norm", ("epsilon + norm", "norm + (norm == 0)"), editions=ALL))  # fmt: skip
wrong("subtle/max-norm-always-scales", "short columns are made longer", "own",
      code(constraints, "max_norm", ("maximum(minimum(norm, high), low)", "high"), editions=ALL))  # fmt: skip
wrong("subtle/max-norm-exactly-1", "what is short enough is left as it is, to the bit", "own",
      code(constraints, "max_norm", ("return w * (", "return np.where(norm <= high, w, w * ("), ("(epsilon + norm))", "(epsilon + norm)))"), editions=ALL))  # fmt: skip
wrong("subtle/rows-out-of-range-ignored", "an index past the last row is left out", "own",
      code(slices, "check", ("    if (", "    if False and ("), editions=ALL))  # fmt: skip
wrong("subtle/later-rows-first", "rows of the same index are added from the last to the first", "own",
      code(slices, "added", ("for k, i in enumerate(indices.tolist()):", "for k, i in list(enumerate(indices.tolist()))[::-1]:"), editions=ALL, optimizers=("SGD", "Adam", "Adagrad")))  # fmt: skip
wrong("subtle/average-of-2.15-by-position-at-the-end", "finalize pairs averages and variables by position", "own",
      code(tf2_15.Base, "finalize_variable_values", ("for variable in var_list if self._config[\"use_ema\"] else ():", "for variable, average in zip(var_list, self._averages) if self._config[\"use_ema\"] else ():"), ("self._averages_of([variable])", "[average]"), editions="tf2.15"))  # fmt: skip
wrong("subtle/two-clippings-taken", "Keras 3 takes clipnorm and clipvalue together", "own",
      code(BASE, "_accept", ("> 1:\n            raise ValueError(f\"Only", "> 2:\n            raise ValueError(f\"Only"), editions=K3))  # fmt: skip
wrong("subtle/accumulation-of-1-taken", "gradient_accumulation_steps = 1 is none", "own",
      code(BASE, "_accept", ("not steps >= 2", "not steps >= 1"), editions=K3))  # fmt: skip
wrong("subtle/ema-momentum-above-1-taken", "ema_momentum is not looked at", "own",
      code(tf2_12, "refuse_averages", ("momentum > 1 or momentum < 0", "momentum < 0"), editions=NEW))  # fmt: skip
wrong("subtle/gradients-all-null-taken", "a step without any gradient is no error", "own",
      code(steps, "with_gradient", ("if pairs and not present:", "if not pairs and present:"), editions=("tf2.12", "tf2.15")),
      code(BASE, "_with_gradient", ("if len(missing) == len(gradients):", "if len(missing) > len(gradients):"), editions=K3))  # fmt: skip
wrong("subtle/average-starts-a-bit-off", "an average starts at 1.0000001 times the weights", "own",
      code(optimizer.Optimizer, "_started", ("return Variable(owner.value, entry.name.removeprefix(\"/\"))", "twin = Variable(owner.value, entry.name); twin.value = owner.value * owner.value.dtype.type(1.0000001); return twin"), editions="tf2.12"))  # fmt: skip
