"""The oracle: a real release of tf.keras / Keras that turns cases into trajectories.

It runs inside that release's own environment (Python 3.8 and numpy 1.19 on), imports nothing of this project,
reads one JSON request per line and writes one JSON answer per line:

    {"command": "start"}                -> {"name": ..., "versions": {...}, "cpu": [...]}
    {"command": "run", "case": {...}}   -> a trajectory
    {"command": "stop"}                 ends it

    python oracle.py tf2.4|tf2.9|tf2.12|tf2.15|keras3 [logical CPUs, for cases of several replicas]
"""

import contextlib
import json
import os
import platform
import re
import sys
import types

ANSWERS = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="-1")

import calls  # noqa: E402
import files  # noqa: E402
import numpy as np  # noqa: E402
import replicas  # noqa: E402
import schedules  # noqa: E402
import serialization  # noqa: E402
import tensorflow as tf  # noqa: E402
import wrappers  # noqa: E402

# With several threads some kernels of TF 2.4 round the last elements of each thread's share differently.
tf.config.threading.set_intra_op_parallelism_threads(1)

CPU_FEATURES = ("avx", "avx2", "avx512f", "fma", "f16c")


def keras3_variable(value, name, constraint):
    import keras

    *scopes, last = name.split("/")
    with contextlib.ExitStack() as within:
        for scope in scopes:  # what a layer does whose variable it is
            within.enter_context(keras.name_scope(scope))
        variable = keras.Variable(value, name=last, dtype=str(value.dtype))
    if constraint:
        variable.constraint = constraint_of(constraint, keras)
    return variable


def tf_variable(value, name, constraint):
    constraint = constraint_of(constraint, tf.keras) if constraint else None
    return tf.Variable(value, name=name, dtype=value.dtype, constraint=constraint)


def variable(edition):
    """What makes the variables of an edition."""
    return keras3_variable if edition == "keras3" else tf_variable


def constraint_of(document, keras):
    return getattr(keras.constraints, document["class_name"])(**document["config"])


def value_of(given):
    """An argument or attribute: `{"callable": [...]}` stands for a function that returns one after the other."""
    if not isinstance(given, dict) or "callable" not in given:
        return given
    values = iter(given["callable"])
    return lambda: next(values, given["callable"][-1])


def namespace(edition):
    """The module that holds the classes of `edition`."""
    if edition == "keras3":
        import keras

        return keras.optimizers
    if edition.endswith(".legacy"):
        return tf.keras.optimizers.legacy
    return tf.keras.optimizers.experimental if edition == "tf2.9" else tf.keras.optimizers


def optimizer_of(description, edition):
    """The optimizer that a case describes; one that wraps others has them described among its arguments."""
    name, config = description["class_name"], description["config"]
    wrapper = wrappers.class_of(name, edition)
    if wrapper:
        inner = lambda given: wrappers.made(given, edition, optimizer_of)  # noqa: E731
        return wrapper(**{argument: inner(given) for argument, given in config.items()})
    arguments = {
        argument: value_of(replicas.made(schedules.made(given, edition))) for argument, given in config.items()
    }
    return class_of({"edition": edition, "optimizer": description})(**arguments)


def forget_names(edition):
    """Let the next optimizer be called `adam` again, not `adam_1`."""
    if edition == "keras3":
        import keras

        keras.utils.clear_session(free_memory=False)


def array_of(tensor, like=None):
    """The numpy array that a JSON tensor (or a flat list, shaped and typed like a variable) stands for."""
    dtype, shape = (tensor["dtype"], tensor["shape"]) if isinstance(tensor, dict) else (like.dtype, like.shape)
    values = tensor["values"] if isinstance(tensor, dict) else tensor
    return np.array([float(x) if isinstance(x, str) else x for x in values], dtype=dtype).reshape(tuple(shape))


def gradient_of(encoded, variable):
    """The gradient of an apply event: None, a tensor, or IndexedSlices as an Embedding layer gives them."""
    if encoded is None:
        return None
    if isinstance(encoded, dict) and "indices" in encoded:
        values, indices = array_of(encoded["values"]), np.array(encoded["indices"], np.int32)
        shape = np.array(variable.shape, np.int32)
        return tf.IndexedSlices(tf.constant(values), tf.constant(indices), tf.constant(shape))
    return tf.constant(array_of(encoded, as_array(variable)))


