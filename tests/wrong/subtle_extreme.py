"""Wrong where numbers leave their dtype, an option is 0, or a count is far: what a third list of other eyes thought of."""

from __future__ import annotations

from goldenstep.reference import bits, clipping, constraints, optimizer, steps, variable
from goldenstep.reference.editions import keras3, optimizer_v2
from goldenstep.reference.formats import by_class_name, by_module, identifiers

from . import LEGACY, NEW, code, rule, sparse, wrong
from .subtle import K2, K3, RELEASES, in_graph, schedule

EVERY = (*LEGACY, *NEW)
FACTORED = ("tf2.12", "tf2.15", "keras3")
DECAYING = ("AdamW", "Adam", "SGD", "RMSprop", "Lion", "Muon", "Nadam", "Adagrad")
SOME = ("SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Nadam", "Adamax", "Adadelta", "Ftrl")
RULES_OF = "goldenstep.reference.rules."
BASE3 = keras3.BaseOptimizer

SUM = "indices, g = summed(indices, g)"
PADDING_DROPPED = (
    "some = np.asarray(g.any(axis=tuple(range(1, g.ndim))))\n    indices, g = summed(indices[some], g[some])"
)

wrong("extreme/adamax-excess-over-infinity", "a row whose u is infinite has no excess over it, where infinity minus infinity is NaN", "own",
      sparse("Adamax", K2, ("maximum(row, abs(g)) - row", "np.where(abs(g) <= row, w.dtype.type(0), abs(g) - row)")))  # fmt: skip
wrong("extreme/adagrad-half-saturates", "a float16 accumulator stops at the largest number instead of infinity", "own",
      rule("Adagrad", NEW, ("a = a + g * g", "a = a + g * g\n    a = np.minimum(a, np.finfo(w.dtype).max) if w.dtype == np.float16 and np.isfinite(g).all() else a")))  # fmt: skip
wrong("extreme/nadam-schedule-decay-zero", "schedule_decay=0 is taken for not given", "own",
      rule("Nadam", LEGACY, ("cast(w.dtype, t, t + 1, schedule_decay, u_before)", "cast(w.dtype, t, t + 1, schedule_decay or 0.004, u_before)")))  # fmt: skip
wrong("extreme/rmsprop-padding-rows-rest", "with momentum, given rows of nothing but zeros are skipped: v does not decay, w does not go on", "own",
      sparse("RMSprop", LEGACY, (SUM, PADDING_DROPPED)))  # fmt: skip
wrong("extreme/adadelta-padding-rows-rest", "given rows of nothing but zeros are skipped: v and d do not decay", "own",
      sparse("Adadelta", LEGACY, (SUM, PADDING_DROPPED)))  # fmt: skip
wrong("extreme/lion-sign-in-float64", "what the sign is taken of is summed in float64: it does not vanish where the products do", "own",
      rule("Lion", ("tf2.15", "keras3"), ("sign(m * b1 + g * (1 - b1))", "sign(wide(m) * b1 + wide(g) * (1 - b1)).astype(w.dtype)")))  # fmt: skip
wrong("extreme/adafactor-half-never-stops", "in float16 the step is at most 65504, not infinite: after that the weights still move", "own",
      rule("Adafactor", FACTORED, ("cast(w.dtype, learning_rate, t, beta_2_decay,", "cast(w.dtype, learning_rate, min(t, float(np.finfo(w.dtype).max)), beta_2_decay,")))  # fmt: skip
wrong("extreme/muon-frozen-adam", "adam_lr_ratio=0 is taken for not given", "own",
      rule("Muon", K3, ("learning_rate * adam_lr_ratio", "learning_rate * (adam_lr_ratio or 1)")))  # fmt: skip
wrong("extreme/muon-half-norm-in-float32", "a float16 matrix whose norm is above 256 is divided by its norm, not by infinity", "own",
      code(RULES_OF + "muon", "orthogonal",
           ("wide = wide / (sqrt(total(wide * wide)) + 1e-7)",
            "norm = sqrt(total(wide * wide))\n"
            "    if wide.dtype == np.float16 and norm == np.inf:\n"
            "        norm = np.float16(np.sqrt((wide.astype(np.float32) ** 2).sum()))\n"
            "    wide = wide / (norm + 1e-7)"), editions=K3, optimizers=("Muon",)))  # fmt: skip
wrong("extreme/schedulefree-half-warmup", "the share of the warm-up is a quotient of Python's numbers: in float16, above 2048, another one", "own",
      rule("ScheduleFreeAdamW", K3, ("lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)",
                                     "share = min(t / warmup_steps, 1) if warmup_steps > 0 else 1\n    lr, t, share = cast(w.dtype, learning_rate, t, share)"),
           ("lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr", "lr = lr * share")))  # fmt: skip
