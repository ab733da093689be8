"""Wrong implementations that a fresh list brought: remote numbers, dtypes and steps; most got past all others."""

from __future__ import annotations

from goldenstep.reference import bits, clipping, exclusion, optimizer
from goldenstep.reference.editions import keras3, optimizer_v2, tf2_12
from goldenstep.reference.formats import config
from goldenstep.reference.wrappers import loss_scale_keras3, loss_scale_v3

from . import LEGACY, NEW, Pair, Part, code, rule, sparse, wrong
from .subtle import schedule

ALL = (*LEGACY, *NEW)
K2 = ("tf2.9", "tf2.12", "tf2.15")
K3 = "keras3"
DEC = ("tf2.12", "tf2.15", "keras3")
E = ("tf2.4", "tf2.9", "tf2.12", "tf2.15", "keras3")
T32: Pair = (
    "cast(w.dtype, learning_rate, t, beta_1, beta_2, epsilon)",
    "cast(w.dtype, learning_rate, np.float32(t), beta_1, beta_2, epsilon)",
)
N32: Pair = (
    "cast(w.dtype, learning_rate, t, epsilon, 1 - beta_1, 1 - beta_2)",
    "cast(w.dtype, learning_rate, np.float32(t), epsilon, 1 - beta_1, 1 - beta_2)",
)


def divided(*pairs: Pair) -> list[Part]:
    """Replaces text of how rows are divided, in every rule that does so."""
    names = ("Adagrad", "RMSprop", "Adadelta", "Adafactor", "ScheduleFreeAdamW")
    return [
        code(f"goldenstep.reference.rules.{name.lower()}", "divided", *pairs, editions=K3, optimizers=name)
        for name in names
    ]


