"""Wrong configs, identifiers, weights and resumptions, each with the golden that rejects it.

They stand apart from the others: of the properties only those of handing over (P-68, P-69) speak about them.
"""

from __future__ import annotations

from goldenstep.reference.formats import by_module, identifiers, weights
from goldenstep.reference.formats.config import Configured

from . import NEW, Part, Wrong, code

SERIALIZATIONS: dict[str, tuple[Wrong, str]] = {}


def rejected(identity: str, what: str, by: str, part: Part) -> None:
    """Register a wrong implementation and the golden that rejects it."""
    edits, editions, optimizers = part
    SERIALIZATIONS[identity] = Wrong(identity, what, "own", edits, list(editions), list(optimizers)), by


rejected(
    "config/keys-in-the-order-of-the-alphabet",
    "get_config sorts its keys",
    "keras3/config/adam-defaults",
    code(Configured, "get_config", ("in config.items()", "in sorted(config.items())"), editions=NEW),
)
rejected(
    "config/clips-that-are-not-set",
    "the kinds of clipping that are not set are keys of the config, too",
    "tf2.4/config/sgd-defaults",
    code(Configured, "get_config", ("if not (value is None and key in omitted)", ""), editions="tf2.4"),
)
rejected(
    "config/clipvalue-lost",
    "the config says nothing of clipvalue",
    "keras3/config/adam-clipvalue=1",
    code(
        Configured,
        "_in_config",
        ("else getattr(self, key)", 'else None if key == "clipvalue" else getattr(self, key)'),
        editions="keras3",
    ),
)
rejected(
    "config/schedule-stays-a-dict",
    "from_config gives the description of a schedule to the constructor",
    "tf2.12/config/sgd-schedule",
    code(Configured, "from_config", ('isinstance(config["learning_rate"], dict)', "False"), editions="tf2.12"),
)
rejected(
    "config/argument-left-alone",
    "from_config works on a copy of the given dict",
    "tf2.15/config/adam-schedule",
    code(
        Configured,
        "from_config",
        ('        if "learning_rate" in config', '        config = {**config}\n        if "learning_rate" in config'),
        editions="tf2.15",
    ),
)
rejected(
    "identifiers/case-counts",
    "names are known in lower case only",
    "keras3/identifiers/get-adam",
    code(identifiers, "lowered", ('config["class_name"].lower() in known', "False"), editions="keras3"),
)
rejected(
    "identifiers/blanks-do-not-count",
    "blanks around a name are cut off",
    "tf2.4/identifiers/get-unknown-_adam",
    code(identifiers, "lowered", (".lower()", ".strip().lower()"), editions="tf2.4"),
)
rejected(
    "identifiers/not-registered",
    "a class of the new generation is serialized without `Custom>`",
    "tf2.12/identifiers/serialize-adam",
    code(identifiers, "registered_name", ('f"Custom>{cls.__name__}"', "str(cls.__name__)"), editions="tf2.12"),
)
rejected(
    "identifiers/module-null",
    "a module of null is as good as none",
    "keras3/identifiers/dict-module-null-sgd",
    code(by_module, "_name_and_config", ('config.get("module", "_") is None', "False"), editions="keras3"),
)
rejected(
    "identifiers/scalars-of-numpy",
    "serialize leaves numpy's scalars as they are",
    "tf2.15/identifiers/serialize-adam",
    code(by_module, "serialize", ("return thing.item()", "return thing"), editions="tf2.15"),
)
rejected(
    "identifiers/unknown-raises",
    "an unknown class name is an error already in deserialize",
    "keras3/identifiers/dict-unknown-class",
    code(
        by_module,
        "deserialize",
        ("    return name\n", "    raise ValueError(name)\n"),
        editions="keras3",
    ),
)
rejected(
    "weights/length-checked",
    "set_weights of Keras 3 refuses a list of another length",
    "keras3/weights/adam-set_weights-one-less",
    code(weights, "set_weights", ("strict=False", "strict=True"), editions="keras3"),
)
rejected(
    "weights/lists-of-keras-1",
    "a list without the counter is refused",
    "tf2.4/weights/rmsprop-set_weights-without-counter",
    code(weights, "set_weights_v2", ('REPAIRS.get(optimizer) == "counter"', "False"), editions="tf2.4"),
)
rejected(
    "weights/numbered-from-one",
    "the first array of a store is number 1",
    "keras3/weights/adam-save_own_variables",
    code(weights, "save_own_variables", ("str(index)", "str(index + 1)"), editions="keras3"),
)
rejected(
    "weights/another-length-loaded",
    "a store with another number of arrays is loaded as far as it goes",
    "keras3/weights/adam-load_own_variables-one-more",
    code(weights, "load_own_variables", ("len(store.keys()) != len(state)", "False"), editions="keras3"),
)
rejected(
    "resume/counter-lost",
    "the counter is not loaded: bias correction starts anew",
    "keras3/resume/adam-store",
    code(weights, "load_own_variables", ("in enumerate(state)", "in list(enumerate(state))[1:]"), editions="keras3"),
)
rejected(
    "resume/slots-lost",
    "set_weights loads the counter alone",
    "tf2.12/resume/adam-weights",
    code(weights, "set_weights", ("zip(state, weights", "zip(state[:1], weights"), editions="tf2.12"),
)
rejected(
    "resume/slots-turned-round",
    "OptimizerV2's set_weights takes each array from its last row to its first",
    "tf2.9.legacy/resume/adam-weights",
    code(
        weights,
        "set_weights_v2",
        ("        variable.assign(weight)", "        variable.assign(np.flip(weight))"),
        editions="tf2.9.legacy",
    ),
)