wrong("extreme/clipnorm-half-in-float32", "where the squares of a float16 gradient overflow, its norm is taken in float32", "own",
      code(clipping, "norm_clipped",
           ("norm = sqrt(squares) if squares > 0 else squares",
            "norm = sqrt(squares) if squares > 0 else squares\n"
            "    norm = norm if np.isfinite(norm) else g.dtype.type(np.sqrt(total(g.astype(np.float32) ** 2)))"),
           editions=EVERY, optimizers=("SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "clipping")))  # fmt: skip
wrong("extreme/maxnorm-half-in-float32", "where the squares of a float16 variable overflow, MaxNorm takes its norm in float32 instead of making it 0", "own",
      code(constraints, "max_norm",
           ("norm = norms(w, axis)",
            "norm = norms(w, axis)\n"
            "    norm = norms(w.astype(np.float32), axis).astype(w.dtype) if w.dtype == np.float16 and not np.isfinite(norm).all() else norm"),
           editions=EVERY, optimizers=("SGD", "Adam", "AdamW", "constraints")))  # fmt: skip
wrong("extreme/sparse-stale-betas", "the sparse rules keep the betas of their first step, whatever is assigned later", "own",
      code(optimizer.Optimizer, "_update_rows",
           ("values = [slot.value for slot in slots]",
            "first = {key: value for key, value in hyper.items() if key.startswith(('beta', 'rho', 'momentum'))}\n"
            "        hyper = {**hyper, **self.__dict__.setdefault('_first_betas', first)}\n"
            "        values = [slot.value for slot in slots]"),
           editions=NEW, optimizers=("Adam", "AdamW", "Adamax", "Nadam", "Lamb", "Lion", "RMSprop", "Adadelta", "SGD", "ScheduleFreeAdamW")))  # fmt: skip
wrong("extreme/decay-rate-through-float32", "a schedule's float64 rate is rounded to float32 before it multiplies the weight decay", "own",
      code(steps, "decay_weights", ("cast_tensor(variable.dtype, weight_decay, learning_rate)", "cast_tensor(variable.dtype, weight_decay, float(learning_rate))"),
           editions=FACTORED, optimizers=DECAYING))  # fmt: skip
wrong("extreme/gradient-narrowed-at-once", "a float64 gradient of a float16 variable is rounded once, not through float32", "own",
      code(bits, "narrowed", ("x.astype(np.float32).astype(dtype) if dtype == np.float16 else x.astype(dtype)", "x.astype(dtype)"),
           editions=EVERY, optimizers=("SGD", "Adam", "RMSprop", "Adagrad")))  # fmt: skip
wrong("extreme/accumulator-copies-first-gradient", "into an accumulator of zeros a gradient is copied, not added: denormal numbers and -0.0 stay", "own",
      code(BASE3, "_sum", ("return run(lambda a, g: (g + a,), accumulator.value, added)[0]", "return run(lambda a, g: (g + a,), accumulator.value, added)[0] if accumulator.value.any() else added.copy()"), editions=K3, optimizers=SOME))  # fmt: skip
wrong("extreme/accumulators-emptied-before-the-update", "accumulators are emptied before the rules run: a refused update has lost them", "own",
      code(BASE3, "_step", ("hyper = {**self._config,", "hyper = {**(self._forget_gradients() or self._config),"), editions=K3, optimizers=SOME))  # fmt: skip
wrong("extreme/norm-of-zero-leaves-gradient", "a gradient whose squares add up to 0 is left alone, not multiplied and divided by clipnorm", "own",
      code(clipping, "norm_clipped", ("return g * limit / maximum(norm, limit)", "return g * limit / maximum(norm, limit) if squares != 0 else g"), editions=(*LEGACY, *NEW), optimizers=SOME))  # fmt: skip
wrong("extreme/decay-times-whole-iterations", "decay multiplies the iteration before it is rounded to the variable's dtype: seen past 2**24, or 2048 in float16", "own",
      code(optimizer_v2.OptimizerV2, "_hypers", ("(1 + decay * iterations)", "(1 + dtype.type(float(decay) * int(self._iterations.value)))"), editions=LEGACY, optimizers=SOME))  # fmt: skip
wrong("extreme/assigned-arrays-are-kept", "set_weights keeps the caller's arrays: what is written into them later is in the state", "own",
      code(variable.Variable, "assign", ("self.value = value.copy()", "self.value = value"), editions=(*LEGACY, *NEW), optimizers=(*SOME, "weights")))  # fmt: skip
wrong("extreme/t-mul-close-to-one", "a t_mul within 0.001 of 1 is taken for 1", "own",
      *schedule("CosineDecayRestarts", RELEASES, ("if t_mul == 1:", "if abs(float(t_mul) - 1) < 1e-3:")))  # fmt: skip
wrong("extreme/half-rates-are-flushed", "an exponential rate below 6.1e-5 in float16 is flushed to 0, as float32's denormals are", "own",
      *schedule("ExponentialDecay", RELEASES, ("return lr * power(rate, p)", "return lr * power(rate, p) * (abs(lr * power(rate, p)) >= np.finfo(np.float16).tiny or lr.dtype != np.float16)")))  # fmt: skip
wrong("extreme/no-periods-is-the-default", "num_periods=0 is taken for the default of a half", "own",
      *schedule("LinearCosineDecay", ("tf2.4",), ("decay_steps, num_periods, alpha, beta)\n    step = minimum", "decay_steps, num_periods or 0.5, alpha, beta)\n    step = minimum")))  # fmt: skip
wrong("extreme/own-lower-case-name-overlooked", "a custom object called by a name of the table (adam) is overlooked", "own",
      code(by_class_name.Known, "found", ("self.registered, custom_objects, self.objects", "self.registered, self.objects, custom_objects"), editions=("tf2.4", "tf2.9", "tf2.12", "tf2.15"), optimizers=("SGD", "Adam", "config", "identifiers")))  # fmt: skip
wrong("extreme/snake-case-names", "names are taken in snake case, too: rms_prop", "own",
      code(identifiers, "lowered", ('if config["class_name"].lower() in known:\n        config["class_name"] = config["class_name"].lower()', 'name = config["class_name"].lower().replace("_", "")\n    if name in known:\n        config["class_name"] = name'), editions=(*LEGACY, *NEW), optimizers=("SGD", "RMSprop", "identifiers")))  # fmt: skip
wrong("extreme/null-registered-name-is-the-class", "where registered_name is null, a custom object of the class's name takes the place of the release's schedule", "own",
      code(by_module, "deserialize", ('config.get("registered_name", name)', '(config.get("registered_name") or name)'), editions=("tf2.15", K3), optimizers=("SGD", "Adam", "config", "identifiers")))  # fmt: skip
wrong("extreme/empty-module-is-refused", "an empty module is refused like null", "own",
      code(by_module, "_name_and_config", ('if config.get("module", "_") is None:', 'if not config.get("module", "_"):'), editions=("tf2.15", K3), optimizers=("SGD", "Adam", "identifiers")))  # fmt: skip
wrong("extreme/adam-half-exact-step", "in float16 beta_2 is raised to the exact step, not to the step rounded to float16 (above 2048)", "own",
      rule("Adam", NEW, ("b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)", "steps = t\n    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)"),
           ("power(b2, t)", "(power(b2, t) if w.dtype != np.float16 else np.float16(float(b2) ** steps))")))  # fmt: skip
wrong("extreme/rmsprop-rows-variance-not-negative", "a variance that rounding made negative is 0, where its root is NaN", "own",
      sparse("RMSprop", LEGACY, ("gathered(v, indices) - mean * mean", "maximum(gathered(v, indices) - mean * mean, w.dtype.type(0))")))  # fmt: skip
wrong("extreme/second-build-takes-up-more", "a second build takes up the variables that the first did not know", "own",
      code(BASE3, "build", ("if not self.built:", "if not self.built or any(id(v) not in self._plans for v in variables):"), editions=K3, optimizers=SOME),
      code(BASE3, "_known", ("self.build(variables)", "self.built or self.build(variables)"), editions=K3, optimizers=SOME))  # fmt: skip
wrong("extreme/graph-reciprocal-of-the-python-number", "in a graph the reciprocal of loss_scale_factor is taken before it is cast", "own",
      code(steps, "quotient_graph", ("x * (1 / d), x, *cast(x.dtype, divisor)", "x * d, x, *cast(x.dtype, 1 / divisor)"), editions=K3, optimizers=SOME))  # fmt: skip
wrong("extreme/boundaries-of-half-steps", "boundaries are not rounded to float16 with the step: 2051 is not 2052", "own",
      *schedule("PiecewiseConstantDecay", RELEASES, ("low, values = cast(step.dtype, *boundaries),", "low, values = [np.float64(b) for b in boundaries] if step.dtype == np.float16 else cast(step.dtype, *boundaries),")))  # fmt: skip
wrong("extreme/graph-divides-in-float64", "in a graph a cycle of a float64 rate is found by a division", "own",
      *in_graph("PolynomialDecay", RELEASES, ("ceil(step * (1 / steps))", "ceil(step / steps if lr.dtype == np.float64 else step * (1 / steps))")))  # fmt: skip
