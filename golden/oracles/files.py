"""Files that carry an optimizer: a real release trains a small model, saves it, loads it and goes on.

Beside oracle.py, in that release's own environment (Python 3.8 and numpy 1.19 on), with nothing of this project.
A file case has `file` (h5, weights.h5, keras or checkpoint), the optimizer, two variables, `gradients` for every step
and `saved_after`. The answer has the state that was saved, the steps of the run that was not interrupted, and those of
the run that was resumed from the file (or its error). The file itself is in `members`, as base64 by member name; where
the case brings `members`, they are loaded in its place: so a file that something else wrote is tried. With `into`, the
optimizer that a checkpoint or .weights.h5 is restored to is made with these arguments.
"""

import base64
import os
import re
import tempfile

import numpy as np
import schedules
import tensorflow as tf
import wrappers


def keras_of(edition):
    if edition == "keras3":
        import keras

        return keras
    return tf.keras


def namespace(edition):
    if edition.endswith(".legacy"):
        return tf.keras.optimizers.legacy if hasattr(tf.keras.optimizers, "legacy") else tf.keras.optimizers
    return tf.keras.optimizers.experimental if edition == "tf2.9" else keras_of(edition).optimizers


def answer(case):
    """The answer to a file case."""
    with tempfile.TemporaryDirectory() as folder:
        given = case.get("members")
        found = {"id": case["id"]} if given else saved(case, folder)
        for name, data in (given or {}).items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(base64.b64decode(data))
        try:
            model, optimizer = loaded(case, folder)
            steps = trained(case, model, optimizer, case["saved_after"])
            found["resumed"] = "uninterrupted" if steps == found.get("uninterrupted") else steps
        except Exception as exception:
            found["resumed"] = []
            found["error"] = {"type": type(exception).__name__, "message": plain(exception)}
    return found


def saved(case, folder):
    """Train up to the step, save, and go on."""
    model, optimizer = model_of(case)
    for variable, given in zip(model.trainable_variables, case["variables"]):
        variable.assign(array_of(given["value"]["values"], given["value"]))
    trained(case, model, optimizer, 0, case["saved_after"])
    save(case, model, optimizer, folder)
    entries = entries_of(optimizer)
    found = {
        "id": case["id"],
        "config": jsonable(optimizer.get_config()),
        "layout": [{"name": n, "dtype": as_array(v).dtype.name, "shape": list(v.shape)} for n, v in entries],
        "state": [flat(v) for _, v in entries],
        "variables": [flat(v) for v in model.trainable_variables],
        "members": {name: encoded(os.path.join(folder, name)) for name in sorted(os.listdir(folder))},
    }
    found["uninterrupted"] = trained(case, model, optimizer, case["saved_after"])
    return found


def model_of(case):
    """Dense layers, each of a kernel and a bias of the case, compiled with the optimizer of the case."""
    keras = keras_of(case["edition"])
    if case["edition"] == "keras3":
        keras.utils.clear_session(free_memory=False)
    optimizer = optimizer_of(case["trained"], case["edition"])
    kernels = case["variables"][::2]
    layers = [keras.Input((kernels[0]["value"]["shape"][0],))]
    for kernel in kernels:
        layers.append(keras.layers.Dense(kernel["value"]["shape"][1], name=kernel["name"].split("/")[-2]))
    model = keras.Sequential(layers, name="model")
    model.compile(optimizer=optimizer, loss=keras.losses.MeanSquaredError())
    return model, model.optimizer


def optimizer_of(given, edition):
    """An optimizer as the case has it, or a wrapper with the one inside."""
    wrapper = wrappers.class_of(given["class_name"], edition)
    if wrapper:
        return wrapper(**{name: wrappers.made(x, edition, optimizer_of) for name, x in given["config"].items()})
    config = {name: schedules.made(value, edition) for name, value in given["config"].items()}
    return getattr(namespace(edition), given["class_name"])(**config)


def trained(case, model, optimizer, start, end=None):
    """The steps from `start` on: every variable and the whole state after each."""
    steps = []
    for count, gradients in list(enumerate(case["gradients"], 1))[start:end]:
        variables = model.trainable_variables
        arrays = [tf.constant(array_of(g, v["value"])) for g, v in zip(gradients, case["variables"])]
        optimizer.apply_gradients(list(zip(arrays, variables)))
        state = [flat(v) for _, v in in_usual_order(entries_of(optimizer), case)]
        steps.append({"step": count, "variables": [flat(v) for v in variables], "state": state})
    return steps


