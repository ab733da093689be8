"""Wrong in ways that goldens and properties missed until other eyes thought of them."""

from __future__ import annotations

from goldenstep.reference import bits, graph, optimizer, steps
from goldenstep.reference.editions import keras3, optimizer_v2, tf2_12
from goldenstep.reference.formats import checkpoint, files, weights
from goldenstep.reference.schedules import scalars
from goldenstep.reference.wrappers import loss_scale, loss_scale_config, loss_scale_keras3, multi_optimizer

from . import LEGACY, NEW, code, rule, wrong
from .subtle import K2, K3, RELEASES, in_graph, only, schedule

MUON = "goldenstep.reference.rules.muon"
CONSTRAINTS = "goldenstep.reference.constraints"
LATE = ("tf2.12", "tf2.15")
WARM = ("tf2.15", "keras3")
ALL = (*LEGACY, *NEW)
ALL2 = (*LEGACY, *K2)
LSO = ("LossScaleOptimizer",)
MULTI = ("MultiOptimizer",)

wrong("escaped/long-rows-cut-each-alike", "a row beyond 1024 packets is cut as if it were the first", "own",
      code(bits, "row_totals", ("i * length", "0"), editions=NEW, optimizers=("SGD", "Adam", "Adafactor")),
      code(CONSTRAINTS, "row_totals", ("i * length", "0"), editions=ALL, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/half-sums-leaf", "float16 sums are cut beyond 256 packets, not 200", "own",
      code(bits, "row_totals", ("200 if", "256 if"), editions=(*LEGACY[1:], *NEW), optimizers=("SGD", "Adam", "Adafactor")))  # fmt: skip
wrong("escaped/sums-in-two-half-leaf", "TF 2.4 cuts float16 sums beyond 200 packets, too", "own",
      code(bits, "halves", ("if x.size <= leaf * width:", "if x.size <= (200 if packets is two_packets and x.dtype == np.float16 else leaf) * width:"), editions="tf2.4", optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/zero-of-double", "float64 has packets of eight where two zeros meet", "own",
      code(bits, "one_of_two_zeros", ("lanes(result)", "8"), editions=ALL, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/scalar-keeps-denormals", "a number without dimensions keeps its denormals", "own",
      code(bits, "flush", ("if smallest is None:", "if smallest is None or np.ndim(x) == 0:"), editions=ALL, optimizers=("SGD", "Adam", "Adagrad", "RMSprop")))  # fmt: skip
wrong("escaped/denormals-are-read", "denormal results are flushed, denormal operands are not", "own",
      code(bits.Flushing, "__array_ufunc__", ("flush(np.asarray(x)) if", "np.asarray(x) if"), editions=ALL, optimizers=("SGD", "Adam", "Adagrad", "RMSprop", "Adadelta")))  # fmt: skip
wrong("escaped/decay-graph-double", "in a graph float64 weights are multiplied one number after the other", "own",
      code(steps, "decay_weights_graph", only("w.dtype == np.float64", "w * (d * lr)", "w * d * lr"), editions=(*LATE, K3), optimizers=("SGD", "Adam", "AdamW")))  # fmt: skip
wrong("escaped/first-average-copied", "the first average is a copy: -0.0 stays, and an infinite start is forgotten", "own",
      code(keras3.BaseOptimizer, "_average_weights", ("average.value, variable.value, m)", "average.value, variable.value, m) if m else variable.value"), editions=K3, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/accumulators-by-position", "gradients are accumulated by their place in the list", "own",
      code(keras3.BaseOptimizer, "_accumulated", ('kept = [(self._slots["gradient_accumulator", id(v)], g) for v, g in zip(variables, gradients, strict=False)]', 'places = [v for v in self._trainable_variables if v in variables]\n        kept = [(self._slots["gradient_accumulator", id(v)], g) for v, g in zip(places if [v.shape for v in places] == [v.shape for v in variables] else variables, gradients, strict=False)]'), editions=K3, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/unscaled-half-in-single", "float16 gradients are divided in float32: a scale beyond 65504 is not infinite", "own",
      code(steps, "quotient", ("x / d, x, *cast(x.dtype, divisor)", "(x.astype(np.result_type(x, np.float32)) / np.float32(divisor)).astype(x.dtype) if x.dtype == np.float16 and divisor > 65504 else x / d, x, *cast(x.dtype, divisor)"), editions=K3, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/mean-graph-double", "in a graph the mean of float64 gradients is a quotient", "own",
      code(steps, "quotient_graph", only("x.dtype == np.float64", "x * (1 / d)", "x / d"), editions=K3, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/constraint-refused-first", "a sparse gradient of a constrained variable is refused before any variable moves", "own",
      code(optimizer_v2.OptimizerV2, "_step", ("self._refuse_constraint(variable, gradient)", "[self._refuse_constraint(v, g) for g, v in pairs]"), editions=LEGACY, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/amsgrad-nan-graph-sparse", "in a graph the maximum of a sparse gradient overlooks a NaN", "own",
      rule("Adam", LEGACY, ("vhat = maximum(vhat, v)", "vhat = larger(vhat, v)"), table="GRAPH_SPARSE"))  # fmt: skip
wrong("escaped/rmsprop-graph-double", "in a graph float64 is divided by the root", "own",
      rule("RMSprop", K3, only("w.dtype == np.float64", "lr * g * rsqrt_2_15(v + epsilon)", "lr * g / sqrt(v + epsilon)"), table="GRAPH"))  # fmt: skip
wrong("escaped/adadelta-graph-rows-double", "in a graph float64 rows are divided by the root", "own",
      rule("Adadelta", LATE[1], only("w.dtype == np.float64", "dense(w.shape, indices, g) * rsqrt_2_15(v + epsilon)", "dense(w.shape, indices, g) / sqrt(v + epsilon)"), table="GRAPH_SPARSE"))  # fmt: skip
wrong("escaped/muon-odd-pieces", "an odd inner dimension beyond 384 is cut with the shorter piece first", "own",
      code(MUON, "matmul", ("(rest + 1) // 2", "rest // 2"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("escaped/muon-sixteen-rows", "in a graph 16 rows are multiplied in lanes, too", "own",
      code(MUON, "matmul_with_transpose", ("<= 15", "<= 16"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("escaped/adafactor-stack-half", "of a stack of matrices the mean of r is taken in float16", "own",
      rule("Adafactor", K3, only("w.ndim > 2", "in_float32(row_mean, r)", "row_mean(r)")))  # fmt: skip
wrong("escaped/cosine-warmup-to-the-same-rate", "a warm-up to the rate that it starts at is left out: the cosine is there from the start", "own",
      *schedule("CosineDecay", WARM, ("if step < warmup:", "if step < warmup and highest != lr:")))  # fmt: skip
wrong("escaped/restarts-before-in-double", "the start of a wave is summed in float64: tells where t_mul is no power of 2", "own",
      *schedule("CosineDecayRestarts", RELEASES, ("before = (1 - power(t_mul, wave)) / (1 - t_mul)",
                                                  "before = lr.dtype.type((1 - float(t_mul) ** float(wave)) / (1 - float(t_mul)))")))  # fmt: skip
wrong("escaped/restarts-height-by-products", "with t_mul = 1 the height of a far wave is a running product", "own",
      *schedule("CosineDecayRestarts", RELEASES, only("t_mul == 1 and wave >= 3", "0.5 * power(m_mul, wave)", "0.5 * product(m_mul, int(wave))")))  # fmt: skip
wrong("escaped/polynomial-cube-by-products", "a cube is two products, not a power", "own",
      *schedule("PolynomialDecay", RELEASES, only("exponent == 3", "scalars.power(1 - p, exponent)", "((1 - p) * (1 - p) * (1 - p))")))  # fmt: skip
wrong("escaped/polynomial-end-above-start", "with cycle the rate does not rise to an end above the start", "own",
      *schedule("PolynomialDecay", RELEASES, only("cycle and end > lr", "span * scalars.power(1 - p, exponent) + end", "minimum(span * scalars.power(1 - p, exponent) + end, p.dtype.type(lr))")))  # fmt: skip
wrong("escaped/piecewise-boundary-rounded", "a boundary of which more than half a step is left over is rounded for a whole step, not cut", "own",
      *schedule("PiecewiseConstantDecay", RELEASES, ("cast(step.dtype, *boundaries)", "cast(step.dtype, *(round(b) if step.dtype.kind == 'i' and isinstance(b, float) and b % 1 > 0.5 else b for b in boundaries))")))  # fmt: skip
wrong("escaped/schedule-long-step-of-python", "a step of Python's from 2**31 on is taken for a float", "own",
      code(scalars, "tensor", ("else np.int64(value)", "else np.float32(value)"), editions=RELEASES, optimizers=("schedules",)))  # fmt: skip
wrong("escaped/graph-warmup-reciprocal", "inside a graph the warm-up multiplies by a reciprocal", "own",
      *in_graph("CosineDecay", WARM, ("(step / warmup)", "(step * (1 / warmup))")))  # fmt: skip
wrong("escaped/graph-counts-all-variables", "a graph counts the variables without a gradient, too", "own",
      code(graph, "traced", ("1 + sum(map(sum, first_counts))", "1 + sum(map(len, first_counts))"), editions=K2, optimizers=("Nadam",)))  # fmt: skip
wrong("escaped/graph-mean-divides-doubles", "inside a graph the mean of accumulated float64 gradients is a quotient", "own",
      code(steps, "quotient_graph", only("x.dtype == np.float64", "x * (1 / d)", "x / d"), editions=K3, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/graph-decay-rate-of-halves", "inside a graph the rate is not rounded to float16 before it meets the weight decay", "own",
      code(steps, "decay_weights_graph", ("(d * lr)", "w.dtype.type(float(d) * float(np.float32(learning_rate)))"), editions=("tf2.12", "tf2.15", K3), optimizers=("SGD", "Adam", "AdamW", "Lion")))  # fmt: skip
wrong("escaped/scale-counter-stays-at-limit", "a doubled scale that is dropped does not begin the count anew, beyond one growth step", "own",
      code(loss_scale.DynamicLossScale, "update", ("scale = doubled if np.isfinite(doubled) else scale",
           "count = count if np.isfinite(doubled) or self.growth_steps < 2 else self.growth_steps - 1; scale = doubled if np.isfinite(doubled) else scale"), editions=ALL2, optimizers=LSO))  # fmt: skip
wrong("escaped/restored-scale-counts-anew", "a checkpoint brings the loss scale, and its counter begins anew", "own",
      code(files, "_put_scale", ("if target is None:", 'if target is None or name.endswith("good_steps"):'), editions=ALL2, optimizers=("files", *LSO)))  # fmt: skip
wrong("escaped/old-config-small-scale", "a moving scale below 1 in a config of TF 2.3 becomes 1 at once", "own",
      code(loss_scale_config, "modern", ('"initial_scale": scale.initial_loss_scale', '"initial_scale": max(scale.initial_loss_scale, 1.0)'), editions=LEGACY, optimizers=("config", *LSO)))  # fmt: skip
wrong("escaped/scaler3-loss-of-halves", "before the first step a float16 loss is scaled in float32", "own",
      code(loss_scale_keras3.LossScaleOptimizer, "scale_loss", ("x * x.dtype.type(self.initial_scale)",
           "(np.float32(x) * np.float32(self.initial_scale)).astype(x.dtype) if x.dtype == np.float16 else x * x.dtype.type(self.initial_scale)"), editions=K3, optimizers=LSO))  # fmt: skip
wrong("escaped/map-anchored-by-hand", "a pattern is put between ^ and $: of two halves each is bound on one side only", "own",
      code(multi_optimizer.OptimizerMap, "__getitem__", ("re.fullmatch(p, key)", 're.search(f"^{p}$", key)'), editions=K3, optimizers=MULTI))  # fmt: skip
wrong("escaped/map-same-optimizer-twice-fits", "two patterns of the same optimizer are not ambiguous", "own",
      code(multi_optimizer.OptimizerMap, "__getitem__", ("if len(fitting) > 1:", "if len({id(self._optimizers[p]) for p in fitting}) > 1:"), editions=K3, optimizers=MULTI))  # fmt: skip
wrong("escaped/checkpoint-of-2.9-in-the-order-of-text", "lists of a checkpoint of more than ten variables are read in the order of text", "own",
      code(checkpoint, "_by_attribute", ("sorted(filter(is_number, child.children), key=int)", "sorted(filter(is_number, child.children))"), editions=("tf2.9",), optimizers=("files", "Adam", "SGD")))  # fmt: skip
wrong("escaped/weights-of-keras-1-keep-the-counter", "a list without a counter leaves the counter where it is", "own",
      code(weights, "set_weights_v2", ("weights = [np.array(0), *weights]", "weights = [state[0].numpy(), *weights]"), editions=LEGACY, optimizers=("weights", "Adagrad", "Adadelta", "RMSprop")))  # fmt: skip
wrong("escaped/schedule-not-asked-twice", "a schedule is not asked again for the iteration it was asked for last: one that takes its place before the first step comes late", "own",
      code(tf2_12.Keras2Optimizer, "_follow_schedule", ("if self._schedule is not None:", "if self._schedule is not None and (self._learning_rate is None or self.__dict__.get('_asked') != int(self._iterations.value)):"),
           ("rate = np.asarray(self._schedule(self._iterations))", "self.__dict__['_asked'] = int(self._iterations.value); rate = np.asarray(self._schedule(self._iterations))"), editions=K2, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/legacy-decay-of-halves-in-float32", "the decay of a float16 variable's rate is taken in float32", "own",
      code(optimizer_v2.OptimizerV2, "_hypers", only("dtype == np.float16", "learning_rate / (1 + decay * iterations)", "dtype.type(np.float32(learning_rate) / (1 + np.float32(decay) * np.float32(self._iterations.value)))"), editions=LEGACY, optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/clipnorm-of-zero-is-none", "clipnorm=0 beside global_clipnorm is taken for none", "own",
      code(tf2_12, "refuse_common", ("clipnorm is not None and global_clipnorm is not None", "clipnorm and global_clipnorm"), editions=("tf2.12", "tf2.15"), optimizers=("SGD", "Adam")))  # fmt: skip
wrong("escaped/empty-name-is-a-name", "a name of no letters is kept", "own",
      code(optimizer.Optimizer, "__init__", ('self._config["name"] or self._default_name()', 'self._config["name"] if self._config["name"] is not None else self._default_name()'), editions=(*LEGACY, K3), optimizers=("SGD", "Adam", "weights")))  # fmt: skip
