"""Configs, identifiers and weights of a real release: cases that are a list of calls, each with its result.

Beside oracle.py, in that release's own environment (Python 3.8 and numpy 1.19 on), with nothing of this project.
`it` is the optimizer or schedule that the latest construct, schedule or from_config made.  A result is {"value"} or
{"error"}; {"given"} too, where the call has changed the dict that it was given.

What JSON has no word for is an object with one key: {"$float32": 0.5}, {"$tensor": ...}, {"$tuple": [...]},
{"$optimizer": {"edition", "class_name", "config"}}, {"$schedule": {"class_name", "config"}}, {"$function": name},
{"$class": name}, {"$bytes": text}; as an argument also {"$it": true} and {"$result": number of a call}.  What an
$optimizer of the arguments wraps is an $optimizer in its config.
"""

import copy
import json
import re
import types

import numpy as np
import schedules
import tensorflow as tf
import wrappers


def rate():
    """A function of one's own."""
    return 0.25


def own_objects(optimizers, base_of_schedules):
    """Classes and functions of one's own, as a user of the release defines them."""

    class MySGD(optimizers.SGD):
        pass

    class Halving(base_of_schedules):
        def __init__(self, first):
            self.first = first

        def __call__(self, step):
            return self.first * 0.5 ** tf.cast(step, tf.float32)

        def get_config(self):
            return {"first": self.first}

    for cls in (MySGD, Halving):
        cls.__module__ = "__main__"
        cls.__qualname__ = cls.__name__
    return {"MySGD": MySGD, "Halving": Halving, "rate": rate}


def number(x):
    """A number as JSON has it: the shortest decimal that reads back to the same bits, or a string."""
    if isinstance(x, np.bool_):
        return bool(x)
    if isinstance(x, np.integer):
        return int(x)
    if not np.isfinite(x):
        return "NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    decimal = float(str(x))
    return decimal if type(x)(decimal) == x else float(x)


