"""Wrong implementations of one more fresh list: each passed all goldens, or all properties, when it was first tried."""

from __future__ import annotations

from goldenstep.reference import clipping, exclusion
from goldenstep.reference.editions import keras3, state_keras2, state_keras3
from goldenstep.reference.wrappers import multi_optimizer

from . import LEGACY, code, rule, sparse, wrong
from .subtle import K2, K3, schedule
from .subtle_rare import prepared

AFTER_2_4 = ("tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy")

# ---- a rule ----------------------------------------------------------------------------------------------------------

wrong("unseen/nadam-cache-of-any-dtype", "the product of momenta is multiplied also where no variable has its dtype", "own",
      prepared(("if u_product.dtype not in dtypes:", "if not dtypes:")))  # fmt: skip
wrong("unseen/muon-at-least-one-step", "ns_steps = 0 iterates once", "own",
      rule("Muon", K3, ("nesterov else m, ns_steps,", "nesterov else m, max(ns_steps, 1),")))  # fmt: skip
wrong("unseen/ftrl-rows-of-one-column", "rows of one number are taken as such only if the variable is a vector", "own",
      code("goldenstep.reference.rules.ftrl", "summed_by_kernel", ("linear.size == len(linear)", "linear.ndim == 1"), editions=LEGACY, optimizers="Ftrl"))  # fmt: skip
wrong("unseen/ftrl-divides-at-the-edge", "a linear of just l1 is divided, be it 0 by 0", "own",
      rule("Ftrl", AFTER_2_4, ("abs(linear) > l1", "abs(linear) >= l1")))  # fmt: skip
wrong("unseen/rmsprop-mean-of-sums", "centered, duplicate rows are summed before they are scaled for the mean", "own",
      sparse("RMSprop", K3, ("dense(w.shape, indices, rest * g)", "rest * dense(w.shape, indices, g)"), ("w = added(", "w = added(")))  # fmt: skip
wrong("unseen/adamw-negative-decay-of-rows", "with rows, a weight decay below 0 is none", "own",
      sparse("AdamW", "tf2.9", ("if weight_decay != 0 else w", "if weight_decay > 0 else w")))  # fmt: skip

# ---- the pipeline, names, schedules, wrappers --------------------------------------------------------------------------

wrong("unseen/clipnorm-0-hides-clipvalue", "a clipnorm of 0 counts as the kind of clipping that is set", "own",
      code(clipping, "by_norm_or_global_norm_or_value", ('if (config["clipvalue"] or 0) > 0:', 'if (config["clipvalue"] or 0) > 0 and config["clipnorm"] is None:'), editions=K2))  # fmt: skip
wrong("unseen/muon-patterns-in-a-path", "Muon looks for the patterns of what is spared in the whole path", "own",
      code(keras3.BaseOptimizer, "_name_searched", ('variable.path.rpartition("/")[2]', "variable.path"), ("super()", "super(BaseOptimizer, self)"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("unseen/patterns-in-the-last-name", "patterns of what is spared are looked for behind the last slash alone", "own",
      code(exclusion.ExcludesFromWeightDecay, "_name_searched", ("{variable.name}:0", "{variable.name.rpartition('/')[2]}:0"), editions=("tf2.12", "tf2.15", K3), optimizers=("SGD", "AdamW")))  # fmt: skip
wrong("unseen/keras2-number-is-spread", "a number as first value is spread over the shape of the variable", "own",
      code(state_keras2.StateKeras2, "add_variable_from_reference", ("np.asarray(initial_value, model_variable.dtype)", "np.broadcast_to(np.asarray(initial_value, model_variable.dtype), value.shape)"), editions=K2, optimizers="SGD"))  # fmt: skip
wrong("unseen/keras3-path-with-one-slash", "of a path only the first slash is replaced in a name", "own",
      code(state_keras3.StateKeras3, "add_variable_from_reference", ('.replace("/", "_")', '.replace("/", "_", 1)'), editions=K3, optimizers="SGD"))  # fmt: skip
wrong("unseen/piece-of-0-times-infinity", "an infinite value of another piece, the first or the last, does not count", "own",
      *schedule("PiecewiseConstantDecay", K3, ("dtype(pieces[0]) * values[0]", "(values[0] if pieces[0] else dtype(0))"), ("dtype(pieces[-1]) * values[-1]", "(values[-1] if pieces[-1] else dtype(0))")))  # fmt: skip
wrong("unseen/state-of-the-third-optimizer", "set_weights gives the third optimizer nothing", "own",
      code(multi_optimizer.MultiOptimizer, "set_weights", ("for optimizer in self._inner_optimizers:", "for optimizer in self._inner_optimizers[:2]:"), editions=K3, optimizers="MultiOptimizer"))  # fmt: skip
