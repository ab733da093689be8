"""Wrong pipelines: clipping, decay of weights and of the learning rate, averages, accumulation, counting, state."""

from __future__ import annotations

from goldenstep.reference import bits, clipping, optimizer, steps
from goldenstep.reference.editions import keras3, optimizer_v2, tf2_4, tf2_9, tf2_12, tf2_15

from . import LEGACY, NEW, code, wrong

K3, BASE, KERAS2, V2 = "keras3", keras3.BaseOptimizer, tf2_12.Keras2Optimizer, optimizer_v2.OptimizerV2
DECAYING = ("tf2.12", "tf2.15", "keras3")
ALL = (*LEGACY, *NEW)

# ---- clipping ----------------------------------------------------------------------------------------------

wrong(
    "clipping/norm-and-a-bit",
    "g * clipnorm / (norm + 1e-6): torch",
    "D08",
    code(clipping, "norm_clipped", ("maximum(norm, limit)", "maximum(norm + g.dtype.type(1e-6), limit)"), editions=ALL),
)
wrong(
    "clipping/quotient-first",
    "g * (clipnorm / norm)",
    "own",
    code(
        clipping,
        "norm_clipped",
        ("g * limit / maximum(norm, limit)", "g * (limit / maximum(norm, limit))"),
        editions=ALL,
    ),
)
wrong(
    "clipping/divided-first",
    "g / norm * clipnorm",
    "own",
    code(
        clipping, "norm_clipped", ("g * limit / maximum(norm, limit)", "g / maximum(norm, limit) * limit"), editions=ALL
    ),
)
wrong(
    "clipping/always-scaled",
    "short gradients are made longer, too",
    "own",
    code(clipping, "norm_clipped", ("maximum(norm, limit)", "norm"), editions=ALL),
)
wrong(
    "clipping/root-mean-square",
    "the norm is divided by the number of elements",
    "own",
    code(
        clipping,
        "norm_clipped",
        ("squares = total(g * g)", "squares = total(g * g) / g.dtype.type(max(g.size, 1))"),
        editions=ALL,
    ),
)
wrong(
    "clipping/largest-element",
    "the maximum norm in place of the Euclidean",
    "own",
    code(clipping, "norm_clipped", ("squares = total(g * g)", "squares = np.max(g * g, initial=0)"), editions=ALL),
)
wrong(
    "clipping/sum-of-sizes",
    "the norm of absolute values",
    "own",
    code(clipping, "norm_clipped", ("squares = total(g * g)", "squares = total(abs(g)) * total(abs(g))"), editions=ALL),
)
wrong(
    "clipping/norm-of-rows",
    "each row of a matrix has its norm",
    "own",
    code(
        clipping,
        "norm_clipped",
        ("squares = total(g * g)", "squares = total((g * g)[0]) if g.ndim > 1 else total(g * g)"),
        editions=ALL,
    ),
)
wrong(
    "clipping/sum-in-pairs",
    "squares are added up as numpy does",
    "own",
    code(
        clipping,
        "norm_clipped",
        ("total(g * g)", "np.asarray((g * g).ravel().cumsum(dtype=g.dtype)[-1:].sum(dtype=g.dtype))"),
        editions=ALL,
    ),
)
wrong(
    "clipping/sum-in-float64",
    "the norm is taken in float64",
    "own",
    code(
        clipping,
        "norm_clipped",
        ("total(g * g)", "np.asarray(np.sum(np.square(np.asarray(g, np.float64)))).astype(g.dtype)"),
        editions=ALL,
    ),
)
wrong(
    "clipping/value-from-above-only",
    "min(g, clipvalue)",
    "own",
    code(clipping, "value_clipped", ("maximum(minimum(g, high), low)", "minimum(g, high)"), editions=ALL),
)
wrong(
    "clipping/value-of-sizes",
    "the sign is lost",
    "own",
    code(clipping, "value_clipped", ("maximum(minimum(g, high), low)", "minimum(abs(g), high)"), editions=ALL),
)
wrong(
    "clipping/value-loses-nan",
    "a NaN is clipped, too",
    "own",
    code(
        clipping,
        "value_clipped",
        ("maximum(minimum(g, high), low)", "np.fmax(np.fmin(g, high), low)"),
        editions=ALL,
    ),
)
wrong(
    "clipping/value-relative",
    "clipvalue times the largest element",
    "own",
    code(
        clipping,
        "value_clipped",
        (
            "low, high = cast(g.dtype, -clipvalue or 0.0, clipvalue)",
            "high = g.dtype.type(clipvalue) * np.max(abs(g), initial=0); low = -high",
        ),
        editions=ALL,
    ),
)
wrong(
    "clipping/global-each-alone",
    "global_clipnorm works as clipnorm",
    "own",
    code(
        clipping,
        "globally_clipped_keras3",
        (
            "return tuple(g * scale for g in gradients)",
            "return tuple(norm_clipped(g, clipnorm, total) for g in gradients)",
        ),
        editions=K3,
    ),
)
wrong(
    "clipping/global-in-one-sum",
    "the norm of all is taken over all elements at once",
    "own",
    code(
        clipping,
        "globally_clipped_keras3",
        (
            "total(np.stack([total(square) for square in squares]))",
            "total(np.concatenate([square.ravel() for square in squares]))",
        ),
        editions=K3,
    ),
)
wrong(
    "clipping/global-whole-squares",
    "without the half of tf.nn.l2_loss",
    "own",
    code(
        clipping,
        "globally_clipped",
        ("total(g * g * half) for g in gradients])) * two", "total(g * g) for g in gradients]))"),
        editions=("tf2.12", "tf2.4", "tf2.9.legacy"),
    ),
)
wrong(
    "clipping/global-half-squares",
    "with the half of tf.nn.l2_loss",
    "own",
    code(
        clipping,
        "globally_clipped_keras3",
        ("total(square) for square in squares]))", "total(square * one / 2) for square in squares])) * 2"),
        editions=K3,
    ),
)
wrong(
    "clipping/global-by-quotient",
    "g * (clipnorm / norm)",
    "own",
    code(
        clipping,
        "globally_clipped_keras3",
        ("scale = limit * minimum(one / norm, inverse)", "scale = limit / maximum(norm, limit)"),
        editions=K3,
    ),
)
wrong(
    "clipping/global-inverse-in-float32",
    "1 / clipnorm is taken in the dtype of w",
    "own",
    code(
        clipping,
        "globally_clipped_keras3",
        ("minimum(one / norm, inverse)", "minimum(one / norm, one / limit)"),
        editions=K3,
    ),
)
wrong(
    "clipping/global-inverse-in-float64",
    "1 / clipnorm is taken in float64",
    "own",
    code(
        clipping,
        "globally_clipped",
        ("one / limit)", "gradients[0].dtype.type(1 / (clipnorm or np.nan)))"),
        editions=("tf2.12", "tf2.4"),
    ),
)
wrong(
    "clipping/global-always-scaled",
    "short gradients are made longer, too",
    "own",
    code(clipping, "globally_clipped_keras3", ("minimum(one / norm, inverse)", "(one / norm)"), editions=K3),
)
wrong(
    "clipping/global-mean",
    "the mean of the norms in place of the norm of them",
    "own",
    code(
        clipping,
        "globally_clipped_keras3",
        ("norm = sqrt(", "norm = sqrt(gradients[0].dtype.type(1 / len(gradients))) * sqrt("),
        editions=K3,
    ),
)
wrong(
    "clipping/global-survives-infinity",
    "an infinite gradient spoils only itself",
    "A22",
    code(clipping, "globally_clipped_keras3", (" + (norm - norm)", ""), editions=K3),
)
wrong(
    "clipping/global-survives-infinity-in-2.12",
    "an infinite gradient spoils only itself",
    "A22",
    code(clipping, "globally_clipped", (" + (norm - norm)", ""), editions="tf2.12"),
)
wrong(
    "clipping/global-one-too-many-roots",
    "the norms are added, not their squares",
    "own",
    code(clipping, "globally_clipped_keras3", ("[total(square) for", "[sqrt(total(square)) for"), editions=K3),
)
wrong(
    "clipping/two-kinds-in-2.12",
    "clipvalue works beside clipnorm",
    "B18",
    code(
        clipping,
        "by_norm_or_global_norm_or_value",
        (
            '    if (config["clipnorm"]',
            '    if config["clipnorm"] and config["clipvalue"]:\n        gradients = each(value_clipped, gradients, config["clipvalue"])\n    if (config["clipnorm"]',  # noqa: E501
        ),
        editions=("tf2.9", "tf2.12", "tf2.15"),
    ),
)
wrong(
    "clipping/one-kind-in-legacy",
    "clipnorm is left out if there is a clipvalue",
    "B18",
    code(
        clipping,
        "by_value_norm_and_global_norm",
        ("if clipnorm is not None:", "if clipnorm is not None and clipvalue is None:"),
        editions=LEGACY,
    ),
)
wrong(
    "clipping/norm-before-value",
    "clipnorm is taken first",
    "B18",
    code(
        clipping,
        "by_value_norm_and_global_norm",
        ("    if clipvalue is not None:\n        gradients = each(value_clipped, gradients, clipvalue)\n", ""),
        (
            "    return list(gradients)",
            "    if clipvalue is not None:\n        gradients = each(value_clipped, gradients, clipvalue)\n    return list(gradients)",  # noqa: E501
        ),
        editions=LEGACY,
    ),
)
wrong(
    "clipping/norm-of-0-is-off-in-legacy",
    "clipnorm = 0 does not freeze",
    "B18",
    code(clipping, "by_value_norm_and_global_norm", ("if clipnorm is not None:", "if clipnorm:"), editions=LEGACY),
)
wrong(
    "clipping/norm-of-0-freezes",
    "clipnorm = 0 makes every gradient 0",
    "B18",
    code(
        clipping, "by_the_one_given", ('(config["clipnorm"] or 0) > 0', 'config["clipnorm"] is not None'), editions=K3
    ),
)
wrong(
    "clipping/sums-of-2.4-in-four",
    "sums run as in later releases",
    "own",
    code(
        tf2_4.Base,
        "_total",
        ("total_in_two(x: Array)", "total_in_two(x: Array)"),
        ("halves(x.ravel(), 1024, two_packets)", "total(x)"),
        editions="tf2.4",
    ),
)

