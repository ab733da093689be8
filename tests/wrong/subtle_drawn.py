"""Wrong implementations that were drawn too seldom: configs, weights, steps below 0, namesakes, what is handed over."""

from __future__ import annotations

from goldenstep.reference import optimizer, variable
from goldenstep.reference.editions import keras3, tf2_12
from goldenstep.reference.formats import by_module, config, weights
from goldenstep.reference.wrappers import loss_scale_config, loss_scale_keras3, multi_optimizer

from . import LEGACY, NEW, Part, code, wrong
from .subtle import schedule

ALL = (*LEGACY, *NEW)
K2 = ("tf2.9", "tf2.12", "tf2.15")
K3 = "keras3"
DEC = ("tf2.12", "tf2.15", "keras3")
E = ("tf2.4", "tf2.9", "tf2.12", "tf2.15", "keras3")


# ---- configs ---------------------------------------------------------------------------------------------------------


def told(before: str, after: str, *editions: str, optimizers: tuple[str, ...] = ("SGD", "Adam")) -> Part:
    """Replaces text of what a config holds under a key."""
    return code(config.Configured, "_in_config", (before, after), editions=editions, optimizers=optimizers)


def made(given: str, *editions: str, optimizers: tuple[str, ...] = ("SGD", "Adam")) -> Part:
    """Replaces what the constructor is given of a config."""
    pair = "return cls(**config)", f"return cls(**{given})"
    return code(config.Configured, "from_config", pair, editions=editions, optimizers=optimizers)


wrong(
    "drawn/k3-config-of-the-first-rate",
    "a config holds the first learning rate, whatever was assigned",
    "own",
    code(
        keras3.BaseOptimizer,
        "_in_config",
        ("return float(rate) if", 'return float(np.float32(self._config["learning_rate"])) if'),
        editions=K3,
    ),
)
wrong(
    "drawn/k2-config-of-the-first-rate",
    "a config holds the first learning rate, whatever was assigned",
    "own",
    code(
        tf2_12.Keras2Optimizer,
        "_in_config",
        ("return self.learning_rate.value[()]", 'return np.float32(self._config["learning_rate"])'),
        editions=K2,
    ),
)
wrong(
    "drawn/config-of-0-is-null",
    "a weight decay, a factor or a number of steps that is 0 is null in a config",
    "own",
    told(
        "getattr(self, key)",
        "(getattr(self, key) or None if key in ('weight_decay', 'ema_overwrite_frequency', 'loss_scale_factor', "
        "'gradient_accumulation_steps') else getattr(self, key))",
        *NEW,
    ),
)
wrong(
    "drawn/config-forgets-ema-momentum",
    "from_config forgets ema_momentum where no averages are kept",
    "own",
    made("(config if config.get('use_ema', True) else {k: v for k, v in config.items() if k != 'ema_momentum'})", *NEW),
)
wrong(
    "drawn/config-forgets-a-decay-of-null",
    "from_config takes weight_decay = None for not given",
    "own",
    made(
        "{k: v for k, v in config.items() if not (k == 'weight_decay' and v is None)}",
        *DEC,
        optimizers=("AdamW", "Muon"),
    ),
)
wrong(
    "drawn/config-of-whole-thresholds-in-floats",
    "a threshold that was given as 1 is 1.0 in a config",
    "own",
    told(
        "getattr(self, key)",
        "(float(getattr(self, key)) if key.startswith('clip') and getattr(self, key) is not None "
        "else getattr(self, key))",
        *ALL,
    ),
)
wrong(
    "drawn/lso3-config-of-the-scale-now",
    "a config holds the scale as it is now, not as it was at first",
    "own",
    code(
        loss_scale_keras3.LossScaleOptimizer,
        "get_config",
        (
            '"initial_scale": self.initial_scale',
            '"initial_scale": float(self.dynamic_scale.value) if self.built else self.initial_scale',
        ),
        editions=K3,
        optimizers="LossScaleOptimizer",
    ),
)
wrong(
    "drawn/lso-config-of-a-fixed-scale",
    "the config of a fixed scale has dynamic_growth_steps = 2000, not null",
    "own",
    code(
        loss_scale_config.Configured,
        "get_config",
        (
            '"dynamic_growth_steps": self.dynamic_growth_steps',
            '"dynamic_growth_steps": self.dynamic_growth_steps or 2000',
        ),
        editions=ALL,
        optimizers="LossScaleOptimizer",
    ),
)
wrong(
    "drawn/lso3-name-lost",
    "the name of a wrapper is lost on the way through its config",
    "own",
    code(
        loss_scale_keras3.LossScaleOptimizer,
        "from_config",
        ("return cls(inner, **config)", "return cls(inner, **{k: v for k, v in config.items() if k != 'name'})"),
        editions=K3,
        optimizers="LossScaleOptimizer",
    ),
)
wrong(
    "drawn/multi-factor-lost",
    "the factor of a MultiOptimizer is lost on the way through its config",
    "own",
    code(
        multi_optimizer.MultiOptimizer,
        "from_config",
        ("cls(**{**config,", "cls(**{**{k: v for k, v in config.items() if k != 'loss_scale_factor'},"),
        editions=K3,
        optimizers="MultiOptimizer",
    ),
)
wrong(
    "drawn/float32-by-its-decimals",
    "a float32 inside another config is the shortest decimal that stands for it",
    "own",
    code(
        by_module,
        "serialize",
        ("return thing.item()", "return float(str(thing)) if isinstance(thing, np.float32) else thing.item()"),
        editions=("tf2.15", K3),
    ),
)

