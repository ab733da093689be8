"""More wrong configs, identifiers and weights, those of wrappers, and wrong readers of files."""

from __future__ import annotations

from goldenstep.reference.editions import keras3
from goldenstep.reference.editions.optimizer_v2 import OptimizerV2
from goldenstep.reference.formats import (
    bundle,
    by_class_name,
    by_module,
    checkpoint,
    files,
    hdf5,
    identifiers,
    weights,
)
from goldenstep.reference.formats.config import Configured
from goldenstep.reference.wrappers import loss_scale_config

from . import NEW, code
from .serializations import rejected

# ---- configs ----------------------------------------------------------------------------------------------

rejected(
    "config/counts-as-floats",
    "ema_overwrite_frequency becomes a float",
    "tf2.15/config/adam-pipeline",
    code(
        Configured,
        "_in_config",
        (
            "else getattr(self, key)",
            'else float(getattr(self, key) or 0) if key == "ema_overwrite_frequency" else getattr(self, key)',
        ),
        editions="tf2.15",
    ),
)
rejected(
    "config/unknown-keys-ignored",
    "from_config leaves out what the constructor does not know",
    "keras3/config/adam-learning_speed=0.1",
    code(
        Configured,
        "from_config",
        (
            "return cls(**config)",
            "return cls(**{k: v for k, v in config.items() if k in cls.__signature__.parameters})",
        ),
        editions=NEW,
    ),
)
rejected(
    "config/name-lost",
    "from_config gives every optimizer its usual name",
    "keras3/config/sgd-pipeline",
    code(Configured, "from_config", ("return cls(**config)", 'return cls(**{**config, "name": None})'), editions=NEW),
)
rejected(
    "config/rate-as-it-was-given",
    "the learning rate in the config is the shortest decimal, not the float32 number that is used",
    "keras3/config/sgd-defaults",
    code(
        keras3.BaseOptimizer,
        "_in_config",
        ("super()", "super(BaseOptimizer, self)"),
        ("float(rate)", "float(str(rate.value))"),
        editions="keras3",
    ),
)
rejected(
    "config/rate-rounded-to-float32",
    "a hyperparameter of OptimizerV2 is rounded to float32 in the config before it is a variable",
    "tf2.4/config/sgd-defaults",
    code(
        OptimizerV2,
        "_in_config",
        ("super()", "super(OptimizerV2, self)"),
        ("else value", "else float(np.float32(value)) if type(value) is float else value"),
        editions="tf2.4",
    ),
)
rejected(
    "config/own-schedules-unknown",
    "from_config does not hand custom_objects on",
    "tf2.4/config/sgd-schedule-of-ones-own",
    code(
        Configured,
        "from_config",
        ('config["learning_rate"], custom_objects', 'config["learning_rate"], None'),
        editions="tf2.4",
    ),
)

# ---- identifiers ------------------------------------------------------------------------------------------

rejected(
    "identifiers/config-null",
    "a config of null is refused",
    "keras3/identifiers/dict-null-config",
    code(by_module, "_made", ("instead got {type(inner)}", "got"), ("dict | None)", "dict)"), editions="keras3"),
)
rejected(
    "identifiers/registered-name-missing",
    "a class of one's own has no registered name",
    "keras3/identifiers/custom-serialize",
    code(
        by_module,
        "serialize",
        ("cls.__name__ if module is None or", "cls.__name__ if"),
        ('if ".src." in module', 'if ".src." in (module or "")'),
        editions="keras3",
    ),
)
rejected(
    "identifiers/module-of-the-file",
    "a class is serialized with the module that its source lies in, not with the public one",
    "keras3/identifiers/serialize-sgd",
    code(by_module, "serialize", ("module = public.module_of(cls)", "module = None"), editions="keras3"),
)
rejected(
    "identifiers/given-dict-spared",
    "the class name in the given dict stays as it is",
    "tf2.15/identifiers/dict-plain",
    code(identifiers, "lowered", ('config["class_name"] = config["class_name"].lower()', "pass"), editions="tf2.15"),
)
rejected(
    "identifiers/none-is-none",
    "serialize refuses None",
    "tf2.4/identifiers/serialize-object-none",
    code(by_class_name, "serialize", ("return None", 'raise ValueError("None")'), editions="tf2.4"),
)

rejected(
    "identifiers/legacy-forgotten",
    "use_legacy_optimizer changes nothing",
    "tf2.12/identifiers/get-adam",
    code(
        identifiers.Table,
        "__getitem__",
        ("self._places[name]", 'self._places[name].replace(".legacy", "")'),
        editions="tf2.12",
    ),
)
rejected(
    "identifiers/schedules-in-any-case",
    "the class name of a schedule is put in lower case before it is looked for",
    "tf2.4/identifiers/schedules-exponentialdecay",
    code(
        by_class_name,
        "deserialize",
        ('known.found(identifier["class_name"], custom)', 'known.found(identifier["class_name"].lower(), custom)'),
        editions="tf2.4",
    ),
)

