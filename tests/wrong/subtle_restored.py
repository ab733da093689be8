"""Wrong where a file is restored to an optimizer made otherwise, and where what is handed over can be read once."""

from __future__ import annotations

from goldenstep.reference.formats import files
from goldenstep.reference.wrappers import loss_scale_keras3, loss_scale_v2

from . import LEGACY, code, wrong
from .subtle import K3

WRAPPED = "LossScaleOptimizer"
BESIDE = 'elif isinstance(getattr(optimizer, "_hyper", {}).get(name), Variable) and value.shape == ():'
TARGETS = '{"_u_product": "_u_product", _name_of_rate(optimizer): "_learning_rate"}'

wrong("restored/hyperparameters-stay", "a checkpoint does not bring the hyperparameters of OptimizerV2", "own",
      code(files, "_put_beside", (BESIDE, 'elif name in getattr(optimizer, "_hyper", ()) and name not in optimizer._config:'), editions=LEGACY, optimizers=("SGD", "Adam", "files")))  # fmt: skip
wrong("restored/rate-stays", "a checkpoint brings every hyperparameter of OptimizerV2 but the learning rate", "own",
      code(files, "_put_beside", (BESIDE, BESIDE.replace("elif ", 'elif name != "learning_rate" and ')), editions=LEGACY, optimizers=("SGD", "Adam", "files")))  # fmt: skip
wrong("restored/rate-replaces-a-schedule", "the learning rate of a checkpoint takes the place of a schedule", "own",
      code(files, "_put_beside", (BESIDE, 'elif name in getattr(optimizer, "_hyper", ()) and value.shape == ():'), editions=LEGACY, optimizers=("SGD", "Adam", "files")))  # fmt: skip
wrong("restored/last-rate-of-a-schedule-stays-on", "the last number of a schedule becomes the learning rate of an optimizer that has none", "own",
      code(files, "_put_beside", (TARGETS, '{"_u_product": "_u_product", "_learning_rate": "_learning_rate", "_current_learning_rate": "_learning_rate"}'), editions=("tf2.12", "tf2.15"), optimizers=("SGD", "Adam", "files")))  # fmt: skip
wrong("restored/decay-of-the-checkpoint-is-used", "from tf2.9 on, too, the decay of a checkpoint takes the place of the given one", "own",
      code(files, "_put_beside", ("setattr(optimizer, name, value[()].item())", 'setattr(optimizer, "_initial_decay" if name == "decay" else name, value[()].item())'), editions=LEGACY, optimizers=("SGD", "Adam", "files")))  # fmt: skip
wrong("restored/scale-stays", "a loss scale that is restored begins with its own initial_scale", "own",
      code(files, "_put_scale", ("target.assign(value)", 'target.assign(target.value if name == "loss_scale/current_loss_scale" else value)'), editions=(*LEGACY, "tf2.9", "tf2.12", "tf2.15"), optimizers=(WRAPPED, "files")))  # fmt: skip
wrong("restored/pairs-read-twice", "TF 2.4's wrapper goes through its pairs twice: an iterator is empty for the inner optimizer", "own",
      code(loss_scale_v2.LossScaleOptimizer24, "apply_gradients", ("pairs = list(grads_and_vars)", "pairs = grads_and_vars"), editions=("tf2.4",), optimizers=(WRAPPED, "LossScaleOptimizerV1")))  # fmt: skip
wrong("restored/wrapper-drops-grad-loss", "minimize of a wrapper forgets grad_loss", "own",
      code(loss_scale_v2.LossScaleOptimizer, "_compute_gradients", ("(x, var_list, grad_loss, t)", "(x, var_list, None, t)"), editions=LEGACY, optimizers=(WRAPPED, "LossScaleOptimizerV1")))  # fmt: skip
wrong("restored/unscaled-rows-stay-halves", "rows of a float16 gradient are rounded to float16 again after the division by the scale", "own",
      code(loss_scale_keras3, "_divided", ("with_values([gradient], [quotient])", "with_values([gradient], [np.asarray(quotient).astype(values.dtype) if isinstance(gradient, IndexedSlices) else quotient])"), editions=K3, optimizers=(WRAPPED,)))  # fmt: skip