class Calls:
    """One case on its way to its results."""

    def __init__(self, case, tools):
        self.case = case
        self.edition = case["edition"]
        self.tools = tools
        self.it = None
        self.raw = []
        release = tools.namespace(self.edition) if self.edition == "keras3" else tf.keras.optimizers
        self.release = release
        self.own = own_objects(tools.namespace(self.edition), release.schedules.LearningRateSchedule)
        self.variables = [
            tools.variable(self.edition)(tools.array_of(v["value"]), v["name"], None) for v in case.get("variables", ())
        ]

    def answer(self):
        """The results, up to the first call without which the others make no sense."""
        self.tools.forget_names(self.edition)
        results = []
        for call in self.case["calls"]:
            ((kind, given),) = call.items()
            result = self.result(kind, given)
            results.append(result)
            if "error" in result and kind in ("construct", "schedule"):
                break
        return {"id": self.case["id"], "results": results}

    def result(self, kind, given):
        self.argument = self.before = None
        before = self.it
        try:
            value = getattr(self, kind)(given)
            result = {"value": {"$it": True} if before is not None and value is before else self.encoded(value)}
        except Exception as exception:
            value, result = None, {"error": error(exception)}
        self.raw.append(value)
        if self.before is not None and self.encoded(self.argument) != self.before:
            result["given"] = self.encoded(self.argument)
        return result

    # ---- the calls

    def construct(self, given):
        self.it = self.decoded({"$optimizer": given})

    def schedule(self, given):
        self.it = self.decoded({"$schedule": given})

    def build(self, _):
        self.tools.build(self.it, self.variables)

    def apply(self, gradients):
        self.it.apply_gradients([(self.tools.gradient_of(g, v), v) for g, v in zip(gradients, self.variables)])

    def set(self, values):
        for name, value in values.items():
            setattr(self.it, name, self.decoded(value))

    def read(self, name):
        getattr(self.it, name)

    def get_config(self, _):
        return self.it.get_config()

    def json(self, _):
        return json.loads(json.dumps(self.it.get_config()))

    def from_config(self, given):
        name = given.get("class_name")
        cls = type(self.it) if name is None else getattr(self.tools.namespace(self.edition), name)
        config = self.mutable(self.it.get_config() if "config" not in given else self.decoded(given["config"]))
        self.it = cls.from_config(config, **self.custom(given))
        return self.it

    def get(self, given):
        return self.release.get(self.mutable(self.decoded(given["of"])), **given.get("options", {}))

    def serialize(self, given):
        return self.release.serialize(self.decoded(given["of"]), **given.get("options", {}))

    def deserialize(self, given):
        options = dict(given.get("options", {}), **self.custom(given))
        return self.release.deserialize(self.mutable(self.decoded(given["of"])), **options)

    def serialize_schedule(self, given):
        return self.release.schedules.serialize(self.decoded(given["of"]), **given.get("options", {}))

    def deserialize_schedule(self, given):
        options = dict(given.get("options", {}), **self.custom(given))
        return self.release.schedules.deserialize(self.mutable(self.decoded(given["of"])), **options)

    def state(self, _):
        return [{"name": self.tools.name_of(v), "value": np.asarray(v.numpy())} for v in self.tools.state_of(self.it)]

    def values(self, _):
        return [[number(x) for x in np.asarray(v.numpy()).ravel()] for v in self.tools.state_of(self.it)]

    def get_weights(self, _):
        return [np.asarray(value) for value in self.it.get_weights()]

    def set_weights(self, given):
        self.it.set_weights(self.decoded(given))

    def save_own_variables(self, _):
        return {name: np.asarray(value) for name, value in saved(self.it, "store", self.tools).items()}

    def load_own_variables(self, given):
        load = getattr(self.it, "load_own_variables", getattr(self.it, "_load_own_variables", None))
        load(self.decoded(given))

    # ---- arguments and results

    def class_of(self, name, edition):
        found = self.own.get(name) or wrappers.class_of(name, edition) or wrappers.loss_scale_class(name)
        return found or getattr(self.tools.namespace(edition), name)

    def mutable(self, argument):
        """The argument, remembered as it is before the call if it is a dict."""
        if isinstance(argument, dict):
            self.argument, self.before = argument, copy.deepcopy(self.encoded(argument))
        return argument

    def custom(self, given):
        names = given.get("custom_objects")
        if names is None:
            return {}
        pairs = names.items() if isinstance(names, dict) else [(name, name) for name in names]
        return {"custom_objects": {name: self.own[own] for name, own in pairs}}

    def decoded(self, given):
        """The Python object that an argument stands for."""
        if isinstance(given, list):
            return [self.decoded(x) for x in given]
        if not isinstance(given, dict):
            return given
        if len(given) != 1 or not next(iter(given)).startswith("$"):
            return {key: self.decoded(value) for key, value in given.items()}
        ((kind, value),) = given.items()
        if kind == "$it":
            return self.it
        if kind == "$result":
            return copy.deepcopy(self.raw[value])
        if kind == "$tensor":
            return self.tools.array_of(value)
        if kind == "$tuple":
            return tuple(self.decoded(x) for x in value)
        if kind == "$bytes":
            return value.encode()
        if kind == "$function":
            return self.own[value]
        if kind == "$class":
            return getattr(self.tools.namespace(self.edition), value)
        if kind == "$optimizer":
            config = {name: self.decoded(x) for name, x in value["config"].items()}
            return self.class_of(value["class_name"], value.get("edition", self.edition))(**config)
        if kind == "$schedule":
            config = {name: self.decoded(x) for name, x in value["config"].items()}
            cls = self.own.get(value["class_name"]) or schedules.class_of(value["class_name"], self.edition)
            return cls(**config)
        return np.dtype(kind[1:]).type(value)

    def encoded(self, value):
        """A Python object as JSON has it."""
        if isinstance(value, np.generic):
            return {"$" + value.dtype.name: number(value)}
        if isinstance(value, float) and not np.isfinite(value):
            return {"$float": number(np.float64(value))}
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, list):
            return [self.encoded(x) for x in value]
        if isinstance(value, tuple):
            return {"$tuple": [self.encoded(x) for x in value]}
        if isinstance(value, dict):
            return {key: self.encoded(x) for key, x in value.items()}
        if isinstance(value, np.ndarray):
            values = [number(x) for x in value.ravel()]
            return {"$tensor": {"dtype": value.dtype.name, "shape": list(value.shape), "values": values}}
        if isinstance(value, bytes):
            return {"$bytes": value.decode()}
        if isinstance(value, type):
            return {"$class": value.__name__}
        if isinstance(value, types.FunctionType):
            return {"$function": value.__name__}
        described = {"class_name": type(value).__name__}
        if isinstance(value, self.release.schedules.LearningRateSchedule):
            return {"$schedule": dict(described, config=self.encoded(value.get_config()))}
        if hasattr(value, "apply_gradients"):
            config = self.encoded(value.get_config())
            return {"$optimizer": dict({"edition": self.edition_of(value)}, config=config, **described)}
        return {"$other": type(value).__name__}

    def edition_of(self, optimizer):
        """The edition whose class it is: OptimizerV2 is `.legacy` where there is another generation beside it."""
        release = self.edition.replace(".legacy", "")
        old = any(cls.__name__ == "OptimizerV2" for cls in type(optimizer).__mro__)
        return release + ".legacy" if old and release != "tf2.4" else release


def error(exception):
    message = re.sub(r"0x[0-9a-f]+", "0x...", str(exception))
    message = re.sub(r"_[0-9]+ has shape", "_... has shape", message)
    return {"type": type(exception).__name__, "message": re.sub(r"\x1b\[[0-9;]*m", "", message)[:300]}


def resumed(optimizer, way, variables, tools):
    """Another optimizer, made of the config, with the state handed over in one of the ways that the release has.

    "config" hands over no state; "weights" is get_weights, or the values of `variables`, and set_weights; "store" is
    save_own_variables and load_own_variables; "variables" assigns each of `variables`.
    """
    state = saved(optimizer, way, tools)
    another = type(optimizer).from_config(optimizer.get_config())
    if way == "config":
        return another
    tools.build(another, variables)
    if way == "weights":
        another.set_weights(state)
    elif way == "store":
        getattr(another, "load_own_variables", getattr(another, "_load_own_variables", None))(state)
    else:
        for variable, value in zip(tools.state_of(another), state):
            variable.assign(value)
    return another


def saved(optimizer, way, tools):
    """The state, as the way hands it over."""
    if way == "weights" and hasattr(optimizer, "get_weights"):
        return optimizer.get_weights()
    if way != "store":
        return [variable.numpy() for variable in tools.state_of(optimizer)]
    store = {}
    getattr(optimizer, "save_own_variables", getattr(optimizer, "_save_own_variables", None))(store)
    return store
