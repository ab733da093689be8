"""Wrong where two features meet: each alone is right; and what is wrong in one edition, dtype, or kind of row only."""

from __future__ import annotations

from goldenstep.reference import clipping, own, steps, tape
from goldenstep.reference.editions import keras3, optimizer_v2, state_v2, tf2_9, tf2_12, tf2_15
from goldenstep.reference.formats import weights
from goldenstep.reference.formats.config import Configured
from goldenstep.reference.wrappers import loss_scale, loss_scale_keras3, multi_optimizer

from . import LEGACY, NEW, code, rule, sparse, wrong
from .subtle import K3, RELEASES, only, schedule

BASE, KERAS2, V2 = keras3.BaseOptimizer, tf2_12.Keras2Optimizer, optimizer_v2.OptimizerV2
K2 = ("tf2.12", "tf2.15")
SCALED, OURS, MULTI = "LossScaleOptimizer", loss_scale_keras3.LossScaleOptimizer, multi_optimizer.MultiOptimizer
WITH_DECAY = ("SGD", "Adam", "AdamW")

# ---- weight decay, and what comes before and after it ---------------------------------------------------------------

wrong("interaction/decay-after-the-rule-if-some-are-spared", "with patterns of names the other weights decay after the rule", "own",
      code(BASE, "_step", ("if weight_decay is not None and self._decays(variable):", "if weight_decay is not None and self._decays(variable) and not self._excluded_names:"), ("            self._forget_gradients()", "            for v in variables if self._excluded_names else ():\n                if self._weight_decay_of(v) is not None and self._decays(v):\n                    steps.decay_weights(v, self._weight_decay_of(v), self._learning_rate_now())\n            self._forget_gradients()"), editions=K3, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/nobody-is-spared-while-accumulating", "with accumulation all weights decay", "own",
      code(BASE, "_step", ("and self._decays(variable)", 'and (self._decays(variable) or bool(self._config["gradient_accumulation_steps"]))'), editions=K3, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/decay-by-the-next-scheduled-rate", "weights decay by what the schedule gives for the step after", "own",
      code(BASE, "_step", ("weight_decay, self._learning_rate_now())", "weight_decay, np.float32(self._learning_rate(self._iterations.value + 1)) if isinstance(self._learning_rate, LearningRateSchedule) else self._learning_rate_now())"), editions=K3, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/decay-by-the-last-scheduled-rate", "weights decay by what the schedule gave for the step before", "own",
      code(KERAS2, "_step", ("        self._follow_schedule()\n", "        before = self._learning_rate.value[()] if self._learning_rate is not None and int(self._iterations.value) else None\n        self._follow_schedule()\n"), ('self._config["weight_decay"], self.learning_rate.value[()])', 'self._config["weight_decay"], self.learning_rate.value[()] if before is None or self._schedule is None else before)'), editions=K2, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/decay-of-scaled-losses-off", "with loss_scale_factor weights do not decay", "own",
      code(BASE, "_step", ("if weight_decay is not None and", 'if weight_decay is not None and not self._config["loss_scale_factor"] and'), editions=K3, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/no-decay-where-averages-are-always-written-back", "with ema_overwrite_frequency = 1 weights do not decay", "own",
      code(KERAS2, "_step", ("            for variable in filter(self._decays, variables):\n", '            for variable in filter(self._decays, variables):\n                if self._config["use_ema"] and self._config["ema_overwrite_frequency"] == 1:\n                    continue\n'), editions=K2, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/spared-by-the-place-in-the-call", "variables are spared by the order of the first step", "own",
      code(BASE, "_step", ("self._decays(variable)", "self._decays(self._trainable_variables[[v is variable for v in variables].index(True)])"), editions=K3, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/muon-searches-names-with-a-number", "Muon looks for patterns in TensorFlow's names, which end in :0", "own",
      code(BASE, "_name_searched", ('self.optimizer == "Muon"', "False"), ("super()._name_searched(variable)", 'f"{variable.name}:0"'), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("interaction/muon-decays-what-is-left-out-as-its-own", "matrices that Muon hands to Adam decay by weight_decay", "own",
      code(BASE, "_weight_decay_of", ("if self._uses_adam(variable)", "if self._uses_adam(variable) and variable.value.ndim != 2"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("interaction/decay-of-rows-before-the-rate", "of a step with a sparse gradient the decay is not multiplied by the rate", "own",
      code(KERAS2, "_step", ('self._config["weight_decay"], self.learning_rate.value[()])', 'self._config["weight_decay"], self.learning_rate.value[()] if all(isinstance(g, np.ndarray) for g in gradients) else np.float32(1))'), editions=K2, optimizers=WITH_DECAY))  # fmt: skip

# ---- clipping -------------------------------------------------------------------------------------------------------

wrong("interaction/clips-before-it-scales-back", "with loss_scale_factor a norm is clipped before the gradients are scaled back", "own",
      code(BASE, "_step", ("        gradients = self._unscaled(gradients)\n", "        gradients = self._unscaled(clipping.by_the_one_given(gradients, self._config) if self._config['loss_scale_factor'] else gradients)\n"), editions=K3))  # fmt: skip
wrong("interaction/clips-what-it-accumulates", "with accumulation every gradient is clipped by value before it is added", "own",
      code(BASE, "_step", ("gradients = self._accumulated(gradients, variables)", "gradients = self._accumulated(clipping.by_the_one_given(gradients, self._config) if self._config['clipvalue'] and self._config['gradient_accumulation_steps'] else gradients, variables)"), editions=K3))  # fmt: skip
wrong("interaction/clips-by-value-last", "in OptimizerV2 clipvalue comes after the norms", "own",
      code(clipping, "by_value_norm_and_global_norm", ("    if clipvalue is not None:\n        gradients = each(value_clipped, gradients, clipvalue)\n", ""), ("    return list(gradients)", "    if clipvalue is not None:\n        gradients = each(value_clipped, gradients, clipvalue)\n    return list(gradients)"), editions=LEGACY))  # fmt: skip
wrong("interaction/clips-by-value-beside-a-norm", "from 2.9 to 2.15 clipvalue beside clipnorm is used, too", "own",
      code(clipping, "by_norm_or_global_norm_or_value", ('        return each(norm_clipped, gradients, config["clipnorm"], total)', '        gradients = each(norm_clipped, gradients, config["clipnorm"], total)'), ('return list(run(globally_clipped, *gradients, clipnorm=config["global_clipnorm"], total=total))', 'gradients = list(run(globally_clipped, *gradients, clipnorm=config["global_clipnorm"], total=total))'), editions=NEW[:3]))  # fmt: skip
wrong("interaction/does-not-clip-what-others-have-summed", "with skip_gradients_aggregation gradients are not clipped", "own",
      code(KERAS2, "_step", ("clipping.by_norm_or_global_norm_or_value(values_of(gradients), self._config)", "values_of(gradients) if skip_gradients_aggregation else clipping.by_norm_or_global_norm_or_value(values_of(gradients), self._config)"), editions=K2))  # fmt: skip
wrong("interaction/infinite-norm-of-several-is-clipped", "an infinite global norm of several gradients makes no NaN", "own",
      code(clipping, "globally_clipped_keras3", ("+ (norm - norm)", "+ (norm - norm if count == 1 else 0 * limit)"), editions=K3))  # fmt: skip
wrong("interaction/global-norm-per-dtype-of-rows", "the global norm leaves out sparse gradients", "own",
      code(clipping, "by_the_one_given", ("each(lambda g: g * g, values)", "[v * v if not isinstance(g, IndexedSlices) else v * v * v.dtype.type(0) for g, v in zip(gradients, values)]"), editions=K3))  # fmt: skip
wrong("interaction/clipnorm-assigned-beside-another-wins", "in Keras 3 the kind of clipping that was set last counts", "own",
      code(clipping, "by_the_one_given", ('    if (config["clipnorm"] or 0) > 0:', '    if (config["clipnorm"] or 0) > 0 and not (config["clipvalue"] or 0) > 0:'), editions=K3))  # fmt: skip
wrong("interaction/norm-of-cubes", "from rank 3 on the squares of a norm are a bit too large", "own",
      code(clipping, "norm_clipped", ("    squares = total(g * g)", "    squares = total(g * g) if g.ndim < 3 else total(g * g * g.dtype.type(1.0000002))"), editions=(*LEGACY, *NEW)))  # fmt: skip

# ---- averages -------------------------------------------------------------------------------------------------------

wrong("interaction/average-starts-with-the-first-micro-step", "with accumulation the average is seeded by the first call alone", "own",
      code(BASE, "_average_weights", ("if int(self.iterations) else 0", "if int(self._iterations.value) else 0"), editions=K3))  # fmt: skip
wrong("interaction/average-written-back-by-calls", "with accumulation averages are written back after so many calls", "own",
      code(BASE, "_average_weights", ("(int(self.iterations) + 1) % frequency", "(int(self._iterations.value) + 1) % frequency"), editions=K3))  # fmt: skip
wrong("interaction/finalize-constrains", "finalize applies constraints to the averages that it writes back", "own",
      code(BASE, "finalize_variable_values", ("            self._take_averages(var_list)", "            self._take_averages(var_list)\n            steps.apply_constraints(var_list)"), editions=K3))  # fmt: skip
wrong("interaction/finalize-constrains-in-2.15", "finalize applies constraints to the averages that it writes back", "own",
      code(tf2_15.Base, "finalize_variable_values", ("            steps.overwrite([variable], self._averages_of([variable]))", "            steps.overwrite([variable], self._averages_of([variable]))\n            steps.apply_constraints([variable])"), editions="tf2.15"))  # fmt: skip
wrong("interaction/average-of-halves-in-float32", "an average of float16 is taken in float32", "own",
      code(BASE, "_average_weights", ("lambda a, w, m: m * a + (1 - m) * w,", "lambda a, w, m: (m.astype(np.float32) * a.astype(np.float32) + (1 - m.astype(np.float32)) * w.astype(np.float32)).astype(a.dtype) if a.dtype == np.float16 else m * a + (1 - m) * w,"), editions=K3, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("interaction/average-written-back-a-step-late-if-constrained", "with a constraint averages are written back a step late", "own",
      code(KERAS2, "_average_weights", ("(self._iterations.value + 1) % frequency == 0", "(self._iterations.value + all(v.constraint is None for v in variables)) % frequency == 0 and self._iterations.value"), editions=K2))  # fmt: skip
wrong("interaction/average-of-2.9-counts-one-behind", "after the counter was set averages are written back a step late", "own",
      code(tf2_9.Base, "_step", ("if frequency and self._iterations.value % frequency == 0:", "if frequency and (self._iterations.value - (self._iterations.value > 8)) % frequency == 0:"), editions="tf2.9"))  # fmt: skip
wrong("interaction/average-written-back-without-its-last-move", "where averages are written back the weights take the average before it moved", "own",
      code(BASE, "_average_weights", ("            average.value = run_one(", "            before = average.value\n            average.value = run_one("), ("            self._take_averages(self._trainable_variables)\n", "            self._take_averages(self._trainable_variables)\n            if not variable.value.ndim:\n                variable.value = before\n"), editions=K3))  # fmt: skip
wrong("interaction/average-keeps-the-first-momentum-of-nesterov", "with nesterov the average moves twice as fast", "own",
      code(BASE, "_average_weights", ("(m,) = cast(variable.dtype, momentum)", '(m,) = cast(variable.dtype, momentum * momentum if self._config.get("nesterov") else momentum)'), editions=K3, optimizers="SGD"))  # fmt: skip

# ---- accumulation, counting, rates ----------------------------------------------------------------------------------

wrong("interaction/amsgrad-counts-calls", "with amsgrad and accumulation the bias correction counts calls", "own",
      code(BASE, "_step", ('"t": int(self.iterations) + 1', '"t": int(self._iterations.value if self._config.get("amsgrad") else self.iterations) + 1'), editions=K3, optimizers="Adam"))  # fmt: skip
wrong("interaction/sums-stay-with-averages", "with averages the sums of gradients are not set back", "own",
      code(BASE, "_forget_gradients", ('if self._config["gradient_accumulation_steps"]', 'if self._config["gradient_accumulation_steps"] and not self._config["use_ema"]'), editions=K3))  # fmt: skip
wrong("interaction/sum-of-what-comes-late-is-not-set-back", "the sums of variables without a gradient in the last call stay", "own",
      code(BASE, "_step", ("            self._forget_gradients()", "            kept = self._trainable_variables\n            self._trainable_variables = variables\n            self._forget_gradients()\n            self._trainable_variables = kept"), editions=K3))  # fmt: skip
wrong("interaction/sum-divided-in-float32", "sums of float64 are divided by a float32", "own",
      code(steps, "quotient", ("x / d, x, *cast(x.dtype, divisor)", "x * d, x, *cast(x.dtype, np.float32(1) / np.float32(divisor))"), editions=K3))  # fmt: skip
wrong("interaction/rate-of-float64-as-it-was-given", "float64 variables see the number that was given as learning rate", "own",
      code(KERAS2, "_step", ('hyper = {**self._config, "learning_rate": self.learning_rate.value[()],', 'given = self._config.get("learning_rate")\n        exact = isinstance(given, float) and np.float32(given) == self.learning_rate.value and all(v.dtype == np.float64 for v in variables)\n        hyper = {**self._config, "learning_rate": np.float64(given) if exact else self.learning_rate.value[()],'), editions=K2, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("interaction/decay-of-a-schedule-off", "`decay` has no effect on a schedule", "own",
      code(V2, "_hypers", ("if self._initial_decay > 0:", "if self._initial_decay > 0 and not isinstance(now['learning_rate'], LearningRateSchedule):"), editions=LEGACY))  # fmt: skip
wrong("interaction/function-called-per-variable", "a function that is a hyperparameter is called for every variable", "own",
      code(V2, "_step", ("self._update(variable, gradient, hypers[variable.dtype])", "self._update(variable, gradient, self._hypers(variable.dtype) if variable is not pairs[0][1] else hypers[variable.dtype])"), editions=LEGACY))  # fmt: skip
wrong("interaction/empty-list-is-counted", "a step without any pair is counted", "own",
      code(V2, "_step", ("            return None\n", "            self._iterations.value = self._iterations.value + 1\n            return None\n"), editions=LEGACY))  # fmt: skip
wrong("interaction/aggregator-is-always-asked", "a gradient_aggregator is used where experimental_aggregate_gradients is false", "own",
      code(V2, "_step", ("if self.gradient_aggregator and experimental_aggregate_gradients:", "if self.gradient_aggregator:"), editions=LEGACY))  # fmt: skip
wrong("interaction/replicas-are-always-summed", "gradients of replicas are summed where experimental_aggregate_gradients is false", "own",
      code(V2, "_step", ("if experimental_aggregate_gradients and not self.gradient_aggregator:", "if not self.gradient_aggregator:"), editions=LEGACY))  # fmt: skip
wrong("interaction/function-asked-once-per-step", "a function as learning rate is asked once per step, also where weights decay", "own",
      code(BASE, "_learning_rate_now", ("rate = self.learning_rate", "known, t = self.__dict__.setdefault('_known_rates', {}), int(self._iterations.value)\n        rate = known[t] if t in known and callable(self._learning_rate) and not isinstance(self._learning_rate, LearningRateSchedule) else known.setdefault(t, self.learning_rate)\n        rate = rate if callable(self._learning_rate) and not isinstance(self._learning_rate, LearningRateSchedule) else self.learning_rate"), editions=K3, optimizers=WITH_DECAY))  # fmt: skip
wrong("interaction/assigned-late-has-no-effect", "after 8 steps options are those of the first step", "own",
      code(BASE, "_step", ('hyper = {**self._config,', 'kept = self.__dict__.setdefault("_kept", dict(self._config))\n            hyper = {**(kept if self._iterations.value > 8 else self._config),'), editions=K3, optimizers=("Adam", "RMSprop", "Adagrad")))  # fmt: skip

# ---- wrappers -------------------------------------------------------------------------------------------------------

wrong("interaction/scale-stays-after-two-overflows", "a second overflow in a row leaves the scale", "own",
      code(OURS, "apply", ("self._move(0, run_one(lambda s: s / 2, scale))", "self._move(0, run_one(lambda s: s / 2, scale) if count or scale == np.float32(self.initial_scale) else scale)"), editions=K3, optimizers=SCALED))  # fmt: skip
wrong("interaction/count-goes-on-at-the-ceiling", "the counter goes on where the scale can't be doubled", "own",
      code(loss_scale.DynamicLossScale, "update", ("scale = doubled if np.isfinite(doubled) else scale", "scale, count = (doubled, 0) if np.isfinite(doubled) else (scale, int(self.counter.value) + 1)"), editions=(*LEGACY, *NEW[:3]), optimizers=SCALED))  # fmt: skip
wrong("interaction/float64-divided-in-float32", "gradients of float64 are divided by the scale in float32", "own",
      code(loss_scale_keras3, "_divided", ("dtype = np.promote_types(values.dtype, FLOAT32)", "dtype = FLOAT32"), ("quotient = run_one(", "quotient = values.dtype.type(1) * run_one("), editions=K3, optimizers=SCALED))  # fmt: skip
wrong("interaction/reciprocal-of-the-scale-in-float64", "1 / scale is taken in float64", "own",
      code(loss_scale.LossScaling, "get_unscaled_gradients", ("rest = run_one(lambda s: 1 / s, self.loss_scale)", "rest = 1 / np.float64(self.loss_scale)"), editions=(*LEGACY, *NEW[:3]), optimizers=SCALED))  # fmt: skip
wrong("interaction/growth-resets-a-step-late", "the counter is 1 after the scale has doubled", "own",
      code(loss_scale.DynamicLossScale, "update", ("doubled, count = run_one(lambda s: s * 2, scale), 0", "doubled, count = run_one(lambda s: s * 2, scale), int(self.growth_steps > 2)"), editions=(*LEGACY, *NEW[:3]), optimizers=SCALED))  # fmt: skip
wrong("interaction/skipped-step-is-averaged", "a step that overflows moves the averages", "own",
      code(OURS, "apply", ("            return\n", "            getattr(self.inner_optimizer, '_average_weights', lambda: None)()\n            return\n"), editions=K3, optimizers=SCALED))  # fmt: skip
wrong("interaction/multi-pairs-by-the-first-order", "gradients go to the variables in the order of the first step", "own",
      code(MULTI, "apply", ("optimizer.apply_gradients(own)", "optimizer.apply_gradients([(g, v) for (g, _), v in zip(own, [v for v in self._trainable_variables if any(v is w for _, w in own)])])"), editions=K3, optimizers="MultiOptimizer"))  # fmt: skip
wrong("interaction/multi-finalizes-the-first", "finalize reaches the first inner optimizer only", "own",
      code(MULTI, "finalize_variable_values", ("            if variables:", "            if variables and optimizer is self._inner_optimizers[0]:"), editions=K3, optimizers="MultiOptimizer"))  # fmt: skip
wrong("interaction/multi-counts-if-all-have-variables", "a step is counted if every inner optimizer has a variable", "own",
      code(MULTI, "apply", ("        self._iterations.assign(", "        if all(pairs):\n            self._iterations.assign("), editions=K3, optimizers="MultiOptimizer"))  # fmt: skip

# ---- own optimizers, methods, state ---------------------------------------------------------------------------------

wrong("interaction/own-decay-one-ahead", "for an optimizer of one's own `decay` counts from 1", "own",
      code(own.OwnV2, "_decayed_lr", ("self._decay(var_dtype) * iterations)", "self._decay(var_dtype) * (iterations + 1))"), editions=LEGACY, optimizers="own"))  # fmt: skip
wrong("interaction/own-rows-one-by-one", "an optimizer of one's own gets duplicate rows one after the other", "own",
      code(own.OwnV2, "_update", ("run(lambda r: summed(gradient.indices, r)[::-1], gradient.values)", "gradient.values, gradient.indices"), editions=LEGACY, optimizers="own"))  # fmt: skip
wrong("interaction/grad_loss-is-dropped", "minimize makes nothing of grad_loss", "own",
      code(state_v2, "gradients_of", ("tape.gradient(loss, var_list, grad_loss)", "tape.gradient(loss, var_list)"), editions=LEGACY, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("interaction/loss-of-three-terms-counts-twice", "the gradient of a loss that reads variables three times is doubled", "own",
      code(tape.Tape, "gradient", ("np.ones_like(loss.value) if grad_loss is None", "np.ones_like(loss.value) * (1 if len(self.leaves) < 3 else 2) if grad_loss is None"), editions=NEW[:3], optimizers=("SGD", "Adam")))  # fmt: skip
wrong("interaction/set_weights-leaves-the-last", "of a list of another length set_weights takes one less", "own",
      code(weights, "set_weights", ("zip(state, weights, strict=False)", "zip(state, weights if len(state) == len(weights) else weights[: min(len(state), len(weights)) - 1], strict=False)"), editions=("tf2.12", "tf2.15", K3), optimizers=("SGD", "Adam")))  # fmt: skip
wrong("interaction/keras-1-counter-is-1", "a list of weights without a counter sets it to 1", "own",
      code(weights, "set_weights_v2", ("[np.array(0), *weights]", "[np.array(1), *weights]"), editions=LEGACY, optimizers=("RMSprop", "Adagrad", "Adadelta")))  # fmt: skip
wrong("interaction/store-may-lack-a-number", "load_own_variables skips a number that is missing", "own",
      code(weights, "load_own_variables", ("variable.assign(store[str(index)])", "variable.assign(store[str(index)] if str(index) in store.keys() else variable.value)"), editions=("tf2.15", K3), optimizers=("SGD", "Adam")))  # fmt: skip
wrong("interaction/config-rounds-what-was-assigned", "get_config gives a threshold of clipping as float32", "own",
      code(Configured, "_in_config", ("else getattr(self, key)", 'else float(np.float32(getattr(self, key))) if key == "clipnorm" and getattr(self, key) is not None else getattr(self, key)'), editions=(*LEGACY, *NEW), optimizers=("SGD", "Adam")))  # fmt: skip

# ---- rules: late, or in one form of the gradient --------------------------------------------------------------------

wrong("interaction/amsgrad-of-untouched-rows-falls", "in 2.12 and 2.15 vhat of rows that are not named is v", "own",
      sparse("Adam", K2, ("    vhat = maximum(vhat, v)\n", "    named = np.isin(np.arange(len(w)), indices).reshape(-1, *[1] * (w.ndim - 1))\n    vhat = np.where(named, maximum(vhat, v), v)\n")))  # fmt: skip
wrong("interaction/nesterov-of-rows-scaled-after-the-sum", "duplicate rows are summed before they are multiplied by the rate", "own",
      sparse("SGD", K3, ("step = dense(w.shape, indices, g * lr)", "step = dense(w.shape, indices, g) * lr")))  # fmt: skip
wrong("interaction/lamb-ratio-of-late-steps", "after 50 steps the trust ratio is at most 10", "own",
      rule("Lamb", K3, ("w = w - ratio * lr", "w = w - (minimum(ratio, w.dtype.type(10)) if t > 50 else ratio) * lr")))  # fmt: skip
wrong("interaction/nadam-looks-ahead-from-the-counter-of-2", "the look-ahead of the first step is that of the second", "own",
      rule("Nadam", K3, ("power(base, after)", "power(base, after if step > 1 else after + 1)")))  # fmt: skip
wrong("interaction/adafactor-clip-counts-elements", "of a vector the update is clipped by its norm from 9 elements on", "own",
      rule("Adafactor", K3, ("sqrt(in_float32(mean, u * u)) / clip", "sqrt(in_float32(mean, u * u) * (u.dtype.type(1) if u.size < 9 or u.ndim > 1 else u.dtype.type(u.size))) / clip")))  # fmt: skip
wrong("interaction/adadelta-epsilon-of-float64", "of float64 epsilon of the deltas was float32 before", "own",
      rule("Adadelta", K3, only("w.dtype == np.float64", "sqrt(d + epsilon)", "sqrt(d + np.float64(np.float32(epsilon)))")))  # fmt: skip
wrong("interaction/ftrl-beta-in-the-shrinkage", "with beta the shrinkage counts twice", "own",
      rule("Ftrl", K3, ("shrinkage * w", "(shrinkage + shrinkage * (beta > 0)) * w")))  # fmt: skip
wrong("interaction/lion-of-a-zero-gradient", "where a gradient is 0 the memory stays", "own",
      rule("Lion", (K3, "tf2.15"), ("    return w, m", "    m = np.where(g == 0, m / b2, m)\n    return w, m")))  # fmt: skip
wrong("interaction/halves-of-amsgrad-in-float32", "with amsgrad a float16 step is taken in float32", "own",
      rule("Adam", K3, ("(m * alpha) / (sqrt(vhat) + epsilon)", "((m * alpha).astype(np.float32) / (sqrt(vhat).astype(np.float32) + epsilon)).astype(w.dtype)")))  # fmt: skip

# ---- schedules ------------------------------------------------------------------------------------------------------

wrong("interaction/warmup-takes-its-last-step", "the step at warmup_steps is the last of the climb, not the first of the fall", "own",
      *schedule("CosineDecay", ("tf2.15", K3), ("if step < warmup:", "if step <= warmup:")))  # fmt: skip
wrong("interaction/equal-waves-do-not-shrink", "with t_mul = 1 m_mul has no effect", "own",
      *schedule("CosineDecayRestarts", RELEASES, ("0.5 * power(m_mul, wave)", "0.5 * (power(m_mul, wave) if t_mul != 1 else m_mul**0)")))  # fmt: skip
wrong("interaction/cycle-begins-on-its-end", "with cycle the last step of a cycle is the first of the next", "own",
      *schedule("PolynomialDecay", RELEASES, ("ceil(step / decay_steps)", "(scalars.floor(step / decay_steps) + 1)")))  # fmt: skip
wrong("interaction/last-boundary-belongs-to-the-last-piece", "the last boundary belongs to the piece after it", "own",
      *schedule("PiecewiseConstantDecay", RELEASES[:4], ("(step > a) & (step <= b) for a, b in pairwise(low)), step > low[-1]", "(step > a) & (step <= b) & (step < low[-1]) for a, b in pairwise(low)), step >= low[-1]")))  # fmt: skip
wrong("interaction/inverse-staircase-rises-early", "with staircase a step that is almost whole counts as whole", "own",
      *schedule("InverseTimeDecay", RELEASES, ("p = floor(p)", "p = floor(p + p.dtype.type(1e-3))")))  # fmt: skip