wrong(
    "remote/ftrl-power-through-float32",
    "learning_rate_power is a float32 for float64 weights, too",
    "own",
    rule(
        "Ftrl",
        K3,
        (
            "power, shrinkage = cast(w.dtype, learning_rate_power,",
            "power, shrinkage = cast(w.dtype, np.float32(learning_rate_power),",
        ),
    ),
)
wrong(
    "remote/ftrl-rate-of-0-guarded",
    "beta / (2 * learning_rate) is 0 where the rate is 0",
    "own",
    rule("Ftrl", LEGACY, ("l2 = l2 + beta / (2 * lr)", "l2 = l2 + (beta / (2 * lr) if lr > 0 else 0)")),
)
wrong(
    "remote/adafactor-epsilon-2-direct",
    "epsilon_2 of a float64 is not a float32 first",
    "own",
    rule(
        "Adafactor", DEC, ("(epsilon_2,) = cast_tensor(w.dtype, epsilon_2)", "(epsilon_2,) = cast(w.dtype, epsilon_2)")
    ),
)
wrong(
    "remote/nadam-count-below",
    "the product of momenta waits while the counter goes back",
    "own",
    rule("Nadam", K2, ("if u_count != t + 1:", "if u_count < t + 1:")),
)
wrong(
    "remote/nadam-rows-count-below",
    "with rows the product of momenta waits while the counter goes back",
    "own",
    sparse("Nadam", K2, ("if u_count != t + 1:", "if u_count < t + 1:")),
)
wrong(
    "remote/muon-name-with-suffix",
    "Muon looks for patterns in a name with a number behind it",
    "own",
    code(
        keras3.BaseOptimizer,
        "_name_searched",
        ('variable.path.rpartition("/")[2] if', "f\"{variable.path.rpartition('/')[2]}:0\" if"),
        ("super()", "super(BaseOptimizer, self)"),
        editions=K3,
        optimizers="Muon",
    ),
)
wrong(
    "remote/sums-of-columns-by-four-from-12",
    "sums of columns go four rows at a time from 12 rows on",
    "own",
    code(bits, "column_totals", ("if rows < 16:", "if rows < 12:"), editions=DEC, optimizers="Adafactor"),
)
wrong(
    "remote/muon-products-cut-at-512",
    "a matrix product is cut in pieces of 512, not 384",
    "own",
    code(
        "goldenstep.reference.rules.muon",
        "matmul",
        (
            "384 if rest >= 768 else (rest + 1) // 2 if rest > 384 else rest",
            "512 if rest >= 1024 else (rest + 1) // 2 if rest > 512 else rest",
        ),
        editions=K3,
        optimizers="Muon",
    ),
)
wrong(
    "remote/adam-beta-of-1-not-divided",
    "with beta_1 = 1 the step is not divided by the correction",
    "own",
    rule(
        "Adam",
        NEW,
        (
            "alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))",
            "alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t)) if 0 < b1 < 1 else lr * sqrt(1 - power(b2, t))",
        ),
    ),
)
wrong(
    "remote/v2-counter-through-float32",
    "the counter of steps is a float32 on its way",
    "own",
    code(
        optimizer_v2.OptimizerV2,
        "_hypers",
        ("step = int(self._iterations.value) + 1", "step = int(np.float32(self._iterations.value)) + 1"),
        editions=LEGACY,
        optimizers="Adam",
    ),
)
wrong(
    "remote/v2-rate-of-the-first-dtype",
    "hyperparameters are those of the first variable's dtype",
    "own",
    code(
        optimizer_v2.OptimizerV2,
        "_step",
        ("gradient, hypers[variable.dtype])", "gradient, next(iter(hypers.values())))"),
        editions=LEGACY,
    ),
)
wrong(
    "remote/exclusion-of-variables-by-name",
    "who is excluded as a variable is known by its name",
    "own",
    code(
        exclusion.ExcludesFromWeightDecay,
        "exclude_from_weight_decay",
        ("id(variable) for", "variable.name for"),
        editions=DEC,
        optimizers=("SGD", "AdamW"),
    ),
    code(
        exclusion.ExcludesFromWeightDecay,
        "_decays",
        ("id(variable) not in", "variable.name not in"),
        editions=DEC,
        optimizers=("SGD", "AdamW"),
    ),
)
wrong(
    "remote/rows-of-float64-cast-at-once",
    "float64 rows become float16 in one rounding",
    "own",
    code(
        optimizer.Optimizer,
        "_update_rows",
        ("rows = bits.narrowed(rows, variable.dtype)", "rows = rows.astype(variable.dtype)"),
        editions=ALL,
        optimizers=("Adam", "SGD"),
    ),
)
wrong(
    "remote/gradient-of-float64-cast-at-once",
    "a float64 gradient becomes float16 in one rounding",
    "own",
    code(
        optimizer.Optimizer,
        "_fitted",
        ("bits.narrowed(gradient, variable.dtype)", "gradient.astype(variable.dtype)"),
        editions=ALL,
        optimizers=("Adam", "SGD", "RMSprop"),
    ),
)
wrong(
    "remote/config-of-no-clipping-is-null",
    "a threshold of 0 is null in a config",
    "own",
    code(
        config.Configured,
        "_in_config",
        ("getattr(self, key)", "getattr(self, key) or None if key.startswith('clip') else getattr(self, key)"),
        editions=DEC,
    ),
)
wrong(
    "remote/adafactor-rows-epsilon-2-direct",
    "with rows epsilon_2 of a float64 is not a float32 first",
    "own",
    sparse(
        "Adafactor", K3, ("(epsilon_2,) = cast_tensor(w.dtype, epsilon_2)", "(epsilon_2,) = cast(w.dtype, epsilon_2)")
    ),
)
wrong(
    "remote/schedulefree-rows-epsilon-direct",
    "with rows epsilon of a float64 is not a float32 first",
    "own",
    sparse(
        "ScheduleFreeAdamW",
        K3,
        (
            "b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)",
            "b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)\n    (epsilon,) = cast(w.dtype, epsilon)",
        ),
    ),
)
wrong(
    "remote/sgd-rows-momentum-direct",
    "with rows momentum of a float64 is not a float32 first",
    "own",
    sparse(
        "SGD",
        K2,
        (
            "lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)",
            "lr, momentum = cast(w.dtype, learning_rate, momentum)",
        ),
    ),
)
wrong(
    "remote/ftrl-rows-power-through-float32",
    "with rows learning_rate_power is a float32 for float64 weights, too",
    "own",
    sparse("Ftrl", K3, ("cast(w.dtype, learning_rate_power,", "cast(w.dtype, np.float32(learning_rate_power),")),
)
wrong("remote/adam-kernel-t-in-float32", "t is a float32 for float64 weights, too", "own", rule("Adam", LEGACY, T32))
wrong("remote/adam-ops-t-in-float32", "t is a float32 for float64 weights, too", "own", rule("Adam", NEW, N32))
wrong(
    "remote/adamax-t-in-float32",
    "t is a float32 for float64 weights, too",
    "own",
    rule("Adamax", NEW, ("cast(w.dtype, learning_rate, t,", "cast(w.dtype, learning_rate, np.float32(t),")),
)
wrong(
    "remote/lamb-t-in-float32",
    "t is a float32 for float64 weights, too",
    "own",
    rule("Lamb", K3, ("cast(w.dtype, learning_rate, t,", "cast(w.dtype, learning_rate, np.float32(t),")),
)
wrong(
    "remote/schedulefree-t-in-float32",
    "t is a float32 for float64 weights, too",
    "own",
    rule("ScheduleFreeAdamW", K3, ("cast(w.dtype, learning_rate, t,", "cast(w.dtype, learning_rate, np.float32(t),")),
)
wrong(
    "remote/nadam-t-in-float32",
    "t is a float32 for float64 weights, too",
    "own",
    rule("Nadam", LEGACY, ("cast(w.dtype, t, t + 1,", "cast(w.dtype, np.float32(t), np.float32(t) + 1,")),
)
wrong(
    "remote/k2-empty-list-asks-no-schedule",
    "a list of no gradients does not ask the schedule",
    "own",
    code(
        tf2_12.Keras2Optimizer,
        "_step",
        (
            "        self._follow_schedule()\n        if not present:\n            return self._iterations\n",
            "        if not present:\n            return self._iterations\n        self._follow_schedule()\n",
        ),
        editions=("tf2.12", "tf2.15"),
    ),
)
wrong(
    "remote/k3-global-norm-last-first",
    "the squares of a global norm are added from the last variable on",
    "own",
    code(
        clipping,
        "globally_clipped_keras3",
        (
            "total(np.stack([total(square) for square in squares]))",
            "total(np.stack([total(square) for square in squares][::-1]))",
        ),
        editions=K3,
    ),
)
wrong(
    "remote/global-norm-one-by-one",
    "the squares of a global norm are added one after the other",
    "own",
    code(
        clipping,
        "globally_clipped",
        (
            "total(np.stack([total(g * g * half) for g in gradients]))",
            "down(np.stack([total(g * g * half) for g in gradients])[:, None])[0]",
        ),
        editions=(*LEGACY, *K2),
    ),
)
wrong(
    "remote/k2-no-overwrite-without-a-gradient",
    "averages are not written back while a gradient is missing",
    "own",
    code(
        tf2_12.Keras2Optimizer,
        "_average_weights",
        (
            "if frequency and (self._iterations.value + 1) % frequency == 0:",
            "if frequency and (self._iterations.value + 1) % frequency == 0 and len(variables) == len(self._averages):",
        ),
        editions=("tf2.12", "tf2.15"),
    ),
)
wrong(
    "remote/lso3-first-two-are-looked-at",
    "of the gradients only the first two are looked at for infinities",
    "own",
    code(
        loss_scale_keras3.LossScaleOptimizer,
        "apply",
        ("for gradient in grads if gradient is not None)", "for gradient in grads[:2] if gradient is not None)"),
        editions=K3,
        optimizers="LossScaleOptimizer",
    ),
)
wrong(
    "remote/lso2-first-two-are-looked-at",
    "of the gradients only the first two are looked at for infinities",
    "own",
    code(
        loss_scale_v3.LossScaleOptimizer215,
        "_finite",
        ("for values in values_of(gradients)", "for values in values_of(gradients)[:2]"),
        editions="tf2.15",
        optimizers="LossScaleOptimizer",
    ),
)
wrong(
    "remote/rows-sought-at-the-last-place",
    "a row that stands twice is sought at its last place, not at the sum of its places",
    "own",
    *divided(("np.add.at(places, indices, np.arange(1, count + 1))", "places[indices] = np.arange(1, count + 1)")),
)
wrong(
    "remote/rows-of-nan-do-not-join",
    "rows whose divisor is not a number do not join in",
    "own",
    *divided(("(divisor == 0) | np.isnan(divisor)", "(divisor == 0)")),
)
wrong(
    "remote/cosine-1-minus-alpha-in-its-dtype",
    "1 - alpha is taken of an alpha that is rounded",
    "own",
    *schedule(
        "CosineDecay",
        ("tf2.4", "tf2.9", "tf2.12"),
        ("(1 - alpha) * cosine + alpha", "(1 - lr.dtype.type(alpha)) * cosine + lr.dtype.type(alpha)"),
    ),
)
wrong(
    "remote/cosine-1-minus-alpha-in-float32",
    "1 - alpha is a float32 first",
    "own",
    *schedule(
        "CosineDecay",
        ("tf2.15", K3),
        (
            "highest * ((1 - alpha) * cosine + alpha)",
            "highest * (lr.dtype.type(np.float32(1 - alpha)) * cosine + alpha)",
        ),
    ),
)
wrong(
    "remote/restarts-alpha-direct",
    "alpha of a float64 rate is not a float32 first",
    "own",
    *schedule(
        "CosineDecayRestarts",
        E,
        (
            "step, steps, t_mul, m_mul, alpha = cast(lr.dtype, step, first_decay_steps, t_mul, m_mul, alpha)",
            "step, steps, t_mul, m_mul = cast(lr.dtype, step, first_decay_steps, t_mul, m_mul)\n    alpha = lr.dtype.type(alpha)",
        ),
    ),
)
wrong(
    "remote/piecewise-boundaries-through-float32",
    "boundaries are float32 before they are whole numbers",
    "own",
    *schedule(
        "PiecewiseConstantDecay",
        E,
        ("cast(step.dtype, *boundaries)", "[step.dtype.type(np.float32(b)) for b in boundaries]"),
    ),
)
wrong(
    "remote/exponential-rate-direct",
    "decay_rate of a float64 rate is not a float32 first",
    "own",
    *schedule(
        "ExponentialDecay",
        E,
        (
            "step, steps, rate = cast(lr.dtype, step, decay_steps, decay_rate)",
            "step, steps = cast(lr.dtype, step, decay_steps)\n    rate = lr.dtype.type(decay_rate)",
        ),
    ),
)
wrong(
    "remote/inverse-time-rate-direct",
    "decay_rate of a float64 rate is not a float32 first",
    "own",
    *schedule(
        "InverseTimeDecay",
        E,
        (
            "step, steps, rate = cast(lr.dtype, step, decay_steps, decay_rate)",
            "step, steps = cast(lr.dtype, step, decay_steps)\n    rate = lr.dtype.type(decay_rate)",
        ),
    ),
)
wrong(
    "remote/polynomial-end-direct",
    "end_learning_rate of a float64 rate is not a float32 first",
    "own",
    *schedule(
        "PolynomialDecay",
        E,
        (
            "step, steps, end, exponent = cast(lr.dtype, step, decay_steps, end_learning_rate, power)",
            "step, steps, exponent = cast(lr.dtype, step, decay_steps, power)\n    end = lr.dtype.type(end_learning_rate)",
        ),
    ),
)
wrong(
    "remote/k2-twice-given-once",
    "a variable that is given twice steps once, with the last gradient",
    "own",
    code(
        tf2_12.Keras2Optimizer,
        "_step",
        (
            "present = steps.with_gradient(pairs)",
            "present = list({id(v): (g, v) for g, v in steps.with_gradient(pairs)}.values())",
        ),
        editions=("tf2.12", "tf2.15"),
    ),
)
wrong(
    "remote/k3-momentum-of-averages-kept",
    "the momentum of averages that is assigned later is not used",
    "own",
    code(
        keras3.BaseOptimizer,
        "_average_weights",
        ('self._config["ema_momentum"] if int', '(vars(self).setdefault("_m0", self._config["ema_momentum"])) if int'),
        editions=K3,
    ),
)
wrong(
    "remote/rows-far-steps-in-float32",
    "the number of a sparse step is a float32 for float64 weights, too",
    "own",
    sparse("Adam", LEGACY, T32),
)
wrong(
    "remote/adafactor-far-steps-in-float32",
    "the number of the step is a float32 for float64 weights, too",
    "own",
    rule("Adafactor", DEC, ("cast(w.dtype, learning_rate, t,", "cast(w.dtype, learning_rate, np.float32(t),")),
)
wrong(
    "remote/polynomial-far-steps-in-float32",
    "a step is a float32 first, where the rate is a float64",
    "own",
    *schedule(
        "PolynomialDecay", E, ("cast(lr.dtype, step, decay_steps,", "cast(lr.dtype, np.float32(step), decay_steps,")
    ),
)
wrong(
    "remote/cosine-far-steps-in-float32",
    "a step is a float32 first, where the rate is a float64",
    "own",
    *schedule(
        "CosineDecay",
        ("tf2.15", K3),
        ("cast(lr.dtype, step, decay_steps)", "cast(lr.dtype, np.float32(step), decay_steps)"),
    ),
)
wrong(
    "remote/transformers-in-reverse",
    "the last of several gradient_transformers comes first",
    "own",
    code(
        optimizer_v2.OptimizerV2,
        "_step",
        (
            "for transform in self.gradient_transformers:\n            pairs = transform(pairs)",
            "for transform in reversed(self.gradient_transformers):\n            pairs = transform(pairs)",
        ),
        editions=LEGACY,
        optimizers="SGD",
    ),
)

