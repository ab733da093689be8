"""Configs of LossScaleOptimizer in Keras 2, and its classes under the names that each edition has for them.

Source       tensorflow 2.4.4, keras/mixed_precision/loss_scale_optimizer.py; keras 2.9.0, 2.12.0 and 2.15.0,
             mixed_precision/loss_scale_optimizer.py: get_config and from_config of each class.
"""

from __future__ import annotations

from typing import Any

from goldenstep.spec import schedule
from goldenstep.spec import wrapper as spec

from ..formats.custom import CustomObjects
from ..optimizer import Optimizer
from .loss_scale import LossScaling

Document = dict[str, Any]


class FixedLossScale:
    """A scale that never moves, as an argument of LossScaleOptimizerV1.

    Raises ValueError for what is no number, and for a number below 1.
    """

    def __init__(self, loss_scale_value: float) -> None:
        if not isinstance(loss_scale_value, int | float):
            raise ValueError("loss_scale_value must be a Python int or float.")  # as TF raises it
        if loss_scale_value < 1:
            raise ValueError("loss_scale_value must be at least 1.")
        self.value = float(loss_scale_value)


class MovingLossScale:
    """A scale that moves, as an argument of LossScaleOptimizerV1; TF calls it DynamicLossScale."""

    def __init__(
        self, initial_loss_scale: float = 2**15, increment_period: int = 2000, multiplier: float = 2.0
    ) -> None:
        self.initial_loss_scale = float(initial_loss_scale)
        self.increment_period = int(increment_period)
        self.multiplier = float(multiplier)


LOSS_SCALES: dict[str, Any] = {"FixedLossScale": FixedLossScale, "DynamicLossScale": MovingLossScale}


def loss_scale_of(document: Document) -> FixedLossScale | MovingLossScale:
    """The loss scale that a config of TF 2.3 describes; ValueError for one that is not known, or grows by another 2."""
    made = LOSS_SCALES.get(document["class_name"])
    if made is None:
        raise ValueError(f"Unknown loss scale: {document['class_name']}")
    scale: FixedLossScale | MovingLossScale = made(**document["config"])
    if isinstance(scale, MovingLossScale) and scale.multiplier != 2:
        raise ValueError(
            "Cannot deserialize LossScaleOptimizer with a DynamicLossScale whose multiplier is not 2. Got "
            f"DynamicLossScale with multiplier {scale.multiplier}"
        )
    return scale


class Configured(LossScaling):
    """A LossScaleOptimizer of Keras 2 that can say with which arguments to make it again."""

    def get_config(self) -> Document:
        """The document of the inner optimizer, and the scale as it was at first."""
        return {
            "inner_optimizer": self._release().serialize(self.inner_optimizer),
            "dynamic": self.dynamic,
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: Document, custom_objects: CustomObjects | None = None) -> Any:
        """The wrapper that `get_config` described; the inner class name is put in lower case in `config`."""
        others = {key: value for key, value in config.items() if key != "inner_optimizer"}
        return cls(cls._inner(config["inner_optimizer"], custom_objects), **others)

    @classmethod
    def _inner(cls, document: Any, custom_objects: CustomObjects | None) -> Any:
        """The inner optimizer of a config."""
        return cls._release().deserialize(document, custom_objects=custom_objects)

    @classmethod
    def _release(cls) -> Any:
        """The namespace with the functions of the release that the class belongs to."""
        from ..editions import namespace

        return namespace(schedule.release(cls.edition))


class ConfiguredV2(Configured):
    """Around OptimizerV2: it takes the configs of TF 2.3, too."""

    @classmethod
    def from_config(cls, config: Document, custom_objects: CustomObjects | None = None) -> Any:
        """The wrapper that `get_config` described, or that of TF 2.3, which has `optimizer` and `loss_scale`."""
        return super().from_config(modern(config) if "loss_scale" in config else config, custom_objects)


class TakesInstances(Configured):
    """From TF 2.12 on the inner optimizer may stand in a config itself."""

    @classmethod
    def _inner(cls, document: Any, custom_objects: CustomObjects | None) -> Any:
        """The inner optimizer of a config; an empty config of its own means the generation that is wrapped."""
        if isinstance(document, Optimizer):
            return document
        older = {"use_legacy_optimizer": issubclass(cls, ConfiguredV2)}
        return cls._release().deserialize(document, custom_objects=custom_objects, **older)


def modern(config: Document) -> Document:
    """A config of TF 2.3 as one of TF 2.4."""
    scale = loss_scale_of(config["loss_scale"])
    others = {key: value for key, value in config.items() if key not in ("loss_scale", "optimizer")}
    if isinstance(scale, FixedLossScale):
        others |= {"dynamic": False, "initial_scale": scale.value}
    else:
        moving = {"initial_scale": scale.initial_loss_scale, "dynamic_growth_steps": scale.increment_period}
        others |= {"dynamic": True, **moving}
    return {**others, "inner_optimizer": config["optimizer"]}


def loss_scale_optimizers_of(classes: dict[str, type[Any]]) -> dict[str, type[Any]]:
    """The class of each edition under the name that it has there, by "tf2.12/LossScaleOptimizerV3"."""
    named = {}
    for edition, base in classes.items():
        name = spec.wrappers()["LossScaleOptimizer"]["editions"][edition]["class"]
        about = {"edition": edition, "__module__": base.__module__, "__doc__": base.__doc__}
        named[f"{edition}/{name}"] = type(name, (base,), about)
    return named
