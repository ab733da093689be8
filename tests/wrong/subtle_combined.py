"""Wrong only where two things come together: what a fourth list of other eyes thought of, and no golden rejected then."""

from __future__ import annotations

from goldenstep.reference.editions import tf2_12
from goldenstep.reference.formats import weights
from goldenstep.reference.wrappers import multi_optimizer

from . import LEGACY, NEW, code, rule, sparse, wrong
from .subtle import K3

LATE = ("tf2.12", "tf2.15")
SOME = ("SGD", "Adam")

wrong("combined/adafactor-stack-mean", "of a sparse stack of matrices, r is divided by its mean over all of the stack", "own",
      sparse("Adafactor", K3, ("in_float32(row_mean, r)[..., None]", "(in_float32(row_mean, r)[..., None] if w.ndim < 3 else in_float32(mean, r))")))  # fmt: skip
wrong("combined/adamax-correction-dropped", "the bias correction is left out once beta_1 ** t is below 2e-8, which float64 can tell from 0", "own",
      rule("Adamax", NEW, ("(1 - power(b1, t))", "(1 - power(b1, t) * (power(b1, t) > 2e-8))")))  # fmt: skip
wrong("combined/sgd-idle-nesterov-zeros", "inside a graph, sparse nesterov without momentum adds the velocity to every row: an untouched -0.0 becomes 0.0", "own",
      rule("SGD", LATE, ("w = added(w, indices, -g * lr)", "w = w + m"), table="GRAPH_SPARSE"))  # fmt: skip
wrong("combined/schedule-reads-first-counter", "2.12, 2.15: a schedule looks at the counter that the optimizer was made with, not at the one assigned to iterations", "own",
      code(tf2_12.Keras2Optimizer, "_follow_schedule", ("self._schedule(self._iterations)", 'self._schedule(self._slots["iteration", None])'), editions=LATE, optimizers=SOME))  # fmt: skip
wrong("combined/average-frequency-reads-first-counter", "2.12, 2.15: when averages are written back is told by the counter that the optimizer was made with, not by one assigned to iterations", "own",
      code(tf2_12.Keras2Optimizer, "_average_weights", ("(self._iterations.value + 1) % frequency", '(self._slots["iteration", None].value + 1) % frequency'), editions=LATE, optimizers=SOME))  # fmt: skip
wrong("combined/one-array-for-unbuilt-adam", "OptimizerV2: Adam without state refuses a list of one array, (0 - 1) // 2 being -1", "own",
      code(weights, "set_weights_v2", ("int((len(state) - 1) / 2)", "((len(state) - 1) // 2)"), editions=LEGACY, optimizers=("Adam", "weights")))  # fmt: skip
wrong("combined/multi-finalizes-in-order-of-build", "MultiOptimizer hands the listed variables to finalize_variable_values in the order of build, so that each gets its own average", "own",
      code(multi_optimizer.MultiOptimizer, "finalize_variable_values", ("optimizer.finalize_variable_values(variables)", "optimizer.finalize_variable_values([v for v in optimizer._trainable_variables if v in variables])"), editions=K3, optimizers=("MultiOptimizer",)))  # fmt: skip
wrong("combined/multi-knows-optimizers-by-name", "MultiOptimizer takes two inner optimizers of one name, such as a config of a shared one gives, for one", "own",
      code(multi_optimizer.MultiOptimizer, "_add", ("optimizer is known", "optimizer.name == known.name"), ("known is optimizer", "known.name == optimizer.name"), editions=K3, optimizers=("MultiOptimizer",)))  # fmt: skip