# ---- weights ----------------------------------------------------------------------------------------------

rejected(
    "weights/rate-stored-twice",
    "a store has the learning rate once more, at its end",
    "keras3/weights/adam-save_own_variables",
    code(
        weights,
        "save_own_variables",
        (
            "        store[str(index)] = variable.numpy()",
            "        store[str(index)] = variable.numpy()\n    store[str(len(state))] = state[1].numpy()",
        ),
        editions="keras3",
    ),
)
rejected(
    "weights/counter-of-32-bits",
    "the counter is stored as int32",
    "tf2.15/weights/sgd-save_own_variables",
    code(
        weights,
        "save_own_variables",
        ("variable.numpy()", "np.asarray(variable.numpy(), np.int32 if index == 0 else None)"),
        editions="tf2.15",
    ),
)
rejected(
    "weights/missing-key-skipped",
    "a number that is not in the store leaves its variable as it is",
    "keras3/weights/sgd-load_own_variables-other-key",
    code(
        weights,
        "load_own_variables",
        ("variable.assign(store[str(index)])", "variable.assign(store.get(str(index), variable.numpy()))"),
        editions="keras3",
    ),
)
rejected(
    "weights/shape-stretched",
    "OptimizerV2 takes an array of another shape with as many numbers",
    "tf2.4/weights/sgd-set_weights-other-shape",
    code(
        weights,
        "set_weights_v2",
        ("variable.shape != weight.shape", "False"),
        ("variable.assign(weight)", "variable.assign(weight.reshape(variable.shape))"),
        editions="tf2.4",
    ),
)
rejected(
    "weights/set-before-built",
    "an optimizer that is not built takes what fits, without an error",
    "keras3/weights/sgd-set_weights-unbuilt",
    code(weights, "set_weights", ("if not built", "if False"), editions="keras3"),
)
rejected(
    "weights/vhat-of-keras-1-refused",
    "a list with a vhat for each variable is refused",
    "tf2.9.legacy/weights/adam-set_weights-with-vhat",
    code(weights, "set_weights_v2", ('REPAIRS.get(optimizer) == "vhat"', "False"), editions="tf2.9.legacy"),
)

rejected(
    "weights/all-or-nothing",
    "set_weights of Keras 3 looks at all shapes before it assigns anything",
    "keras3/weights/sgd-set_weights-other-shape",
    code(
        weights,
        "set_weights",
        (
            "    for variable, weight in zip",
            "    if any(v.shape != w.shape for v, w in zip(state, weights)):\n"
            "        raise ValueError\n"
            "    for variable, weight in zip",
        ),
        editions="keras3",
    ),
)

# ---- wrappers ---------------------------------------------------------------------------------------------

rejected(
    "wrappers/scale-as-it-is-now",
    "the config of a LossScaleOptimizer has the scale as it is now",
    "tf2.4/config/lossscaleoptimizer-once-the-scale-moved",
    code(
        loss_scale_config.Configured, "get_config", ("self.initial_scale,", "float(self.loss_scale),"), editions="tf2.4"
    ),
)
rejected(
    "wrappers/inner-by-name",
    "the optimizer inside stands in the config by its name",
    "tf2.12/config/lossscaleoptimizer-adam",
    code(
        loss_scale_config.Configured,
        "get_config",
        ("self._release().serialize(self.inner_optimizer)", "type(self.inner_optimizer).__name__"),
        editions="tf2.12",
    ),
)
rejected(
    "wrappers/configs-of-tf2.3-refused",
    "a config with optimizer and loss_scale is not understood",
    "tf2.4/config/lossscaleoptimizer-from-tf2.3-fixed",
    code(
        loss_scale_config.ConfiguredV2,
        "from_config",
        ('"loss_scale" in config', "False"),
        ("super()", "super(ConfiguredV2, cls)"),
        editions="tf2.4",
    ),
)
rejected(
    "wrappers/any-multiplier",
    "a loss scale of TF 2.3 that grows threefold is taken",
    "tf2.9.legacy/config/lossscaleoptimizer-from-tf2.3-multiplier-3",
    code(loss_scale_config, "loss_scale_of", ("scale.multiplier != 2", "False"), editions="tf2.9.legacy"),
)
rejected(
    "wrappers/no-instances",
    "an optimizer that is there already is no inner_optimizer",
    "tf2.15/config/lossscaleoptimizer-from-inner-instance",
    code(loss_scale_config.TakesInstances, "_inner", ("isinstance(document, Optimizer)", "False"), editions="tf2.15"),
)
rejected(
    "wrappers/registered",
    "the wrapper of the new generation is serialized as Custom>LossScaleOptimizerV3",
    "tf2.12/identifiers/serialize-lossscaleoptimizer-sgd",
    code(
        identifiers,
        "registered_name",
        ('vars(cls).get("rules")', "True"),
        ("issubclass(cls, Optimizer)", 'hasattr(cls, "edition")'),
        editions="tf2.12",
    ),
)
rejected(
    "wrappers/weights-handed-on",
    "set_weights of Keras 3's LossScaleOptimizer reaches the optimizer inside",
    "keras3/weights/lossscaleoptimizer-set_weights",
    code(keras3.LossScaleOptimizer, "set_weights", ("self._state,", "self.variables,"), editions="keras3"),
)
rejected(
    "wrappers/own-state-only",
    "the store of Keras 3's LossScaleOptimizer has the wrapper's own state only",
    "keras3/resume/lossscaleoptimizer-adam-store",
    code(keras3.LossScaleOptimizer, "save_own_variables", ("self.variables", "self._state"), editions="keras3"),
)
rejected(
    "wrappers/patterns-lost",
    "the config of an OptimizerMap has the default alone",
    "keras3/config/multioptimizer-defaults",
    code(keras3.OptimizerMap, "get_config", ("serialize(self._optimizers,", "serialize({},"), editions="keras3"),
)
rejected(
    "wrappers/arrays-kept-back",
    "set_weights of a MultiOptimizer takes the wrapper's own state alone",
    "keras3/weights/multioptimizer-set_weights",
    code(
        keras3.MultiOptimizer,
        "set_weights",
        ("optimizer.set_weights(rest[: len(optimizer.variables)])", "pass"),
        editions="keras3",
    ),
)

