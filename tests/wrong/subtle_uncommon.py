"""Wrong where a port seldom looks: numbers with all digits, weights that are not finite, options that are taken back.

Each passed every golden, or every property, when it was first tried.
"""

from __future__ import annotations

from goldenstep.reference import clipping, constraints, exclusion, optimizer, slices
from goldenstep.reference.editions import keras3, optimizer_v2, tf2_12
from goldenstep.reference.formats import weights
from goldenstep.reference.wrappers import loss_scale_keras3

from . import LEGACY, NEW, code, rule, sparse, wrong
from .subtle import K2, K3, schedule

BASE, KERAS2, V2 = keras3.BaseOptimizer, tf2_12.Keras2Optimizer, optimizer_v2.OptimizerV2
DECAYING, ALL = ("tf2.12", "tf2.15", "keras3"), (*LEGACY, *NEW)
FROM_2_12, RELEASES = ("tf2.12", "tf2.15"), ("tf2.4", "tf2.9", "tf2.12", "tf2.15", "keras3")

# ---- a rule ----------------------------------------------------------------------------------------------------------

wrong("uncommon/amsgrad-scatter-overlooks-nan", "with amsgrad a NaN of a sparse gradient stays out of the maximum", "own",
      sparse("Adam", LEGACY, ("maximum(vhat, v)", "larger(vhat, v)")))  # fmt: skip
wrong("uncommon/muon-adam-rate-in-double", "the rate of Muon's Adam is multiplied by its ratio in float64", "own",
      rule("Muon", K3, ("learning_rate * adam_lr_ratio", "np.float32(float(learning_rate) * adam_lr_ratio)")))  # fmt: skip
wrong("uncommon/adagrad-rows-divided-plainly", "where a divisor is 0 rows without a gradient stay", "own",
      sparse("Adagrad", K3, ("divided(indices, lr * g, sqrt(a + epsilon))", "(indices, lr * g / gathered(sqrt(a + epsilon), indices))")))  # fmt: skip
wrong("uncommon/lamb-norm-of-nan", "a norm that is NaN is no reason to leave out the ratio", "own",
      rule("Lamb", K3, ("if norm_w > 0 and", "if not norm_w == 0 and")))  # fmt: skip
for name, base, editions in (("keras3", BASE, K3), ("keras2", KERAS2, FROM_2_12)):
    count = "int(self.iterations)" if base is BASE else "int(self._iterations.value)"
    wrong(f"uncommon/{name}-steps-in-int32", "the number of the step is an int32, and wraps around", "own",
          code(base, "_step", (f'"t": {count} + 1', f'"t": int(np.array({count}).astype(np.int32)) + 1'), editions=editions, optimizers=("Adam", "Nadam", "Adafactor")))  # fmt: skip

# ---- the pipeline ----------------------------------------------------------------------------------------------------

wrong("uncommon/keras3-decay-0-is-none", "a weight decay of 0 leaves infinite weights alone", "own",
      code(BASE, "_step", ("weight_decay is not None", "weight_decay"), editions=K3))  # fmt: skip
wrong("uncommon/keras2-decay-0-is-none", "a weight decay of 0 leaves infinite weights alone", "own",
      code(KERAS2, "_step", ('self._config["weight_decay"] is not None', 'self._config["weight_decay"]'), editions=FROM_2_12))  # fmt: skip
wrong("uncommon/assigned-decay-0-is-ignored", "a weight decay of 0 that is assigned leaves it as it was", "own",
      code(KERAS2, "_step",
           ('        if self._config["weight_decay"] is not None:', '        if self._config["weight_decay"]:\n            self.__dict__["_kept"] = self._config["weight_decay"]\n        if self._config["weight_decay"] is not None:'),
           ('decay_weights(variable, self._config["weight_decay"],', 'decay_weights(variable, self._config["weight_decay"] or self.__dict__.get("_kept", 0.0),'), editions=FROM_2_12))  # fmt: skip
wrong("uncommon/clipvalue-before-global-norm", "of two kinds of clipping, one assigned later, the value comes first", "own",
      code(clipping, "by_the_one_given", ('    if (config["global_clipnorm"] or 0) > 0:', '    if (config["clipvalue"] or 0) > 0:\n        return with_values(gradients, each(value_clipped, values, config["clipvalue"]))\n    if (config["global_clipnorm"] or 0) > 0:'), editions=K3))  # fmt: skip