# ---- decay -------------------------------------------------------------------------------------------------

DECAY = "w - w * d * lr"
wrong(
    "decay/keeps-what-it-should-take",
    "w *= lr * weight_decay, as in 2.9",
    "B04",
    code(steps, "decay_weights", (DECAY, "w - w * (1 - lr * d)"), editions=DECAYING, optimizers=("AdamW", "SGD")),
)
wrong(
    "decay/grows",
    "w *= 1 + lr * weight_decay",
    "BUGS 0.3, E25",
    code(steps, "decay_weights", (DECAY, "w + w * d * lr"), editions=DECAYING, optimizers=("AdamW", "SGD")),
)
wrong(
    "decay/without-learning-rate",
    "w -= weight_decay * w",
    "B04, E13",
    code(steps, "decay_weights", (DECAY, "w - w * d"), editions=DECAYING, optimizers=("AdamW", "SGD")),
)
wrong(
    "decay/factor-first",
    "w * (1 - lr * weight_decay)",
    "own",
    code(steps, "decay_weights", (DECAY, "w * (1 - d * lr)"), editions=DECAYING, optimizers=("AdamW", "SGD")),
)
wrong(
    "decay/learning-rate-first",
    "w * lr * weight_decay",
    "own",
    code(steps, "decay_weights", (DECAY, "w - w * lr * d"), editions=DECAYING, optimizers=("AdamW", "SGD")),
)
wrong(
    "decay/product-first",
    "w * (lr * weight_decay)",
    "own",
    code(steps, "decay_weights", (DECAY, "w - w * (d * lr)"), editions=DECAYING, optimizers=("AdamW", "SGD")),
)
wrong(
    "decay/never-float32",
    "weight_decay never was float32",
    "own",
    code(
        steps,
        "decay_weights",
        (
            "cast_tensor(variable.dtype, weight_decay, learning_rate)",
            "cast(variable.dtype, weight_decay, learning_rate)",
        ),
        editions=DECAYING,
        optimizers=("AdamW", "SGD"),
    ),
)
wrong(
    "decay/towards-the-sign",
    "l1 in place of l2: w -= lr * weight_decay * sign(w)",
    "E23",
    code(steps, "decay_weights", (DECAY, "w - np.sign(w) * d * lr"), editions=DECAYING, optimizers=("AdamW", "SGD")),
)
wrong(
    "decay/spares-vectors",
    "only matrices decay",
    "own",
    code(
        steps,
        "decay_weights",
        ("    decay, rate", "    if variable.value.ndim < 2:\n        return\n    decay, rate"),
        editions=DECAYING,
        optimizers=("AdamW", "SGD"),
    ),
)
wrong(
    "decay/halved",
    "the derivative of weight_decay / 2 * w**2 without its 2",
    "own",
    code(
        steps,
        "decay_weights",
        (DECAY, "w - w * d * lr * w.dtype.type(0.5)"),
        editions=DECAYING,
        optimizers=("AdamW", "SGD"),
    ),
)
wrong(
    "decay/in-the-gradient",
    "g += weight_decay * w: l2, not decoupled",
    "E16",
    code(
        BASE,
        "_step",
        (
            "decay_weights(variable, weight_decay, self._learning_rate_now())",
            "gradients = [g + v.value * v.dtype.type(weight_decay) if v is variable else g for g, v in zip(gradients, variables)]",  # noqa: E501
        ),
        editions=K3,
        optimizers=("AdamW", "Adam"),
    ),
)
wrong(
    "decay/scales-the-gradient",
    "g *= 1 + weight_decay * w",
    "E17",
    code(
        BASE,
        "_step",
        (
            "decay_weights(variable, weight_decay, self._learning_rate_now())",
            "gradients = [g * (1 + v.value * v.dtype.type(weight_decay)) if v is variable else g for g, v in zip(gradients, variables)]",  # noqa: E501
        ),
        editions=K3,
        optimizers=("AdamW", "Adam"),
    ),
)
wrong(
    "decay/after-the-rule",
    "the decay sees the new weights",
    "E15",
    code(
        BASE,
        "_step",
        (
            "            for variable in variables:\n                weight_decay =",
            "            for variable in []:\n                weight_decay =",
        ),
        (
            "                self._update(variable, gradient, hyper)\n",
            "                self._update(variable, gradient, hyper)\n                weight_decay = self._weight_decay_of(variable)\n                if weight_decay is not None:\n                    steps.decay_weights(variable, weight_decay, self._learning_rate_now())\n",  # noqa: E501
        ),
        editions=K3,
        optimizers=("AdamW", "SGD"),
    ),
)
wrong(
    "decay/before-the-clip-in-2.12",
    "the decay is forgotten with clipping",
    "own",
    code(
        KERAS2,
        "_step",
        (
            'if self._config["weight_decay"] is not None:',
            'if self._config["weight_decay"] is not None and not self._config["clipnorm"]:',
        ),
        editions="tf2.12",
        optimizers=("AdamW", "SGD"),
    ),
)
wrong(
    "decay/of-every-variable",
    "variables without a gradient decay, too",
    "own",
    code(
        BASE,
        "_step",
        ("for variable in variables:\n", "for variable in self._trainable_variables:\n"),
        editions=K3,
        optimizers=("SGD", "Adam"),
    ),
)
wrong(
    "decay/one-for-both-kinds",
    "Muon's Adam variables decay by weight_decay",
    "C13",
    code(
        BASE,
        "_weight_decay_of",
        ('"adam_weight_decay"', '"weight_decay"'),
        editions=K3,
        optimizers="Muon",
    ),
)
wrong(
    "decay/of-learning-rate-one-ahead",
    "lr / (1 + decay * (iterations + 1))",
    "own",
    code(V2, "_hypers", ("(1 + decay * iterations)", "(1 + decay * (iterations + 1))"), editions=LEGACY),
)
wrong(
    "decay/of-learning-rate-multiplied",
    "lr * (1 + decay * iterations)",
    "E28",
    code(V2, "_hypers", ("learning_rate / (1 +", "learning_rate * (1 +"), editions=LEGACY),
)
wrong(
    "decay/of-learning-rate-exponential",
    "lr * (1 - decay)**iterations",
    "own",
    code(
        V2,
        "_hypers",
        ("learning_rate / (1 + decay * iterations)", "learning_rate * (1 - decay) ** iterations"),
        editions=LEGACY,
    ),
)
wrong(
    "decay/of-learning-rate-off",
    "`decay` does nothing",
    "A21",
    code(V2, "_hypers", ("self._initial_decay > 0", "False"), editions=LEGACY),
)
wrong(
    "decay/of-learning-rate-by-reciprocal",
    "lr * (1 / (1 + decay * iterations))",
    "own",
    code(
        V2,
        "_hypers",
        ("learning_rate / (1 + decay * iterations)", "learning_rate * (1 / (1 + decay * iterations))"),
        editions=LEGACY,
    ),
)

