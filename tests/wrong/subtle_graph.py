"""Wrong implementations of graph mode, and of what no golden or property of before asked for."""

from __future__ import annotations

from goldenstep.reference import optimizer, schedules, steps
from goldenstep.reference.editions import keras3, optimizer_v2, tf2_12
from goldenstep.reference.formats import weights
from goldenstep.reference.formats.config import Configured
from goldenstep.reference.wrappers import multi_optimizer

from . import LEGACY, code, wrong
from .subtle import K2, K3, RELEASES, in_graph, schedule

BASE, ALL = keras3.BaseOptimizer, (*LEGACY, *K2, K3)

# ---- inside a graph --------------------------------------------------------------------------------------------------

wrong("graph/count-of-a-new-graph", "a graph for other missing gradients counts from 1 again", "own",
      code("goldenstep.reference.graph", "traced", ("1 + sum(map(sum, first_counts))", "1"), editions=K2, optimizers="Nadam"))  # fmt: skip
wrong("graph/count-of-every-step", "what Python counts goes on in every step", "own",
      code("goldenstep.reference.graph", "traced", ("first = first_counts.setdefault(given, 1 + sum(map(sum, first_counts)))", "first = 1 + int(optimizer.iterations)"), editions=K2, optimizers="Nadam"))  # fmt: skip
wrong("graph/rows-as-eager", "rows are stepped in a graph as they are outside", "own",
      code(optimizer.Optimizer, "_in_mode", ("if self._in_graph else rule", 'if self._in_graph and table == "GRAPH" else rule'), editions=ALL, optimizers=("Adam", "RMSprop", "Adagrad", "Nadam", "Lion", "Lamb")))  # fmt: skip
wrong("graph/schedule-as-eager", "a schedule divides in a graph, too", "own",
      code(schedules.Specified, "__call__", ("IN_GRAPH.get()", "False"), editions=ALL, optimizers="SGD"))  # fmt: skip
wrong("graph/cycles-as-documented", "a cycle of PolynomialDecay begins where the step is a multiple", "own",
      *in_graph("PolynomialDecay", RELEASES, ("ceil(step * (1 / steps))", "ceil(step / steps)")))  # fmt: skip
wrong("graph/warmup-by-reciprocal", "the climb is multiplied by a reciprocal, as the fall without one is", "own",
      *in_graph("CosineDecay", ("tf2.15", K3), ("(step / warmup)", "(step * (1 / warmup))"), ("divide(step - warmup, steps)", "(step - warmup) * (1 / steps)")))  # fmt: skip
wrong("graph/decay-as-eager", "weight and decay are multiplied first", "own",
      code(steps, "decay_weights_graph", ("w * (d * lr)", "w * d * lr"), editions=("tf2.12", "tf2.15", K3), optimizers=("AdamW", "SGD")))  # fmt: skip
wrong("graph/mean-as-eager", "what was accumulated is divided", "own",
      code(steps, "quotient_graph", ("x * (1 / d)", "x / d"), editions=K3, optimizers="SGD"))  # fmt: skip
wrong("graph/unscaled-as-eager", "a gradient is divided by loss_scale_factor in a graph, too", "own",
      code(BASE, "_unscaled", ("steps.quotient_graph if self._in_graph else steps.quotient", "steps.quotient"), editions=K3, optimizers="SGD"))  # fmt: skip
# ---- outside of it ---------------------------------------------------------------------------------------------------

wrong("unasked/average-by-seven-bits", "how seldom averages are written back is kept in seven bits", "own",
      code(BASE, "_average_weights", ('frequency = self._config["ema_overwrite_frequency"]', 'frequency = (self._config["ema_overwrite_frequency"] or 0) & 127'), editions=K3))  # fmt: skip
wrong("unasked/average-by-31-bits", "beyond 2**31 the count of steps is taken in 31 bits where averages are written back", "own",
      code(tf2_12.Keras2Optimizer, "_average_weights", ("(self._iterations.value + 1) %", "((self._iterations.value + 1) & 0x7FFFFFFF) %"), editions=("tf2.12", "tf2.15")))  # fmt: skip
wrong("unasked/alpha-of-the-rate", "alpha is rounded before it is taken from 1", "own",
      *schedule("CosineDecay", RELEASES[:3], ("return lr * ((1", "alpha = lr.dtype.type(alpha)\n    return lr * ((1")),
      *schedule("CosineDecay", RELEASES[3:], ("return highest * ((1", "alpha = lr.dtype.type(alpha)\n    return highest * ((1")))  # fmt: skip
wrong("unasked/boundary-of-halves", "boundaries keep their fractions for whole steps", "own",
      *schedule("PiecewiseConstantDecay", RELEASES, ("low, values = cast(step.dtype, *boundaries)", "low, values = list(boundaries)")))  # fmt: skip
wrong("unasked/noise-fades-after-the-end", "the variance of the noise shrinks on after the end", "own",
      *schedule("NoisyLinearCosineDecay", "tf2.4", ("step = minimum(step, steps)", "late, step = step, minimum(step, steps)"), ("power(1 + step, ", "power(1 + late, ")))  # fmt: skip
wrong("unasked/third-optimizer-by-another-count", "of three optimizers the later ones take the values from too early on", "own",
      code(multi_optimizer.MultiOptimizer, "set_weights", ("rest = rest[len(optimizer.variables) :]", "rest = rest[len(self._state) if len(self._inner_optimizers) > 2 else len(optimizer.variables) :]"), editions=K3, optimizers=("MultiOptimizer", "weights")))  # fmt: skip
wrong("unasked/one-is-true", "an option that is 1 is true in a config", "own",
      code(Configured, "_in_config", ("else getattr(self, key)", "else bool(getattr(self, key)) if key == 'amsgrad' else getattr(self, key)"), editions=ALL, optimizers=("Adam", "config")))  # fmt: skip
wrong("unasked/lr-of-0", "lr=0 is no learning rate", "own",
      code(optimizer_v2.OptimizerV2, "_accept", ('= kwargs.get("lr", self._config["learning_rate"])', '= kwargs.get("lr") or self._config["learning_rate"]'), editions=LEGACY, optimizers=("SGD", "config")))  # fmt: skip
wrong("unasked/store-in-the-order-of-text", "arrays are taken in the order of their names, 10 before 2", "own",
      code(weights, "load_own_variables", ("for index, variable in enumerate(state):\n        variable.assign(store[str(index)])", "for key, variable in zip(sorted(store.keys()), state):\n        variable.assign(store[key])"), editions=("tf2.12", "tf2.15", K3), optimizers=("Adam", "weights")))  # fmt: skip