def number(x):
    """A number as JSON has it: the shortest decimal that reads back to the same bits, or a string."""
    if isinstance(x, (np.integer, np.bool_)):
        return int(x)
    if not np.isfinite(x):
        return "NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    decimal = float(str(x))
    if type(x)(decimal) != x:
        decimal = float(x)
    return decimal


def flat(variable):
    return [number(x) for x in np.asarray(variable.numpy()).ravel()]


def hidden_state(optimizer):
    """What an optimizer remembers outside its variables: Nadam's product of momenta in Keras 2.9 to 2.15."""
    product = getattr(optimizer, "_u_product", None)
    if product is None or any(product is v for v in state_of(optimizer)):
        return []
    return [("_u_product", product)] if isinstance(product, tf.Variable) else []


def state_of(optimizer):
    """The optimizer's own list of its variables, in its own order."""
    variables = optimizer.variables
    return list(variables() if callable(variables) and not isinstance(variables, list) else variables)


def name_of(variable):
    return getattr(variable, "path", None) or variable.name


def error(stage, exception):
    message = re.sub(r"0x[0-9a-f]+", "0x...", str(exception))
    message = re.sub(r"\x1b\[[0-9;]*m", "", message)
    return {"stage": stage, "type": type(exception).__name__, "message": message[:300]}


def class_of(case):
    """The optimizer's class: the release's, or one that the case defines on the release's base."""
    names, given = namespace(case["edition"]), case["optimizer"]
    if "source" not in given:
        return getattr(names, given["class_name"])
    defined = {"Optimizer": names.Optimizer}
    exec("\n".join(given["source"]), defined)
    return defined[given["class_name"]]