# ---- averages ----------------------------------------------------------------------------------------------

KERAS2_NEW = ("tf2.9", "tf2.12", "tf2.15")
MOVED = "k * a + r * w,"
wrong(
    "ema/momentum-swapped",
    "the average keeps 1 - momentum",
    "own",
    code(
        steps,
        "move_averages",
        ("cast(variable.dtype, momentum, 1 - momentum)", "cast(variable.dtype, 1 - momentum, momentum)"),
        editions=KERAS2_NEW,
    ),
)
wrong(
    "ema/by-difference",
    "a + (w - a) * (1 - momentum)",
    "own",
    code(steps, "move_averages", (MOVED, "a + (w - a) * r,"), editions=KERAS2_NEW),
)
wrong(
    "ema/rest-in-float32",
    "1 - momentum is taken in float32",
    "B20",
    code(
        steps,
        "move_averages",
        ("cast(variable.dtype, momentum, 1 - momentum)", "cast(variable.dtype, momentum, 1 - np.float32(momentum))"),
        editions=KERAS2_NEW,
    ),
)
wrong(
    "ema/keras3-rest-in-float64",
    "1 - momentum is taken in float64",
    "B20",
    code(BASE, "_average_weights", ("(1 - m) * w", "m.dtype.type(1 - momentum) * w"), editions=K3),
)
wrong(
    "ema/keras3-starts-at-the-first-weights",
    "the average starts at the first weights, as in 2.12",
    "A06",
    code(
        BASE,
        "_average_weights",
        (
            "\n        for average, variable",
            "\n        momentum = self._config['ema_momentum']\n        for average, variable",
        ),
        editions=K3,
    ),
    code(
        BASE,
        "build",
        (
            "            self.built = True",
            "            for average, variable in zip(self._averages, variables):\n                average.value = variable.value\n            self.built = True",  # noqa: E501
        ),
        editions=K3,
    ),
)
wrong(
    "ema/keras3-starts-at-0",
    "the average is not seeded with the first step",
    "C02",
    code(BASE, "_average_weights", (" if int(self.iterations) else 0", ""), editions=K3),
)
wrong(
    "ema/2.12-starts-after-a-step",
    "the average takes the first step whole, as in keras3",
    "A06",
    code(
        KERAS2,
        "_average_weights",
        ('self._config["ema_momentum"])', 'self._config["ema_momentum"] if self._iterations.value else 0.0)'),
        editions=("tf2.12", "tf2.15"),
    ),
)
wrong(
    "ema/2.9-starts-at-0",
    "the average starts at 0",
    "C02",
    code(
        optimizer.Optimizer,
        "_started",
        ('if entry.start == "variable":', 'if entry.start == "variable" and entry.kind != "average":'),
        ("np.full(entry.shape, entry.start,", "np.full(entry.shape, 0 if entry.start == 'variable' else entry.start,"),
        editions=("tf2.9",),
    ),
)
wrong(
    "ema/warms-up",
    "momentum is min(momentum, (1 + t) / (10 + t)), as TF's own averages have it",
    "E20",
    code(
        BASE,
        "_average_weights",
        (
            "\n        for average, variable",
            "\n        momentum = min(momentum, (1 + int(self.iterations)) / (10 + int(self.iterations)))\n        for average, variable",  # noqa: E501
        ),
        editions=K3,
    ),
)
wrong(
    "ema/before-the-step",
    "the average is one step behind",
    "own",
    code(
        BASE,
        "_step",
        ("        self._average_weights()\n", ""),
        (
            "        gradients = self._accumulated(",
            "        self._average_weights()\n        gradients = self._accumulated(",
        ),
        editions=K3,
    ),
)
wrong(
    "ema/overwrites-one-late",
    "the weights are overwritten a step later",
    "own",
    code(
        BASE,
        "_average_weights",
        ("(int(self.iterations) + 1) % frequency", "int(self.iterations) % frequency"),
        editions=K3,
    ),
)
wrong(
    "ema/overwrites-one-early-in-2.9",
    "the count is looked at before it is raised",
    "own",
    code(
        tf2_9.Base,
        "_step",
        ("self._iterations.value % frequency", "(self._iterations.value + 1) % frequency"),
        editions="tf2.9",
    ),
)
wrong(
    "ema/overwrites-every-step",
    "ema_overwrite_frequency is taken for 1",
    "own",
    code(
        KERAS2,
        "_average_weights",
        ("(self._iterations.value + 1) % frequency == 0", "True"),
        editions=("tf2.12", "tf2.15"),
    ),
)
wrong(
    "ema/never-overwrites",
    "ema_overwrite_frequency does nothing",
    "own",
    code(BASE, "_average_weights", ("and frequency and", "and False and"), editions=K3),
)
wrong(
    "ema/average-follows-the-overwrite",
    "after an overwrite the average starts anew from 0",
    "own",
    code(
        BASE,
        "_average_weights",
        (
            "            self._take_averages(self._trainable_variables)\n",
            "            self._take_averages(self._trainable_variables)\n            for average in self._averages:\n                average.value = average.value * 0\n",  # noqa: E501
        ),
        editions=K3,
    ),
)
wrong(
    "ema/2.15-by-position",
    "averages are paired with variables by position, as in 2.12",
    "own",
    code(
        tf2_15.Base,
        "_averages_of",
        ("return [own[id(variable)] for variable in variables]", "return self._averages"),
        editions="tf2.15",
    ),
)
wrong(
    "ema/once-per-update",
    "micro-steps do not move the average: as documented",
    "A04",
    code(
        BASE,
        "_step",
        (
            "            self._average_weights()\n",
            "            if gradients:\n                self._average_weights()\n",
        ),
        editions=K3,
    ),
)
wrong(
    "ema/after-the-constraint",
    "the average sees weights that the constraint has seen: as documented",
    "A05",
    code(
        BASE,
        "_step",
        (
            "            self._average_weights()\n            steps.apply_constraints(variables)\n",
            "            steps.apply_constraints(variables)\n            self._average_weights()\n",
        ),
        editions=K3,
    ),
)

