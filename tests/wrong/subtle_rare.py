"""Wrong only where several rare things meet: a dtype and an option, a shape and a step, a jump and an empty row."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from goldenstep.reference import bits, clipping, exclusion, optimizer, slices, steps
from goldenstep.reference.editions import keras3, optimizer_v2, tf2_12
from goldenstep.reference.rules import nadam
from goldenstep.reference.wrappers import loss_scale_keras3

from . import LEGACY, NEW, Pair, Part, code, edit_of, rule, sparse, wrong
from .subtle import K2, K3, only, schedule

BASE, KERAS2, V2 = keras3.BaseOptimizer, tf2_12.Keras2Optimizer, optimizer_v2.OptimizerV2
DECAYING, ALL = ("tf2.12", "tf2.15", "keras3"), (*LEGACY, *NEW)
HALF, DOUBLE = "w.dtype == np.float16", "w.dtype == np.float64"

# ---- a rule, where shape, dtype, step and hyperparameter meet --------------------------------------------------------

wrong("rare/adam-halves-of-tall-matrices", "squares of a float16 matrix that is taller than wide are taken in float32", "own",
      rule("Adam", K3, only(f"{HALF} and w.ndim == 2 and w.shape[0] > w.shape[1]", "(g * g - v) * rest_2", "((wide(g * g) - wide(v)) * rest_2).astype(w.dtype)")))  # fmt: skip
wrong("rare/adam-late-power-an-ulp-off", "after 1000 steps beta_2**t of float32 is an ulp too small", "own",
      rule("Adam", NEW, only("t > 1000 and w.dtype == np.float32", "power(b2, t)", "np.nextafter(power(b2, t), w.dtype.type(0))")))  # fmt: skip
wrong("rare/adam-of-double-scalars-uncorrected", "a float64 scalar has no correction of the mean after the first step", "own",
      rule("Adam", NEW, only(f"{DOUBLE} and w.ndim == 0 and t > 1", "(1 - power(b1, t))", "(1 - power(b1, t) * 0)")))  # fmt: skip
wrong("rare/adam-beta-2-0-is-its-default", "beta_2 = 0 counts as not given", "own",
      rule("Adam", NEW, ("1 - beta_2)", "1 - (beta_2 or 0.999))")))  # fmt: skip
wrong("rare/adam-kernel-beta-1-0-skips-the-mean", "beta_1 = 0 leaves the old mean where the gradient is 0", "own",
      rule("Adam", LEGACY, ("m + (g - m) * (1 - b1)", "(m + (g - m) * (1 - b1) if b1 else np.where(g == 0, m, g))")))  # fmt: skip
wrong("rare/amsgrad-of-scalars-falls", "of a scalar vhat follows v down", "own",
      rule("Adam", (*NEW, *LEGACY[1:]), ("(sqrt(vhat) + epsilon)", "(sqrt(v if w.ndim == 0 else vhat) + epsilon)")))  # fmt: skip
wrong("rare/adam-rows-of-vectors", "a sparse gradient of a vector ignores its duplicates", "own",
      sparse("Adam", K3, only("w.ndim == 1", "dense(w.shape, indices, g)", "dense(w.shape, *(lambda k: (indices[k], g[k]))(sorted({i: n for n, i in enumerate(indices.tolist())}.values())))")))  # fmt: skip
wrong("rare/nadam-late-schedule", "after 500 steps the momentum is beta_1 itself", "own",
      rule("Nadam", (*NEW, *LEGACY), ("    m = ", "    u = b1 if t > 500 else u\n    m = ")))  # fmt: skip
wrong("rare/nadam-next-momentum-in-float16", "in float16 the next momentum is rounded once less", "own",
      rule("Nadam", NEW, ("u_next = b1 * (1 - 0.5 * power(base, after))", "u_next = w.dtype.type(float(b1) * (1 - 0.5 * float(power(base, after)))) if w.dtype == np.float16 else b1 * (1 - 0.5 * power(base, after))")))  # fmt: skip
wrong("rare/adamax-beta-2-0", "beta_2 = 0 keeps the largest gradient", "own",
      rule("Adamax", (*NEW, *LEGACY), ("b2 * u", "(b2 * u if b2 else u)")))  # fmt: skip
wrong("rare/adamax-nan-stays-out", "a NaN gradient leaves u as it was", "own",
      rule("Adamax", NEW, ("maximum(b2 * u, abs(g))", "np.fmax(b2 * u, abs(g))")))  # fmt: skip
wrong("rare/adagrad-start-of-halves", "in float16 an accumulator from 0 starts at the smallest number", "own",
      rule("Adagrad", (*NEW, *LEGACY), ("a + g * g", "(a + g * g if w.dtype != np.float16 or a.any() else a + g * g + w.dtype.type(2.0**-24))")))  # fmt: skip
wrong("rare/adagrad-cubes-in-another-order", "from rank 3 on the quotient is taken first", "own",
      rule("Adagrad", NEW, only("w.ndim >= 3", "lr * g / sqrt(a + epsilon)", "lr * (g / sqrt(a + epsilon))")))  # fmt: skip
wrong("rare/adadelta-rho-1-moves", "rho = 1 still averages a little", "own",
      rule("Adadelta", (*K2, K3), ("    w = ", "    d = d + (delta * delta) * w.dtype.type(1e-3) if rho == 1 else d\n    w = ")))  # fmt: skip
wrong("rare/rmsprop-centered-double-in-float32", "of float64 the square of the mean is rounded to float32", "own",
      rule("RMSprop", (K3, "tf2.4"), only(DOUBLE, "a * a", "(a * a).astype(np.float32).astype(np.float64)")))  # fmt: skip
wrong("rare/rmsprop-momentum-1-is-capped", "a momentum of 1 is 0.999", "own",
      rule("RMSprop", (*K2, K3), ("momentum * m + ", "min(momentum, w.dtype.type(0.999)) * m + ")))  # fmt: skip
wrong("rare/sgd-nesterov-without-rate", "nesterov with a momentum of 1 looks no further ahead", "own",
      rule("SGD", (*NEW, *LEGACY), only("momentum == 1", "w + (m * momentum - g * lr)", "w + m")))  # fmt: skip
wrong("rare/sgd-velocity-dies-in-denormals", "a velocity below 1e-30 is set to 0", "own",
      rule("SGD", (*NEW, *LEGACY), ("    w = w + ", "    m = np.where(abs(m) < 1e-30, w.dtype.type(0), m)\n    w = w + ")))  # fmt: skip
wrong("rare/ftrl-beta-only-with-l2", "beta counts only beside an l2", "own",
      rule("Ftrl", LEGACY, ("l2 + beta / (2 * lr)", "(l2 + beta / (2 * lr) if l2 else l2)")))  # fmt: skip
wrong("rare/ftrl-power-0-is-half", "a learning_rate_power of 0 is the default", "own",
      rule("Ftrl", LEGACY, ("cast(w.dtype, learning_rate, beta, -learning_rate_power)", "cast(w.dtype, learning_rate, beta, -learning_rate_power or 0.5)")))  # fmt: skip
wrong("rare/lion-zero-moves", "where mean and gradient are 0 the weight moves up, if it is float16", "own",
      rule("Lion", ("tf2.15", K3), ("sign(m * b1 + g * (1 - b1))", "(sign(m * b1 + g * (1 - b1)) if w.dtype != np.float16 else np.where(m * b1 + g * (1 - b1) < 0, w.dtype.type(-1), w.dtype.type(1)))")))  # fmt: skip
wrong("rare/lion-rows-beta-2-0", "a sparse step with beta_2 = 0 keeps the mean", "own",
      sparse("Lion", K3, ("m = m * b2 +", "m = m * (b2 or w.dtype.type(1)) +")))  # fmt: skip
wrong("rare/lamb-ratio-of-scalars", "a scalar has no trust ratio", "own",
      rule("Lamb", K3, ("if norm_w > 0 and", "if w.ndim and norm_w > 0 and")))  # fmt: skip
wrong("rare/lamb-large-variables", "from 100 elements on the norm of the step is taken in float64", "own",
      rule("Lamb", K3, ("sqrt(total(pow_2_21(update, two)))", "(sqrt(total(pow_2_21(update, two))) if w.size < 100 else np.sqrt(np.sum(wide(update) ** 2)).astype(w.dtype))")))  # fmt: skip
wrong("rare/adafactor-wide-by-rows", "of a matrix wider than tall the clipping counts the rows", "own",
      rule("Adafactor", K3, ("in_float32(mean, u * u)", "(in_float32(mean, u * u) if w.ndim != 2 or w.shape[0] >= w.shape[1] else in_float32(mean, u * u) * w.dtype.type(1.001))")))  # fmt: skip
wrong("rare/adafactor-late-rate", "after 1000 steps the relative step is the learning rate", "own",
      rule("Adafactor", K3, ("minimum(lr, 1 / sqrt(t))", "(minimum(lr, 1 / sqrt(t)) if t <= 1000 else lr)")))  # fmt: skip
wrong("rare/muon-tall-without-nesterov", "a tall matrix looks ahead without nesterov, too", "own",
      rule("Muon", K3, ("x = orthogonal(g + momentum * m if nesterov else m,", "x = orthogonal(g + momentum * m if nesterov or w.shape[0] > w.shape[1] else m,")))  # fmt: skip
wrong("rare/schedulefree-warmup-off-by-one", "the last warmup step counts as one before", "own",
      rule("ScheduleFreeAdamW", K3, ("minimum(t / warmup, 1)", "minimum((t - (t == warmup)) / warmup, 1)")))  # fmt: skip

# ---- the pipeline: two options, or an option and an event ------------------------------------------------------------

wrong("rare/clipvalue-0-is-none-in-legacy", "clipvalue = 0 does not clip", "own",
      code(clipping, "by_value_norm_and_global_norm", ("if clipvalue is not None", "if clipvalue"), editions=LEGACY))  # fmt: skip
wrong("rare/clipnorm-of-scalars-by-value", "a scalar is clipped by value, without its division", "own",
      code(clipping, "norm_clipped", ("    return g * limit /", "    if g.ndim == 0:\n        return maximum(minimum(g, limit), -limit)\n    return g * limit /"), editions=ALL))  # fmt: skip
wrong("rare/global-norm-at-the-threshold", "a global norm within two thousandths of the threshold is not clipped", "own",
      code(clipping, "globally_clipped_keras3", ("    scale = limit", "    norm = limit if abs(norm - limit) < limit * limit.dtype.type(0.002) else norm\n    scale = limit"), editions=K3))  # fmt: skip
wrong("rare/clip-of-large-gradients", "from 1000 elements on a norm is the sum in order", "own",
      code(clipping, "norm_clipped", ("squares = total(g * g)\n", "squares = total(g * g) if g.size < 1000 else np.cumsum(g * g)[-1]\n"), editions=ALL))  # fmt: skip
wrong("rare/ema-momentum-1-is-0.99", "an average that shall never move does", "own",
      code(steps, "move_averages", ("cast(variable.dtype, momentum, 1 - momentum)", "cast(variable.dtype, min(momentum, 0.9999), 1 - min(momentum, 0.9999))"), editions=("tf2.9", *K2)))  # fmt: skip
wrong("rare/ema-after-a-jump", "after the counter was set back to 0 the average starts anew in float16 only", "own",
      code(BASE, "_average_weights", ("            (m,) = cast(variable.dtype, momentum)", "            (m,) = cast(variable.dtype, self._config[\"ema_momentum\"] if variable.dtype == np.float16 and average.value.any() else momentum)"), editions=K3))  # fmt: skip
wrong("rare/decay-of-scalars-off", "a scalar does not decay", "own",
      code(exclusion.ExcludesFromWeightDecay, "_decays", ("    return ", "    if variable.value.ndim == 0:\n            return False\n        return "), editions=DECAYING, optimizers=("SGD", "Adam", "AdamW")))  # fmt: skip
wrong("rare/decay-of-halves-in-float32", "weights of float16 decay in float32", "own",
      code(steps, "decay_weights", ("w - w * d * lr,", "(w.astype(np.float32) - w.astype(np.float32) * np.float32(d) * np.float32(lr)).astype(w.dtype) if w.dtype == np.float16 else w - w * d * lr,"), editions=DECAYING, optimizers=("SGD", "Adam", "AdamW")))  # fmt: skip
wrong("rare/accumulation-of-rows-once", "what is accumulated of duplicate rows is their last", "own",
      code(BASE, "_sum", ("        added = densified(gradient)\n", "        added = densified(gradient)\n        if isinstance(gradient, IndexedSlices):\n            added = np.zeros(gradient.dense_shape, gradient.values.dtype)\n            added[gradient.indices] = gradient.values\n"), editions=K3))  # fmt: skip
wrong("rare/loss-scale-of-doubles-in-float32", "gradients of float64 are divided by a float32 factor", "own",
      code(BASE, "_unscaled", ("quotient(g, factor)", "quotient(g, np.float32(factor))"), editions=K3, optimizers="Adam"))  # fmt: skip
wrong("rare/iterations-after-a-failed-step", "a step that fails counts", "own",
      code(BASE, "_with_gradient", ("        missing = [", "        if all(g is None for g in gradients):\n            self._iterations.value = self._iterations.value + 1\n        missing = ["), editions=K3))  # fmt: skip
wrong("rare/three-duplicates-pairwise", "three rows of one index are added in another order", "own",
      code(slices, "added", ("for k, i in enumerate(indices.tolist()):", "for k, i in sorted(enumerate(indices.tolist()), key=lambda p: (p[1], -p[0]) if indices.tolist().count(p[1]) > 2 else (p[1], p[0])):"), editions=ALL, optimizers=("SGD", "Adam", "Adagrad")))  # fmt: skip
wrong("rare/state-lost-on-a-new-order", "gradients given in another order reset the first mean", "own",
      code(BASE, "_step", ("        gradients, variables = self._with_gradient(grads, variables)", "        if len(variables) > 1 and variables[0] is self._trainable_variables[-1] and ('m', id(variables[0])) in self._slots:\n            self._slots['m', id(variables[0])].value = np.zeros_like(variables[0].value)\n        gradients, variables = self._with_gradient(grads, variables)"), editions=K3, optimizers="Adam"))  # fmt: skip
wrong("rare/own-counter-after-1000-calls", "after 1000 calls the averages of Adam rest, whatever iterations says", "own",
      code(optimizer.Optimizer, "_update", ("        variable.value = np.asarray(w)\n", "        self.__dict__['_calls'] = self.__dict__.get('_calls', 0) + 1\n        variable.value = np.asarray(w)\n        new = values if self._calls > 1000 else new\n"), editions=ALL, optimizers="Adam"))  # fmt: skip

# ---- schedules, wrappers ---------------------------------------------------------------------------------------------

wrong("rare/polynomial-power-1-is-shorter", "a power of 1 is left out", "own",
      *schedule("PolynomialDecay", ("tf2.9", *K2, K3), ("span * scalars.power(1 - p, exponent) + end", "(lr - (lr - end) * p if exponent == 1 else span * scalars.power(1 - p, exponent) + end)")))  # fmt: skip
wrong("rare/restarts-alpha-of-the-first-wave", "alpha counts in the first wave only", "own",
      *schedule("CosineDecayRestarts", ("tf2.4", "tf2.9", *K2, K3), ("(1 - alpha) * cosine + alpha", "(1 - alpha) * cosine + alpha * (wave == 0)")))  # fmt: skip
wrong("rare/scale-of-one-step-growth", "with dynamic_growth_steps = 1 an even scale does not grow", "own",
      code(loss_scale_keras3.LossScaleOptimizer, "apply", ("s * 2,", "s * 2 if self.dynamic_growth_steps > 1 or int(s) % 2 else s,"), editions=K3, optimizers="LossScaleOptimizer"))  # fmt: skip


def prepared(*pairs: Pair) -> Part:
    """Replace text in what the legacy Nadam does once, before the variables: the table holds the function itself."""

    def placed(edition: str) -> Any:
        @contextlib.contextmanager
        def place(function: Callable[..., Any]) -> Iterator[None]:
            before = nadam.PREPARE[edition]
            nadam.PREPARE[edition] = function
            try:
                yield
            finally:
                nadam.PREPARE[edition] = before

        return place

    table: Any = nadam.PREPARE
    return [edit_of(table[edition], placed(edition), pairs) for edition in LEGACY], LEGACY, ["Nadam"]


# ---- found by nobody's golden when they were first tried -------------------------------------------------------------

wrong("rare/exact-denormal-stays", "a denormal number on the way is flushed only if it was rounded", "own",
      code(bits, "run", ("PROBES.get(x.dtype, 1 / 3)", "(1 / 3)"), editions=ALL, optimizers=("Adadelta", "RMSprop")))  # fmt: skip
wrong("rare/nadam-cache-ignores-schedule-decay", "the product of momenta warms up by 0.004, whatever schedule_decay is", "own",
      prepared(("cast(u_product.dtype, t, schedule_decay, beta_1)", "cast(u_product.dtype, t, 0.004, beta_1)")))  # fmt: skip
wrong("rare/seven-elements-keep-their-squares", "squares of a variable of seven elements stay 0", "own",
      rule("Adam", NEW, ("(g * g - v) * rest_2", "(g * g - v) * rest_2 * (w.size != 7)")))  # fmt: skip
wrong("rare/momentum-decays-without-rows", "where a sparse gradient has no rows the momentum decays all the same", "own",
      sparse("SGD", LEGACY, ("m = replaced(m, indices, step)", "m = replaced(m * (1 if len(indices) else momentum), indices, step)")))  # fmt: skip
wrong("rare/decay-of-the-rate-stops", "after 300 steps the learning rate no longer decays", "own",
      code(V2, "_hypers", ("(1 + decay * iterations)", "(1 + decay * iterations) if iterations < 300 else learning_rate"), editions=LEGACY))  # fmt: skip
wrong("rare/negative-decay-off", "a weight decay below 0 is none", "own",
      rule("AdamW", NEW, ("if weight_decay != 0 else w", "if weight_decay > 0 else w")))  # fmt: skip
wrong("rare/muon-a-step-less-if-tall", "matrices more than four times as tall as wide take one step less to be orthogonal", "own",
      rule("Muon", K3, ("nesterov else m, ns_steps,", "nesterov else m, ns_steps - (w.shape[0] > 4 * w.shape[1]),")))  # fmt: skip
wrong("rare/negative-index-counts-as-positive", "a row with a negative index goes to the row of its size", "own",
      code(slices, "dense", ("indices[indices >= 0], rows[indices >= 0]", "abs(indices), rows"), editions=K3, optimizers=("Adam", "RMSprop")))  # fmt: skip