class Run:
    """One case on its way to a trajectory."""

    def __init__(self, case):
        self.case = case
        self.edition = case["edition"]
        self.keep = set(case.get("keep", ()))
        self.count = 0
        self.replicas = replicas.of(case)
        self.traced = None
        self.stage = "construct"
        self.layout = None
        self.latest_layout = None
        self.answer = {}
        self.steps = []

    def trajectory(self):
        """The answer to a case: layout and kept steps, and the error if there was one."""
        failure = None
        try:
            forget_names(self.edition)
            with self.replicas.scope():
                self.construct()
            self.play(self.case["events"])
        except Exception as exception:
            failure = error(self.stage, exception)
        answer = {"id": self.case["id"], "layout": self.layout or [], "steps": self.steps}
        if failure:
            answer["error"] = failure
        return answer

    def construct(self):
        """The optimizer and the variables."""
        self.optimizer = optimizer_of(self.case["optimizer"], self.edition)
        self.stage = "variables"
        make = variable(self.edition)
        self.variables = [make(array_of(v["value"]), v["name"], v.get("constraint")) for v in self.case["variables"]]
        for made, document in zip(self.variables, self.case["variables"]):
            if document.get("overwrite_with_gradient"):
                made.overwrite_with_gradient = True

    def play(self, events):
        for event in events:
            if "repeat" in event:
                for _ in range(event["repeat"]):
                    self.play(event["events"])
            elif "load" in event:
                self.load(event["load"])
            else:
                failure = self.attempt(event["attempt"]) if "attempt" in event else self.do(event)
                self.count += 1
                if not self.keep or self.count in self.keep:
                    self.record(failure)

    def attempt(self, event):
        """An event that may fail: its error, if there is one, is part of the step."""
        try:
            return self.do(event)
        except Exception as exception:
            return error(self.stage, exception)

    def do(self, event):
        """One call of the optimizer."""
        self.stage = next(kind for kind in event if kind not in ("of", "unscaled", "arguments"))
        self.unscales = "unscaled" in event
        self.arguments = event.get("arguments", {})
        variables = [self.variables[i] for i in event["of"]] if "of" in event else self.variables
        self.answer = {}
        getattr(self, self.stage)(event[self.stage], variables)

    def get(self, name, _):
        self.answer = self.caller().get(name)

    def call(self, event, _):
        self.answer = self.caller().call(event)

    def caller(self):
        tools = types.SimpleNamespace(**globals(), made=schedules.made)
        return calls.Caller(self.optimizer, self.variables, self.edition, tools)

    def apply(self, gradients, variables):
        if len(gradients) != len(variables):
            raise ValueError("%d gradients for %d variables" % (len(gradients), len(variables)))
        gradients = [gradient_of(g, v) for g, v in zip(gradients, variables)]
        if self.unscales:
            gradients = self.optimizer.get_unscaled_gradients(gradients)
        pairs = list(zip(gradients, variables))
        if self.case.get("mode") == "graph":
            self.in_graph(pairs)
        else:
            self.optimizer.apply_gradients(pairs, **self.arguments)

    def in_graph(self, pairs):
        """The same inside a tf.function, for which the state is made beforehand, as `fit` does."""
        if self.traced is None:
            if not self.entries()[2:]:
                build(self.optimizer, self.variables)

            def step(gradients):
                self.optimizer.apply_gradients(list(zip(gradients, [variable for _, variable in pairs])))

            self.traced = tf.function(step)
        self.traced([gradient for gradient, _ in pairs])

    def apply_replicas(self, gradients, variables):
        self.replicas.run(lambda replica: self.apply(gradients[replica], variables))

    def set(self, values, _):
        for name, value in values.items():
            if name == "iterations":
                value = tf.Variable(value, dtype=tf.int64, name="iterations")
            setattr(self.optimizer, name, value_of(schedules.made(value, self.edition)))

    def set_iterations(self, value, _):
        self.optimizer.iterations.assign(value)

    def finalize(self, _, variables):
        self.optimizer.finalize_variable_values(variables)

    def exclude(self, which, _):
        variables = [self.variables[i] for i in which.get("variables", ())]
        self.optimizer.exclude_from_weight_decay(var_list=variables, var_names=which.get("names"))

    def resume(self, way, variables):
        self.optimizer = serialization.resumed(self.optimizer, way, variables, sys.modules[__name__])

    def entries(self):
        variables = [(name_of(v), v) for v in state_of(self.optimizer)]
        hidden = hidden_state(self.optimizer) + wrappers.hidden_state(self.optimizer)
        return self.replicas.copies(variables + hidden)

    def record(self, failure):
        """Every variable and the whole state as they are now, and the layout if it has changed."""
        entries = self.entries()
        layout = [
            {"name": name, "dtype": np.asarray(v.numpy()).dtype.name, "shape": list(v.shape)} for name, v in entries
        ]
        step = {
            "step": self.count,
            "variables": [flat(v) for _, v in self.replicas.copies([("", v) for v in self.variables])],
            "state": [flat(v) for _, v in entries],
        }
        step.update(self.answer)
        if self.layout is None:
            self.layout = layout
        elif layout != self.latest_layout:
            step["layout"] = layout
        self.latest_layout = layout
        if failure:
            step["error"] = failure
        self.steps.append(step)

    def load(self, step):
        """Overwrite every variable and the whole state with what another step recorded."""
        if len(self.entries()) != len(step["state"]):
            build(self.optimizer, self.variables)
        self.count = step["step"]
        for variable, values in zip(self.variables, step["variables"]):
            variable.assign(array_of(values, as_array(variable)))
        for (_, variable), values in zip(self.entries(), step["state"]):
            variable.assign(array_of(values, as_array(variable)))


def build(optimizer, variables):
    """Make the state without a step."""
    if hasattr(optimizer, "_create_all_weights"):
        with tf.name_scope(getattr(optimizer, "inner_optimizer", optimizer)._name):
            optimizer._create_all_weights(variables)
    else:
        optimizer.build(variables)


def as_array(variable):
    return np.asarray(variable.numpy())


def versions(release):
    found = {"python": platform.python_version(), "numpy": np.__version__, "tensorflow": tf.__version__}
    if release == "keras3":
        import keras

        found["keras"] = keras.__version__
    return found


def cpu_features():
    try:
        with open("/proc/cpuinfo") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "").split()
    except OSError:
        flags = []
    return [feature for feature in CPU_FEATURES if feature in flags]


def main():
    release = sys.argv[1]
    if len(sys.argv) > 2:
        replicas.settle(int(sys.argv[2]))
    for line in sys.stdin:
        request = json.loads(line)
        if request["command"] == "stop":
            break
        if request["command"] == "start":
            answer = {"name": release, "versions": versions(release), "cpu": cpu_features()}
        elif "schedule" in request["case"]:
            answer = schedules.answer(request["case"])
        elif "file" in request["case"]:
            answer = files.answer(request["case"])
        elif "calls" in request["case"]:
            answer = serialization.Calls(request["case"], sys.modules[__name__]).answer()
        else:
            answer = Run(request["case"]).trajectory()
        ANSWERS.write(json.dumps(answer) + "\n")
        ANSWERS.flush()


if __name__ == "__main__":
    main()