wrong("uncommon/schedule-of-whole-steps", "a schedule is called with the counter, not with it in the variables' dtype", "own",
      code(V2, "_scheduled", ("learning_rate(iterations)", "learning_rate(self._iterations)"), editions=LEGACY))  # fmt: skip
wrong("uncommon/schedule-of-another-dtype", "a rate of another dtype is cast to that of the first one", "own",
      code(KERAS2, "_follow_schedule", ("if rate.dtype != self._learning_rate.dtype:", "if False:"), editions=FROM_2_12))  # fmt: skip
wrong("uncommon/scalars-are-not-spared", "a scalar decays though it is spared, where no name is", "own",
      code(exclusion.ExcludesFromWeightDecay, "_decays", ("id(variable) not in self._excluded and not named", "(id(variable) not in self._excluded and not named) or (not self._excluded_names and variable.value.ndim == 0)"), editions=DECAYING))  # fmt: skip
wrong("uncommon/patterns-in-any-case", "a pattern is found in a name of another case", "own",
      code(exclusion.ExcludesFromWeightDecay, "_decays", ("self._name_searched(variable))", "self._name_searched(variable), re.IGNORECASE)"), editions=DECAYING))  # fmt: skip
wrong("uncommon/negative-rows-wrap-around", "a negative index counts from the end where rows become an array", "own",
      code(slices, "dense", ("indices[indices >= 0], rows[indices >= 0]", "indices % shape[0], rows"), editions=K3))  # fmt: skip
wrong("uncommon/way-of-a-norm-in-its-dtype", "1 - rate of MinMaxNorm is taken in the dtype of the variable", "own",
      code(constraints, "min_max_norm", ("rate, 1 - rate, 1e-7", "rate, 1 - w.dtype.type(rate), 1e-7"), editions=ALL, optimizers="SGD"))  # fmt: skip
wrong("uncommon/replicas-summed-backwards", "the gradients of three replicas are summed from the last one on", "own",
      code(optimizer.Optimizer, "_summed", ("total = densified(gradients[0])\n    for gradient in gradients[1:]:", "total = densified(gradients[-1])\n    for gradient in gradients[-2::-1]:"), editions=(*LEGACY, *K2), optimizers="SGD"))  # fmt: skip
wrong("uncommon/counter-through-float32", "a counter that is handed over has been a float32", "own",
      code(weights, "set_weights", ("variable.assign(weight)", "variable.assign(weight if variable.dtype != np.int64 else np.float32(weight))"), editions=DECAYING, optimizers="SGD"))  # fmt: skip
wrong("uncommon/half-singles-unscaled-as-they-are", "a float16 gradient of one element is divided in float16", "own",
      code(loss_scale_keras3, "_divided", ("np.promote_types(values.dtype, FLOAT32)", "np.promote_types(values.dtype, np.float16 if values.size == 1 else FLOAT32)"), editions=K3, optimizers="LossScaleOptimizer"))  # fmt: skip

# ---- schedules -------------------------------------------------------------------------------------------------------

wrong("uncommon/staircase-too-early", "a stair begins a millionth before its step", "own",
      *schedule("ExponentialDecay", RELEASES, ("p = floor(p)", "p = floor(p + lr.dtype.type(1e-6))")))  # fmt: skip
wrong("uncommon/staircase-of-negative-steps", "a stair below 0 is cut towards 0", "own",
      *schedule("InverseTimeDecay", RELEASES, ("p = floor(p)", "p = np.trunc(p)")))  # fmt: skip
wrong("uncommon/cosine-of-negative-steps", "a negative step counts as its opposite", "own",
      *schedule("CosineDecay", RELEASES, ("minimum(step, steps)", "minimum(abs(step), steps)")))  # fmt: skip
wrong("uncommon/cycle-of-negative-steps", "a cycle is stretched at least once, at negative steps too", "own",
      *schedule("PolynomialDecay", RELEASES, ("(1.0 if step == 0 else ceil(step / decay_steps))", "np.maximum(lr.dtype.type(1), ceil(step / decay_steps))")))  # fmt: skip