def in_usual_order(entries, case):
    """The state of a restored OptimizerV2 has another order, that of restoring: its names tell the usual one."""
    given = case["trained"]
    while "inner_optimizer" in given["config"] or "optimizer" in given["config"]:
        given = given["config"].get("inner_optimizer") or given["config"]["optimizer"]
    name = given["config"].get("name", given["class_name"])
    scope = re.compile("^%s/" % re.escape(name))
    names = [scope.sub("", name) for name, _ in entries]
    usual = case.setdefault("usual_order", names)
    if sorted(names) != sorted(usual) or len(set(names)) < len(names):
        return entries
    return [entries[names.index(name)] for name in usual]


def save(case, model, optimizer, folder):
    kind = case["file"]
    if kind == "checkpoint":
        options = None
        if "max_shard_size" in case:
            policy = tf.train.experimental.MaxShardSizePolicy(max_shard_size=case["max_shard_size"])
            options = tf.train.CheckpointOptions(experimental_sharding_callback=policy)
        tf.train.Checkpoint(model=model, optimizer=optimizer).save(os.path.join(folder, "model"), options=options)
        os.remove(os.path.join(folder, "checkpoint"))
    elif kind == "weights.h5":
        model.save_weights(os.path.join(folder, "model.weights.h5"))
    elif kind == "keras" and case["edition"].startswith("tf2.12"):
        model.save(os.path.join(folder, "model.keras"), save_format="keras_v3")
    else:
        model.save(os.path.join(folder, "model." + kind))


def loaded(case, folder):
    """A new model and its optimizer, as the file makes them."""
    kind, keras = case["file"], keras_of(case["edition"])
    if kind in ("h5", "keras"):
        model = keras.models.load_model(os.path.join(folder, "model." + kind))
        return model, model.optimizer
    restored = dict(case["trained"], config=case.get("into", case["trained"]["config"]))
    model, optimizer = model_of(dict(case, trained=restored))
    if kind == "weights.h5":
        built(optimizer, case["edition"], model.trainable_variables)
        model.load_weights(os.path.join(folder, "model.weights.h5"))
    else:
        if hasattr(optimizer, "build"):
            built(optimizer, case["edition"], model.trainable_variables)
        tf.train.Checkpoint(model=model, optimizer=optimizer).restore(os.path.join(folder, "model-1"))
    return model, optimizer


def built(optimizer, edition, variables):
    """Make the state; tf2.9's wrapper inherits a `build` that fails, so there the optimizer inside makes it."""
    if edition == "tf2.9":
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    optimizer.build(variables)


def entries_of(optimizer):
    """The optimizer's own list of its variables with their names, and what it remembers beside it."""
    variables = optimizer.variables
    state = list(variables() if callable(variables) and not isinstance(variables, list) else variables)
    product = getattr(optimizer, "_u_product", None)
    hidden = [] if product is None or any(product is v for v in state) else [("_u_product", product)]
    hidden += [("_" + name, v) for name, v in wrappers.hidden_state(optimizer)]
    return [(getattr(v, "path", None) or v.name, v) for v in state] + hidden


def encoded(path):
    with open(path, "rb") as file:
        return base64.b64encode(file.read()).decode()


def array_of(values, like):
    values = [float(x) if isinstance(x, str) else x for x in values]
    return np.array(values, dtype=like["dtype"]).reshape(tuple(like["shape"]))


def as_array(variable):
    return np.asarray(variable.numpy())


def flat(variable):
    return [schedules.number(x) for x in as_array(variable).ravel()]


def jsonable(value):
    """A config as JSON has it: numpy's numbers become Python's."""
    if isinstance(value, dict):
        return {name: jsonable(x) for name, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(x) for x in value]
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": jsonable(value.get_config())}
    return value.item() if hasattr(value, "item") else value


def plain(exception):
    text = re.sub(r"0x[0-9a-f]+", "0x...", str(exception))
    text = re.sub(r"/\S*/(model[.-])", r"\1", text)
    return re.sub(r"\x1b\[[0-9;]*m", "", text)[:300]