# ---- weights ---------------------------------------------------------------------------------------------------------

SET, LOAD = "variable.assign(weight)", "variable.assign(store[str(index)])"
wrong(
    "drawn/weights-through-float32",
    "set_weights takes float64 numbers as float32",
    "own",
    code(
        weights,
        "set_weights",
        (SET, "variable.assign(np.float32(weight) if weight.dtype == np.float64 else weight)"),
        editions=DEC,
    ),
)
wrong(
    "drawn/v2-weights-through-float32",
    "set_weights takes float64 numbers as float32",
    "own",
    code(
        weights,
        "set_weights_v2",
        (SET, "variable.assign(np.float32(weight) if weight.dtype == np.float64 else weight)"),
        editions=LEGACY,
    ),
)
wrong(
    "drawn/store-through-float32",
    "a store is loaded in float32",
    "own",
    code(
        weights,
        "load_own_variables",
        (LOAD, "variable.assign(np.float32(store[str(index)]) if variable.dtype.kind == 'f' else store[str(index)])"),
        editions=DEC,
    ),
)
wrong(
    "drawn/store-of-float32",
    "a store holds float64 numbers with the digits of a float32",
    "own",
    code(
        weights,
        "save_own_variables",
        (
            "variable.numpy()",
            "(variable.numpy().astype(np.float32).astype(variable.dtype) if variable.dtype.kind == 'f' "
            "else variable.numpy())",
        ),
        editions=DEC,
    ),
)
wrong(
    "drawn/store-counts-in-int32",
    "the counter of a store is an int32",
    "own",
    code(
        weights,
        "load_own_variables",
        (LOAD, "variable.assign(np.asarray(store[str(index)]).astype(np.int32) if index == 0 else store[str(index)])"),
        editions=DEC,
    ),
)
wrong(
    "drawn/list-counts-in-float32",
    "the counter of a list goes through float32",
    "own",
    code(
        weights,
        "set_weights",
        (SET, "variable.assign(np.asarray(weight).astype(np.float32) if variable.dtype == np.int64 else weight)"),
        editions=DEC,
    ),
)
wrong(
    "drawn/store-keeps-a-rate-of-0-out",
    "a learning rate of 0 is not taken from a store",
    "own",
    code(
        weights,
        "load_own_variables",
        (LOAD, f"{LOAD} if not variable.name.endswith('learning_rate') or float(store[str(index)]) else None"),
        editions=K3,
    ),
)

# ---- variables -------------------------------------------------------------------------------------------------------

