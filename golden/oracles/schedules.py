"""Learning-rate schedules of a real release: cases about them alone, and schedules as arguments of optimizers.

Beside oracle.py, in that release's own environment (Python 3.8 and numpy 1.19 on), with nothing of this project.
A schedule case has `schedule` and `steps` {"dtype", "values"}; its answer has the `config` that the schedule gives
back, whether a schedule made from it gives the same one (`roundtrip`), and the `values`: groups of results of one
dtype, and of calls that failed alike.
"""

import re

import numpy as np
import tensorflow as tf

PYTHONS_OWN = {"int": int, "float": float}


def class_of(name, edition):
    """The class `name` of the edition's schedules; AttributeError if there is none."""
    if edition == "keras3":
        import keras

        return getattr(keras.optimizers.schedules, name)
    optimizers = tf.keras.optimizers.schedules
    return getattr(optimizers if hasattr(optimizers, name) else tf.keras.experimental, name)


def made(given, edition):
    """The schedule that an argument describes; any other argument as it is."""
    if not isinstance(given, dict) or "class_name" not in given:
        return given
    config = {name: value_of(value) for name, value in given["config"].items()}
    return class_of(given["class_name"], edition)(**config)


def value_of(given):
    """An argument: `{"dtype", "value"}` stands for a numpy scalar."""
    if isinstance(given, list):
        return [value_of(x) for x in given]
    return np.dtype(given["dtype"]).type(given["value"]) if isinstance(given, dict) else given


def plain(value):
    """What `value_of` undoes."""
    if isinstance(value, np.generic):
        return {"dtype": value.dtype.name, "value": number(value)}
    return [plain(x) for x in value] if isinstance(value, (list, tuple)) else value


def number(x):
    """A number as JSON has it: the shortest decimal that reads back to the same bits, or a string."""
    if isinstance(x, (np.integer, np.bool_)):
        return int(x)
    if not np.isfinite(x):
        return "NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    decimal = float(str(x))
    return decimal if type(x)(decimal) == x else float(x)


def error(exception):
    message = re.sub(r"0x[0-9a-f]+", "0x...", str(exception))
    return {"type": type(exception).__name__, "message": re.sub(r"\x1b\[[0-9;]*m", "", message)[:300]}


def answer(case):
    """The answer to a schedule case."""
    stage = "construct"
    try:
        schedule = made(case["schedule"], case["edition"])
        stage = "config"
        config = schedule.get_config()
        again = type(schedule).from_config(dict(config)).get_config()
    except Exception as exception:
        return {"id": case["id"], "values": [], "error": dict(stage=stage, **error(exception))}
    return {
        "id": case["id"],
        "config": {name: plain(value) for name, value in config.items()},
        "roundtrip": again == config,
        "values": grouped([called(schedule, step) for step in steps_of(case["steps"])]),
    }


def steps_of(steps):
    """Each step as the schedule is given it: a tensor, or Python's own int or float."""
    dtype = steps["dtype"]
    if dtype in PYTHONS_OWN:
        return [PYTHONS_OWN[dtype](value) for value in steps["values"]]
    return [tf.constant(np.dtype(dtype).type(value)) for value in steps["values"]]


def called(schedule, step):
    """The dtype and number of one result, or the error."""
    try:
        result = schedule(step)
        result = np.asarray(result.numpy() if hasattr(result, "numpy") else result)[()]
        return result.dtype.name, number(result)
    except Exception as exception:
        return None, error(exception)


def grouped(results):
    """Results one after the other, those of one dtype and those of one error together."""
    groups = []
    for dtype, value in results:
        last = groups[-1] if groups else {}
        if dtype is None and last.get("error") == value:
            last["times"] += 1
        elif dtype is None:
            groups.append({"error": value, "times": 1})
        elif last.get("dtype") == dtype:
            last["values"].append(value)
        else:
            groups.append({"dtype": dtype, "values": [value]})
    return groups