# ---- files ------------------------------------------------------------------------------------------------

rejected(
    "files/product-not-restored",
    "Nadam's product of momenta is left in the checkpoint",
    "tf2.12/files/nadam/defaults-checkpoint",
    code(files, "_put_beside", ('{"_u_product": "_u_product", ', "{"), editions="tf2.12"),
)
rejected(
    "files/m-and-v-exchanged",
    "the first moment is given to the second, and the second to the first",
    "tf2.9.legacy/files/adam/defaults-checkpoint",
    code(
        files,
        "_target",
        ("weight.slot)\n    except", '{"m": "v", "v": "m"}.get(weight.slot, weight.slot))\n    except'),
        editions="tf2.9.legacy",
    ),
)
rejected(
    "files/slices-transposed",
    "slices of a tensor are put together in the order of the other axis",
    "keras3/files/adam/shards-of-16-bytes-checkpoint",
    code(
        bundle,
        "_whole",
        ("return slices_of_tensors.assembled(", "return np.flip(slices_of_tensors.assembled("),
        ("places, piece)", "places, piece))"),
        editions="keras3",
    ),
)
rejected(
    "files/counter-not-restored",
    "the counter of a checkpoint is left there",
    "tf2.4/files/adam/defaults-checkpoint",
    code(
        files,
        "put",
        ("target.assign(weight.value)", 'target.assign(target.value if weight.slot == "iter" else weight.value)'),
        editions="tf2.4",
    ),
)
rejected(
    "files/second-moments-first",
    "the names in an .h5 file are sorted by the kind of slot, v before m",
    "tf2.4/files/adam/defaults-h5",
    code(
        hdf5,
        "_model",
        (
            "for name in names]\n    return",
            'for name in sorted(names, key=lambda n: ("iter", "v:", "m:").index(next(k for k in ("iter", "v:", "m:") '
            "if k in n)))]\n    return",
        ),
        editions="tf2.4",
    ),
)
rejected(
    "files/pairs-turned-round",
    "in optimizer/vars the velocity is taken to stand before the momentum",
    "keras3/files/adam/defaults-weights.h5",
    code(
        hdf5,
        "numbered",
        (
            "for index in sorted(groups[group])]",
            "for index in sorted(groups[group], key=lambda n: n if n < 2 else n ^ 1)]",
        ),
        editions="keras3",
    ),
)
rejected(
    "files/list-turned-round",
    "in the list _variables the velocity is taken to stand before the momentum",
    "keras3/files/adam/defaults-checkpoint",
    code(
        checkpoint, "_listed", ("key=int)]", "key=lambda n: int(n) if int(n) < 2 else int(n) ^ 1)]"), editions="keras3"
    ),
)
rejected(
    "files/attributes-as-they-were-made",
    "the lists of a checkpoint of TF 2.9 are taken in the order in which the optimizer makes them",
    "tf2.9/files/adadelta/defaults-checkpoint",
    code(
        checkpoint,
        "_by_attribute",
        ("sorted(node.children)", 'sorted(node.children, key=lambda n: n.replace("delta_vars", "zeta"))'),
        editions="tf2.9",
    ),
)
rejected(
    "files/wrapper-without-its-counter",
    "of a wrapper of Keras 2 the checkpoint's scale is taken, but not its counter",
    "tf2.15/files/lossscaleoptimizer/sgd-checkpoint",
    code(checkpoint, "_described", ("for name in SCALE if", "for name in SCALE[:1] if"), editions="tf2.15"),
)
