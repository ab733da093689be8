"""Wrong wrappers: scales that move otherwise, steps that are taken or skipped otherwise, variables handed to others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from goldenstep.reference.wrappers import loss_scale, loss_scale_keras3, loss_scale_v2, loss_scale_v3, multi_optimizer

from . import LEGACY, code, wrong

KERAS_2 = (*LEGACY, "tf2.9", "tf2.12", "tf2.15")
STATE, SCALING, OURS = loss_scale.DynamicLossScale, loss_scale.LossScaling, loss_scale_keras3.LossScaleOptimizer
MULTI, MAP = multi_optimizer.MultiOptimizer, multi_optimizer.OptimizerMap
V2, V3 = loss_scale_v2, loss_scale_v3


def keras_2(owner: Any, name: str, before: str, after: str, editions: str | Sequence[str] = KERAS_2) -> Any:
    """Replace text in the loss scaling of Keras 2."""
    return code(owner, name, (before, after), editions=editions, optimizers="LossScaleOptimizer")


def keras_3(owner: Any, name: str, before: str, after: str) -> Any:
    """Replace text in the loss scaling of Keras 3."""
    return code(owner, name, (before, after), editions="keras3", optimizers="LossScaleOptimizer")


def several(owner: Any, name: str, before: str, after: str) -> Any:
    """Replace text in MultiOptimizer or OptimizerMap."""
    return code(owner, name, (before, after), editions="keras3", optimizers="MultiOptimizer")


# ---- the scale ---------------------------------------------------------------------------------------------

wrong(
    "loss-scaling/no-floor",
    "the scale falls below 1, as in keras3",
    "A09",
    keras_2(STATE, "update", "np.maximum(s / 2, 1)", "s / 2"),
)
wrong(
    "loss-scaling/keras3-has-a-floor",
    "the scale stops at 1, as in Keras 2",
    "A09",
    keras_3(OURS, "apply", "s / 2,", "np.maximum(s / 2, 1),"),
)
wrong(
    "loss-scaling/no-ceiling",
    "the scale grows beyond float32",
    "A09",
    keras_2(STATE, "update", "doubled if np.isfinite(doubled) else scale", "doubled"),
)
wrong(
    "loss-scaling/keras3-has-a-ceiling",
    "the scale stays below 2**127, as in Keras 2",
    "A09",
    keras_3(OURS, "apply", "s * 2,", "np.minimum(s, np.float32(2**126)) * 2,"),
)
wrong(
    "loss-scaling/grows-one-late",
    "the scale doubles after dynamic_growth_steps + 1 steps",
    "own",
    keras_2(STATE, "update", "count >= self", "count > self"),
)
wrong(
    "loss-scaling/keras3-grows-one-late",
    "the scale doubles after dynamic_growth_steps + 1 steps",
    "own",
    keras_3(OURS, "apply", "self.dynamic_growth_steps - 1", "self.dynamic_growth_steps"),
)
wrong(
    "loss-scaling/keras3-grows-beyond-the-count",
    "the scale doubles where the counter is beyond dynamic_growth_steps",
    "own",
    keras_3(OURS, "apply", "if count == self", "if count >= self"),
)
wrong(
    "loss-scaling/grows-by-half",
    "the scale is multiplied by 1.5",
    "own",
    keras_2(STATE, "update", "s * 2,", "s * s.dtype.type(1.5),"),
)
wrong(
    "loss-scaling/overflow-keeps-the-count",
    "finite steps before an overflow count on",
    "own",
    keras_2(STATE, "update", "1), scale), 0", "1), scale), count - 1"),
)
wrong(
    "loss-scaling/keras3-overflow-keeps-the-count",
    "finite steps before an overflow count on",
    "own",
    keras_3(OURS, "apply", "self._move(0, run_one(lambda s: s / 2", "self._move(count, run_one(lambda s: s / 2"),
)

# ---- steps that are taken, or not --------------------------------------------------------------------------

wrong(
    "loss-scaling/takes-every-step",
    "an overflow moves the scale, and is applied",
    "own",
    keras_2(SCALING, "_takes", "return finite", "return True"),
)
wrong(
    "loss-scaling/fixed-skips",
    "with a fixed scale an overflow is skipped, too",
    "own",
    keras_2(SCALING, "_takes", "return True", "return self._finite(gradients)"),
)
wrong(
    "loss-scaling/skipped-step-not-counted",
    "iterations stays in a step that is skipped, as in keras3",
    "own",
    keras_2(SCALING, "_skip", "iterations.value + 1", "iterations.value"),
)
wrong(
    "loss-scaling/keras3-skipped-step-counted",
    "iterations counts a step that is skipped, as in Keras 2",
    "own",
    keras_3(
        OURS,
        "apply",
        "            return\n",
        "            self.inner_optimizer._iterations.value += 1\n            return\n",
    ),
)
wrong(
    "loss-scaling/infinities-only",
    "a NaN is taken for finite",
    "own",
    keras_2(V3.LossScaleOptimizer215, "_finite", "np.isfinite(values)", "~np.isinf(values)", "tf2.15"),
)
wrong(
    "loss-scaling/first-gradient-only",
    "an overflow of another variable is missed",
    "own",
    keras_2(V2.LossScaleOptimizer, "_finite", "in gradients", "in gradients[:1]", LEGACY[:3]),
)
wrong(
    "loss-scaling/2.15-tests-sums",
    "duplicate rows are added up before the test, as in tf2.12",
    "own",
    keras_2(V3.LossScaleOptimizer215, "_finite", "in values_of(gradients)", "in map(densified, gradients)", "tf2.15"),
)
wrong(
    "loss-scaling/2.12-tests-rows",
    "duplicate rows are tested one by one, as in tf2.15",
    "own",
    keras_2(V3.LossScaleOptimizer29, "_finite", "densified(gradient)", "values_of([gradient])[0]", ("tf2.9", "tf2.12")),
)
wrong(
    "loss-scaling/keras3-tests-every-row",
    "every row of a sparse gradient is tested: as documented",
    "own",
    keras_3(
        loss_scale_keras3,
        "_finite",
        "replaced(np.ones(gradient.dense_shape, bool), gradient.indices, finite)",
        "finite",
    ),
)
wrong(
    "loss-scaling/2.4-null-steps-do-not-count",
    "a step without any gradient leaves the scale alone, as in tf2.9",
    "own",
    keras_2(
        V2.LossScaleOptimizer24,
        "apply_gradients",
        "list(grads_and_vars)",
        "steps.with_gradient(grads_and_vars)",
        "tf2.4",
    ),
)

# ---- gradients and losses ----------------------------------------------------------------------------------

wrong(
    "loss-scaling/gradients-divided",
    "gradients are divided by the scale, as in keras3",
    "own",
    keras_2(loss_scale, "_multiplied", "g * f", "g / (f.dtype.type(1) / f)"),
)
wrong(
    "loss-scaling/keras3-gradients-by-reciprocal",
    "gradients are multiplied by 1 / scale, as in Keras 2",
    "own",
    keras_3(loss_scale_keras3, "_divided", "g / s", "g * (s.dtype.type(1) / s)"),
)
wrong(
    "loss-scaling/keras3-gradients-keep-their-dtype",
    "a float16 gradient is divided in float16",
    "own",
    keras_3(loss_scale_keras3, "_divided", "np.promote_types(values.dtype, FLOAT32)", "values.dtype"),
)
wrong(
    "loss-scaling/keras3-gradients-stay-scaled",
    "the inner optimizer gets what the wrapper is given",
    "own",
    keras_3(OURS, "apply", "_divided(g, scale)", "g"),
)
wrong(
    "loss-scaling/loss-in-float32",
    "a scaled loss is float32, as in keras3",
    "own",
    keras_2(SCALING, "get_scaled_loss", "cast(loss.dtype, self", "cast(np.dtype(np.float32), self"),
)

# ---- several optimizers ------------------------------------------------------------------------------------

wrong(
    "multi/pattern-matches-a-part",
    "re.search in the place of re.fullmatch",
    "own",
    several(MAP, "__getitem__", "re.fullmatch", "re.search"),
)
wrong(
    "multi/first-pattern-wins",
    "several patterns may match",
    "own",
    several(MAP, "__getitem__", "len(fitting) > 1", "len(fitting) > 9"),
)
wrong(
    "multi/key-is-a-pattern-only",
    "a key that is the path does not come before patterns",
    "own",
    several(MAP, "__getitem__", "[key] if key in self._optimizers else ", ""),
)
wrong(
    "multi/default-first",
    "the default optimizer comes before those of the map",
    "own",
    several(
        MULTI,
        "__init__",
        "*optimizer_map.values(), optimizer_map.default_optimizer",
        "optimizer_map.default_optimizer, *optimizer_map.values()",
    ),
)
wrong(
    "multi/inner-loss-scale-stays",
    "each inner optimizer keeps its own loss_scale_factor",
    "C05",
    several(MULTI, "_add", "optimizer.loss_scale_factor = self._loss_scale_factor", "pass"),
)
wrong(
    "multi/not-counted",
    "iterations stays 0",
    "B22",
    several(MULTI, "apply", "self._iterations.value + 1", "self._iterations.value"),
)
wrong(
    "multi/none-of-one-inner-is-no-step-of-it",
    "an inner optimizer without any gradient is left out",
    "own",
    several(MULTI, "apply", "            if own:", "            if any(g is not None for g, _ in own):"),
)