# ---- accumulation and loss scale ---------------------------------------------------------------------------

wrong(
    "accumulation/off",
    "gradient_accumulation_steps does nothing",
    "own",
    code(BASE, "_accumulated", ("if not every:", "if True:"), editions=K3),
)
wrong(
    "accumulation/sum-for-mean",
    "the sum of the gradients is taken",
    "E19",
    code(steps, "quotient", ("x / d,", "x / d * d,"), editions=K3),
)
wrong(
    "accumulation/one-call-early",
    "the first update comes a call early",
    "own",
    code(
        BASE,
        "_accumulated",
        ("(self._iterations.value + 1) % every", "(self._iterations.value + 2) % every"),
        editions=K3,
    ),
)
wrong(
    "accumulation/never-reset",
    "the sum goes on after an update",
    "A07",
    code(BASE, "_step", ("self._forget_gradients()", "None"), editions=K3),
)
wrong(
    "accumulation/only-present-reset",
    "without a gradient a sum is kept for the next round: Keras on JAX",
    "A07",
    code(
        BASE,
        "_forget_gradients",
        ("assign(np.zeros(variable.shape))", "assign(np.zeros(variable.shape)) if variable in self._present else None"),
        editions=K3,
    ),
    code(
        BASE,
        "_accumulated",
        ("        if not every:\n", "        self._present = variables\n        if not every:\n"),
        editions=K3,
    ),
)
wrong(
    "accumulation/divided-first",
    "each gradient is divided before it is added",
    "own",
    code(
        BASE,
        "_sum",
        ("(g + a,),", "(g / g.dtype.type(self._config['gradient_accumulation_steps']) + a,),"),
        editions=K3,
    ),
    code(steps, "quotient", ("x / d,", "x * d / d,"), editions=K3),
)
wrong(
    "accumulation/counts-calls",
    "t counts calls, not updates",
    "C01",
    code(
        BASE,
        "_step",
        ('"t": int(self.iterations) + 1', '"t": int(self._iterations.value) + 1'),
        editions=K3,
        optimizers="Adam",
    ),
)
wrong(
    "accumulation/decays-every-call",
    "weights decay on every call",
    "C01",
    code(
        BASE,
        "_step",
        (
            "        if gradients:\n",
            "        if not gradients:\n            for variable in variables:\n                if self._weight_decay_of(variable):\n                    steps.decay_weights(variable, self._weight_decay_of(variable), self._learning_rate_now())\n        if gradients:\n",  # noqa: E501
        ),
        editions=K3,
        optimizers=("SGD", "Adam", "AdamW"),
    ),
)
wrong(
    "accumulation/clips-every-call",
    "gradients are clipped before they are added",
    "C01",
    code(
        BASE,
        "_step",
        (
            "        gradients = self._accumulated(",
            "        if self._config['gradient_accumulation_steps']:\n            gradients = clipping.by_the_one_given(gradients, self._config)\n        gradients = self._accumulated(",  # noqa: E501
        ),
        editions=K3,
    ),
)
wrong(
    "loss-scale/off",
    "loss_scale_factor does nothing",
    "C05",
    code(BASE, "_unscaled", ("if factor is None:", "if True:"), editions=K3),
)
wrong(
    "loss-scale/multiplied",
    "gradients are multiplied by it",
    "own",
    code(BASE, "_unscaled", ("quotient(g, factor)", "quotient(g, 1 / factor)"), editions=K3),
)
wrong(
    "loss-scale/by-reciprocal",
    "times 1 / loss_scale_factor",
    "own",
    code(BASE, "_unscaled", ("else steps.quotient", "else steps.quotient_graph"), editions=K3),
)
wrong(
    "loss-scale/after-the-clip",
    "clipping sees the scaled gradients",
    "own",
    code(
        BASE,
        "_step",
        (
            "self._unscaled(gradients)",
            "gradients",
        ),
        (
            "clipping.by_the_one_given(gradients, self._config)",
            "self._unscaled(clipping.by_the_one_given(gradients, self._config))",
        ),
        editions=K3,
    ),
)

