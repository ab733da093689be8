"""Optimizers that wrap others in a real release: LossScaleOptimizer in all its generations, and MultiOptimizer.

Beside oracle.py, in that release's own environment (Python 3.8 and numpy 1.19 on), with nothing of this project.
"""

import tensorflow as tf


def class_of(name, edition):
    """The class of a wrapper; None if the edition has none of that name."""
    if edition == "keras3":
        import keras

        own = ("LossScaleOptimizer", "MultiOptimizer", "OptimizerMap")
        return getattr(keras.optimizers, name, None) if name in own else None
    if name == "LossScaleOptimizerV1":
        return tf.keras.mixed_precision.experimental.LossScaleOptimizer
    return tf.keras.mixed_precision.LossScaleOptimizer if name == "LossScaleOptimizer" else None


def loss_scale_class(name):
    """`FixedLossScale` and `DynamicLossScale`, arguments of tf2.4's experimental wrapper; else None."""
    return getattr(tf.compat.v1.mixed_precision, name, None) if name.endswith("LossScale") else None


def made(given, edition, optimizer_of):
    """What an argument of a wrapper describes: an optimizer, a map, a function or a loss scale; others as they are."""
    if not isinstance(given, dict):
        return given
    if "function" in given:
        return selector(given, edition, optimizer_of)
    name = given.get("class_name", "")
    if name == "OptimizerMap":
        return optimizer_map(given, edition, optimizer_of)
    if loss_scale_class(name):
        return loss_scale_class(name)(**given["config"])
    found = optimizer_of(given, edition)
    if "wrapped_before" in given:
        class_of("LossScaleOptimizer", edition)(found)
    return found


def optimizer_map(given, edition, optimizer_of):
    """An OptimizerMap; `items` are assigned one by one, and {"same_as": key} is the optimizer under another key."""
    config = given["config"]
    known = {}

    def inner(key, value):
        shared = isinstance(value, dict) and "same_as" in value
        known[key] = known[value["same_as"]] if shared else made(value, edition, optimizer_of)
        return known[key]

    default = inner("default", config["default_optimizer"])
    patterns = config.get("optimizer_map")
    if isinstance(patterns, dict):
        patterns = {key: inner(key, value) for key, value in patterns.items()}
    found = class_of("OptimizerMap", edition)(default, patterns)
    for key, value in given.get("items", ()):
        found[key] = inner(key, value)
    return found


def selector(given, edition, optimizer_of):
    """A function of a variable: the name of the variable, then the optimizer of that key."""
    known = {key: value and optimizer_of(value, edition) for key, value in given["optimizers"].items()}
    return lambda variable: known[given["function"][variable.name]]


def hidden_state(optimizer):
    """The loss scale and its counter where they are not among the variables."""
    scale = getattr(optimizer, "_loss_scale", None)
    if not hasattr(scale, "counter"):
        return []
    return [("loss_scale", scale.current_loss_scale), ("dynamic_counter", scale.counter)]