wrong(
    "remote/state-once-for-a-variable-that-stands-twice",
    "a variable that stands twice in the list that makes the state has it once",
    "own",
    code(
        optimizer.Optimizer,
        "_create_slots",
        ("held is None or (variable is not None and first[id(variable)] != entry.owner)", "held is None"),
        editions=NEW,
    ),
)
wrong(
    "remote/rule-by-the-first-state-of-two",
    "a variable that stands twice goes by the state of its first place",
    "own",
    code(
        optimizer.Optimizer,
        "_create_slots",
        (
            "held = self._slots[key] = self._started(entry, variable)",
            "held = self._started(entry, variable)\n                self._slots.setdefault(key, held)",
        ),
        editions=NEW,
    ),
)
wrong(
    "remote/one-average-for-a-variable-that-stands-twice",
    "both places of a variable have the average of the last",
    "own",
    code(
        keras3.BaseOptimizer,
        "build",
        ('made.get(("average", i))', 'self._slots.get(("average", id(variables[i])))'),
        editions=K3,
    ),
)
wrong(
    "remote/accumulated-once-for-a-variable-that-stands-twice",
    "of two gradients of one variable in a step only the last is accumulated",
    "own",
    code(
        keras3.BaseOptimizer,
        "_accumulated",
        (
            "            for accumulator, gradient in kept:\n                accumulator.value = self._sum(accumulator, gradient)\n",
            "            sums = [self._sum(accumulator, gradient) for accumulator, gradient in kept]\n"
            "            for (accumulator, _), value in zip(kept, sums):\n                accumulator.value = value\n",
        ),
        editions=K3,
    ),
)