# ---- counting, state, numbers ------------------------------------------------------------------------------

wrong(
    "step/counts-variables",
    "every variable raises t",
    "own",
    code(
        BASE,
        "_step",
        (
            "                self._update(variable, gradient, hyper)\n",
            "                self._update(variable, gradient, hyper)\n                hyper['t'] += 1\n",
        ),
        editions=K3,
        optimizers="Adam",
    ),
)
wrong(
    "step/starts-at-0",
    "t is 0 on the first update",
    "E27",
    code(
        KERAS2,
        "_step",
        ('"t": int(self._iterations.value) + 1', '"t": int(self._iterations.value)'),
        editions=("tf2.12", "tf2.15"),
        optimizers="Adam",
    ),
)
wrong(
    "step/legacy-one-ahead",
    "t is 2 on the first update",
    "E27",
    code(
        V2,
        "_hypers",
        ("step = int(self._iterations.value) + 1", "step = int(self._iterations.value) + 2"),
        editions=LEGACY,
        optimizers="Adam",
    ),
)
wrong(
    "step/not-counted",
    "the iteration stays 0",
    "B22",
    code(
        BASE,
        "_step",
        ("self._iterations.value = self._iterations.value + 1", "self._iterations.value = self._iterations.value + 0"),
        editions=K3,
    ),
)
wrong(
    "step/last-variable-left-out",
    "of several variables the last is not updated",
    "own",
    code(
        BASE,
        "_step",
        ("self._update(", "len(variables) > 1 and variable is variables[-1] or self._update("),
        editions=K3,
    ),
)
wrong(
    "state/starts-at-a-bit",
    "slots start at 1e-8",
    "own",
    code(
        optimizer.Optimizer,
        "_started",
        (
            "np.full(entry.shape, entry.start, entry.dtype)",
            "np.full(entry.shape, (entry.start or 1e-8) if entry.kind == 'slot' else entry.start, entry.dtype)",
        ),
        editions=K3,
        optimizers=("Adam", "RMSprop"),
    ),
)
wrong(
    "state/adagrad-never-float32",
    "the accumulator starts at 0.1 in float64",
    "own",
    code(
        optimizer.Optimizer,
        "_started",
        (
            "np.full(entry.shape, entry.start, entry.dtype)",
            "np.full(entry.shape, self._config.get('initial_accumulator_value', 0) if entry.slot in ('a', 'accumulator') else entry.start, entry.dtype)",  # noqa: E501
        ),
        editions=NEW,
        optimizers=("Adagrad", "Ftrl"),
    ),
)
wrong(
    "state/in-float32",
    "slots are float32 whatever the variable is",
    "own",
    code(
        optimizer.Optimizer,
        "_started",
        (
            "np.full(entry.shape, entry.start, entry.dtype)",
            "np.full(entry.shape, entry.start, 'float32' if entry.kind == 'slot' else entry.dtype)",
        ),
        editions=K3,
        optimizers="Adam",
    ),
)
wrong(
    "state/in-another-order",
    "slots are listed from the last",
    "own",
    code(
        BASE,
        "build",
        (
            "            self.built = True",
            "            self._state[2:] = self._state[:1:-1]\n            self.built = True",
        ),
        editions=K3,
        optimizers="Adam",
    ),
)
wrong(
    "state/named-otherwise",
    "slots are called m and v",
    "own",
    code(
        BASE,
        "build",
        (
            "            self.built = True",
            "            for variable in self._state[2:]:\n                variable.name = variable.name.replace('momentum', 'm').replace('velocity', 'v')\n            self.built = True",  # noqa: E501
        ),
        editions=K3,
        optimizers="Adam",
    ),
)
wrong(
    "numbers/denormals-survive",
    "denormal numbers are not flushed to 0",
    "own",
    code(
        bits,
        "run",
        (
            '        with np.errstate(all="ignore", under="raise"):',
            '        with np.errstate(all="ignore"):\n            return rule(*arrays, **hyperparameters)\n        with np.errstate(all="ignore", under="raise"):',  # noqa: E501
        ),
        editions=ALL,
        optimizers=("Adam", "SGD", "RMSprop", "Adagrad"),
    ),
)
wrong(
    "numbers/in-float64",
    "the rule is computed in float64 and rounded at its end",
    "own",
    code(
        bits,
        "run",
        (
            "    try:\n",
            "    if arrays[0].dtype == np.float32 and len(arrays) > 1:\n        with np.errstate(all='ignore'):\n            return tuple(np.asarray(x, np.float32) for x in rule(*(np.asarray(a, np.float64) for a in arrays), **hyperparameters))\n    try:\n",  # noqa: E501
        ),
        editions=ALL,
        optimizers=("SGD", "Adam"),
    ),
)
wrong(
    "numbers/gradient-in-bfloat16",
    "gradients lose their last 16 bits",
    "own",
    code(
        optimizer.Optimizer,
        "_update",
        (
            "values = [slot.value",
            "gradient = (np.ascontiguousarray(gradient).view(np.uint32) & 0xFFFF0000).view(np.float32).reshape(gradient.shape) if gradient.dtype == np.float32 else gradient\n        values = [slot.value",  # noqa: E501
        ),
        editions=K3,
    ),
)
wrong(
    "numbers/nan-gradient-skipped",
    "a NaN in a gradient is taken for 0",
    "own",
    code(
        optimizer.Optimizer,
        "_update",
        (
            "values = [slot.value",
            "gradient = np.where(np.isnan(gradient), gradient.dtype.type(0), gradient)\n        values = [slot.value",
        ),
        editions=K3,
    ),
)
wrong(
    "numbers/infinite-step-skipped",
    "a step with an infinite gradient is left out",
    "own",
    code(
        optimizer.Optimizer,
        "_update",
        (
            "rule, slots, names = ",
            "if not np.isfinite(gradient).all():\n            return\n        rule, slots, names = ",
        ),
        editions=K3,
    ),
)