wrong(
    "drawn/late-variables-come-first",
    "the slots of a variable that comes later stand before those of the others",
    "own",
    code(
        optimizer.Optimizer,
        "_create_slots",
        ("kept.append(held)", "kept.insert(1 if self._owned else len(kept), held)"),
        editions=LEGACY,
    ),
)
wrong(
    "drawn/values-are-kept-and-written-to",
    "a variable keeps the array that it was made of, and steps write into it",
    "own",
    code(
        variable.Variable,
        "__init__",
        ("self.value: np.ndarray = np.array(value, dtype)", "self.value: np.ndarray = np.asarray(value, dtype)"),
        editions=ALL,
    ),
    code(
        optimizer.Optimizer,
        "_update",
        ("        variable.value = np.asarray(w)\n", "        variable.value[...] = np.asarray(w)\n"),
        editions=ALL,
    ),
)
wrong(
    "drawn/assigned-arrays-are-kept",
    "a variable keeps the array that is assigned to it",
    "own",
    code(variable.Variable, "assign", ("self.value = value.copy()", "self.value = value"), editions=ALL),
)
wrong(
    "drawn/accumulators-of-two-are-emptied",
    "after an update the accumulators of the first two variables alone are 0 again",
    "own",
    code(
        keras3.BaseOptimizer,
        "_forget_gradients",
        ("for variable in self._trainable_variables if", "for variable in self._trainable_variables[:2] if"),
        editions=K3,
    ),
)
wrong(
    "drawn/lso3-unscales-two",
    "from the third on gradients are not divided by the scale",
    "own",
    code(
        loss_scale_keras3.LossScaleOptimizer,
        "apply",
        (
            "        self.inner_optimizer.apply(unscaled,",
            "        unscaled = [*unscaled[:2], *grads[2:]]\n        self.inner_optimizer.apply(unscaled,",
        ),
        editions=K3,
        optimizers="LossScaleOptimizer",
    ),
)
wrong(
    "drawn/graph-ftrl-as-eager",
    "Ftrl does in a graph what it does without",
    "own",
    code(
        optimizer.Optimizer,
        "_in_mode",
        (
            ".get(variant, rule) if self._in_graph else rule",
            ".get(variant, rule) if self._in_graph and self.optimizer != 'Ftrl' else rule",
        ),
        editions=ALL,
        optimizers="Ftrl",
    ),
)

# ---- schedules -------------------------------------------------------------------------------------------------------

FIRST = "    lr = tensor(initial_learning_rate)\n"
AT_0 = f"{FIRST}    step = step if step > 0 else step * 0\n"
wrong(
    "drawn/cosine-warmup-in-whole-steps",
    "warmup_steps is cut to a whole number",
    "own",
    *schedule(
        "CosineDecay",
        ("tf2.15", K3),
        ("cast(lr.dtype, warmup_target, warmup_steps)", "cast(lr.dtype, warmup_target, int(warmup_steps))"),
    ),
)
wrong(
    "drawn/cosine-warmup-to-0-is-none",
    "a warmup_target of 0 counts as none",
    "own",
    *schedule("CosineDecay", ("tf2.15", K3), ("if warmup_target is None:", "if not warmup_target:")),
)
wrong(
    "drawn/cosine-waits-for-0",
    "before step 0 the rate is that of step 0",
    "own",
    *schedule("CosineDecay", E, (FIRST, AT_0)),
)
wrong(
    "drawn/polynomial-waits-for-0",
    "before step 0 the rate is that of step 0",
    "own",
    *schedule("PolynomialDecay", E, (FIRST, AT_0)),
)
wrong(
    "drawn/inverse-time-cut-towards-0",
    "with staircase a quotient below 0 is cut towards 0",
    "own",
    *schedule("InverseTimeDecay", E, ("p = floor(p)", "p = np.trunc(p)")),
)
wrong(
    "drawn/polynomial-cycles-from-0",
    "with cycle the first cycle lasts from the beginning of time",
    "own",
    *schedule("PolynomialDecay", E, ("1.0 if step == 0 else", "1.0 if step <= 0 else")),
)
wrong(
    "drawn/restarts-an-ulp-late",
    "from the fourth wave on the fraction is an ulp larger",
    "own",
    *schedule(
        "CosineDecayRestarts",
        E,
        (
            "    cosine = 0.5 *",
            "    fraction = np.nextafter(fraction, lr.dtype.type(1)) if wave >= 3 and t_mul != 1 else fraction\n"
            "    cosine = 0.5 *",
        ),
    ),
)
