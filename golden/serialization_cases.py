"""The recorded cases of configs and of weights, drawn from the specification: lists of calls, with their results.

Configs: for every optimizer of an edition its defaults, every argument at every sample, the options of the pipeline,
attributes that were set, schedules and functions as learning rates, the way through JSON and back, and what must be
refused.  Weights: the state as a list and as a store, before and after it is made, and what does not fit it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from goldenstep import spec
from goldenstep.spec import schedule as schedules
from goldenstep.spec import serialization
from goldenstep.spec.layout import Entry, Owner, layout

from .drawing import Document, slug, typed

Call = dict[str, Any]
Case = tuple[str, list[Call], list[str]]
VARIABLES: list[Document] = [
    {"name": "kernel", "value": {"dtype": "float32", "shape": [2, 2], "values": [1.0, -2.0, 0.5, 0.25]}},
    {"name": "bias", "value": {"dtype": "float32", "shape": [3], "values": [0.0, 1.0, -1.0]}},
]
DOUBLES: list[Document] = [
    {"name": "kernel", "value": {"dtype": "float64", "shape": [2], "values": [1.1, -0.3]}},
    {"name": "bias", "value": {"dtype": "float16", "shape": [2], "values": [0.5, -1.5]}},
]
MANY: list[Document] = [
    {"name": f"bias_{n}", "value": {"dtype": "float32", "shape": [1], "values": [n / 4]}} for n in range(11)
]
"""So many that their numbers have two digits, which come before one digit where text is sorted."""
PIPELINE: Document = {
    "name": "mine",
    "weight_decay": 0.125,
    "clipnorm": 0.5,
    "use_ema": True,
    "ema_momentum": 0.75,
    "ema_overwrite_frequency": 3,
    "loss_scale_factor": 2.0,
    "gradient_accumulation_steps": 4,
}
NOTHING: Document = {
    "weight_decay": 0.0,
    "clipnorm": 0.0,
    "clipvalue": 0.0,
    "global_clipnorm": 0.0,
    "use_ema": False,
    "ema_momentum": 0.0,
    "ema_overwrite_frequency": 0,
    "loss_scale_factor": 0.0,
    "gradient_accumulation_steps": 0,
    "decay": 0.0,
    "momentum": 0.0,
    "nesterov": False,
}
"""Options that are given, and are nothing: they are not null."""
OFF: Document = {"use_ema": False, "ema_momentum": 0.75, "ema_overwrite_frequency": 3}
EXPONENTIAL: Document = {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5}
ONE_OF_EACH = ("SGD", "Adam")
WITH_FROM_CONFIG = ("SGD", "Adam", "AdamW", "Adagrad", "Nadam", "Ftrl", "Muon")
WITH_MISFITS = ("SGD", "Adam", "Adadelta", "Adagrad", "RMSprop", "Adafactor")
GET: Call = {"get_config": True}
AGAIN: Call = {"from_config": {}}


def config_cases(edition: str) -> Iterator[Document]:
    """All cases about configs of an edition."""
    for optimizer in spec.available(edition):
        yield from finished("config", edition, optimizer, configs_of(edition, optimizer))


def weights_cases(edition: str) -> Iterator[Document]:
    """All cases about the weights of the optimizers of an edition."""
    for optimizer in spec.available(edition):
        yield from finished("weights", edition, optimizer, weights_of(edition, optimizer))
        if optimizer in ONE_OF_EACH:
            yield from finished("weights", edition, optimizer, weights_of_float64(edition, optimizer), DOUBLES)
            yield from finished("weights", edition, optimizer, weights_of_many(edition, optimizer), MANY)


def finished(
    kind: str, edition: str, subject: str, cases: Iterable[Case], variables: list[Document] = VARIABLES
) -> Iterator[Document]:
    """Cases in their final form, under the id of an optimizer; the ids are unique."""
    seen: set[str] = set()
    for name, calls, covered in cases:
        identity = f"{edition}/{kind}/{subject.lower() + '-' if subject else ''}{name}"
        known = {clause["id"] for clause in serialization.clauses(kind, edition)}
        assert identity not in seen, identity
        seen.add(identity)
        yield {
            "id": identity,
            "edition": edition,
            "clauses": [clause for clause in covered if clause in known],
            "features": [kind],
            "flags": [],
            **({"variables": variables} if any("build" in call for call in calls) else {}),
            "calls": calls,
        }


def construct(optimizer: str, config: Document) -> Call:
    """The call of a constructor."""
    return {"construct": {"class_name": optimizer, "config": config}}


def schedule(class_name: str, config: Document) -> Document:
    """A schedule as an argument."""
    return {"$schedule": {"class_name": class_name, "config": config}}


# ---- configs ----------------------------------------------------------------------------------------------


def configs_of(edition: str, optimizer: str) -> Iterator[Case]:
    """Cases about the configs of an optimizer."""
    own = spec.hyperparameters(optimizer, edition)
    keys = set(spec.taken(optimizer, edition))
    learning_rates = [f"CONFIG-{n}" for n in (6, 7, 8)]
    usual = ["CONFIG-1", "CONFIG-2", "CONFIG-3", "CONFIG-4", "CONFIG-5", *learning_rates, "CONFIG-15"]
    yield (
        "defaults",
        [construct(optimizer, {}), GET, {"json": True}, AGAIN, {"build": True}, GET, AGAIN],
        [*usual, "CONFIG-16", "CONFIG-22"],
    )
    for index in range(1 if edition.endswith(".legacy") else max(len(entry["samples"]) for entry in own.values())):
        config = {name: entry["samples"][index % len(entry["samples"])] for name, entry in own.items()}
        if not refused(edition, optimizer, config):
            yield f"samples-{index + 1}", [construct(optimizer, config), GET, AGAIN], ["CONFIG-1", *learning_rates]
    options = {name: value for name, value in PIPELINE.items() if name in keys}
    yield "pipeline", [construct(optimizer, options), GET, AGAIN], ["CONFIG-1", "CONFIG-2", "CONFIG-3", "CONFIG-4"]
    for option, nothing in NOTHING.items() if optimizer == "SGD" else ():
        if option in keys and not refused(edition, optimizer, {option: nothing}):
            calls = [construct(optimizer, {option: nothing}), GET, AGAIN]
            yield f"{slug({option: nothing})}", calls, ["CONFIG-1"]
    for name, entry in own.items():
        if entry["type"] == "bool":
            yield f"{name}=1", [construct(optimizer, {name: 1}), GET, AGAIN], ["CONFIG-1"]
    if legacy(edition):
        for name in ("lr", "learning_rate"):
            other = "lr" if name == "learning_rate" else "learning_rate"
            yield f"{name}=0-beside-{other}", [construct(optimizer, {name: 0.0, other: 0.5}), GET, AGAIN], ["CONFIG-17"]
    if set(OFF) <= keys:
        yield "averages-off", [construct(optimizer, OFF), GET, AGAIN], ["CONFIG-1", "CONFIG-2", "CONFIG-4"]
    yield "set-attributes", setting(optimizer, own), ["CONFIG-14", *learning_rates]
    if not (optimizer == "Nadam" and legacy(edition)):
        given = schedule("ExponentialDecay", EXPONENTIAL)
        covered = ["CONFIG-9", "CONFIG-10", "CONFIG-18", "CONFIG-19", "CONFIG-22"]
        calls = [construct(optimizer, {"learning_rate": given}), GET, {"json": True}, AGAIN]
        yield "schedule", calls, covered
    function = [construct(optimizer, {"learning_rate": {"$function": "rate"}}), GET]
    with_function = {"from_config": {"custom_objects": ["rate"]}}
    covered = ["CONFIG-11", "CONFIG-12", "CONFIG-13"]
    yield "function", [*function, {"build": True}, GET, AGAIN, with_function], covered
    if optimizer in WITH_FROM_CONFIG:
        yield from taken_and_refused(optimizer)
    if optimizer == "Nadam" and legacy(edition):
        yield "schedule_decay=0.01", [construct(optimizer, {"schedule_decay": 0.01}), GET, AGAIN], ["CONFIG-15"]
    if optimizer in ONE_OF_EACH:
        yield from thorough(edition, optimizer, keys)


def taken_and_refused(optimizer: str) -> Iterator[Case]:
    """Cases of from_config with keys that are missing, unknown, or mean something else."""
    yield "missing-keys", [{"from_config": {"class_name": optimizer, "config": {}}}], ["CONFIG-16"]
    yield "lr", [{"from_config": {"class_name": optimizer, "config": {"lr": 0.5}}}], ["CONFIG-16", "CONFIG-17"]
    for name, lr in (("", 0.5), ("=0", 0.0)):
        both = {"lr": lr, "learning_rate": 0.25}
        yield f"lr{name}-and-learning_rate", [{"from_config": {"class_name": optimizer, "config": both}}], ["CONFIG-17"]
    for config in ({"learning_speed": 0.1}, {"is_legacy_optimizer": False}, {"decay": 0.5}, {"learning_rate": None}):
        call: Call = {"from_config": {"class_name": optimizer, "config": config}}
        yield slug(config), [call], ["CONFIG-5", "CONFIG-16"]


def thorough(edition: str, optimizer: str, keys: set[str]) -> Iterator[Case]:
    """Cases about what all optimizers of an edition have in common."""
    for name in schedules.available(edition):
        usual = {a["name"]: a["usual"] for a in schedules.arguments(name, edition) if "usual" in a}
        calls = [construct(optimizer, {"learning_rate": schedule(name, usual)}), GET, {"json": True}, AGAIN]
        yield f"schedule-{name.lower()}", calls, ["CONFIG-9", "CONFIG-10", "CONFIG-18"]
    decaying = schedule("ExponentialDecay", EXPONENTIAL)
    precise = schedule("ExponentialDecay", {**EXPONENTIAL, "initial_learning_rate": {"$float64": 0.1}})
    yield "schedule-of-float64", [construct(optimizer, {"learning_rate": precise}), GET, AGAIN], ["CONFIG-9"]
    for rate in (1, {"$float32": 0.3}, {"$float64": 0.3}, 1e-45, 1e39):
        name = slug({"learning_rate": f"{next(iter(rate))[1:]}(0.3)" if isinstance(rate, dict) else rate})
        calls = [construct(optimizer, {"learning_rate": rate}), GET, {"json": True}, {"build": True}, GET, AGAIN]
        yield name, calls, ["CONFIG-6", "CONFIG-7", "CONFIG-8"]
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        calls = [construct(optimizer, {name: 1}), GET, {"set": {name: 0.5}}, GET, {"set": {name: None}}, GET]
        yield f"{name}=1", calls, ["CONFIG-1", "CONFIG-2", "CONFIG-14"]
    own = schedule("Halving", {"first": 0.5})
    calls = [construct(optimizer, {"learning_rate": own}), GET, {"from_config": {"custom_objects": ["Halving"]}}]
    yield "schedule-of-ones-own", calls, ["CONFIG-20", "CONFIG-21"]
    yield "schedule-of-ones-own-unknown", [calls[0], AGAIN], ["CONFIG-18"]
    document = serialized(edition, "ExponentialDecay", EXPONENTIAL)
    broken: dict[str, Any] = {
        "class-unknown": {**document, "class_name": "Nothing"},
        "class-in-lower-case": {**document, "class_name": "exponentialdecay"},
        "without-class": {key: value for key, value in document.items() if key != "class_name"},
        "without-config": {key: value for key, value in document.items() if key != "config"},
        "without-module": {key: value for key, value in document.items() if key != "module"},
        "empty": {},
        "of-another-module": {**document, "module": "os"},
        "of-module-null": {**document, "module": None},
        "with-unknown-key": {**document, "config": {**EXPONENTIAL, "speed": 1}},
        "without-key": {**document, "config": {"initial_learning_rate": 0.1}},
        "of-null": {**document, "config": None},
        "registered": {**document, "registered_name": "Mine"},
    }
    for name, given in broken.items():
        call = {"from_config": {"class_name": optimizer, "config": {"learning_rate": given}}}
        yield f"schedule-{name}", [call], ["CONFIG-16", "CONFIG-18"]
    for name in ("jit_compile", "amsgrad"):
        if name in keys:
            yield f"{name}-given", [construct(optimizer, {name: True}), GET], ["CONFIG-4"]
    if legacy(edition):
        yield "read", [construct(optimizer, {}), {"read": "learning_rate"}, GET], ["CONFIG-6"]
        calls = [construct(optimizer, {"decay": 0.5}), GET, {"build": True}, {"set": {"decay": 0.25}}, GET]
        yield "decay-set", calls, ["CONFIG-6"]
        scalars: list[Call] = [construct(optimizer, {}), {"build": True}, AGAIN]
        for name, value in (("learning_rate", 0.5), ("learning_rate", decaying), ("decay", 0.5)):
            shown = name if value == 0.5 else "schedule"
            yield f"set-{shown}-of-a-config", [*scalars, {"set": {name: value}}, GET], ["CONFIG-6", "CONFIG-14"]
        yield "read-epsilon", [construct("Adam", {"epsilon": None}), {"read": "epsilon"}, GET], ["CONFIG-6"]
    change = {"set": {"learning_rate": decaying}}
    yield "schedule-assigned", [construct(optimizer, {"learning_rate": 0.5}), change, GET], ["CONFIG-14"]
    if optimizer == "SGD":
        yield "class-of-ones-own", [{"construct": {"class_name": "MySGD", "config": {}}}, GET, AGAIN], ["CONFIG-1"]


def setting(optimizer: str, own: dict[str, Document]) -> list[Call]:
    """Own arguments that are set before and after the state is made."""
    first = {n: e["samples"][0] for n, e in own.items() if n not in FIXED}
    last = {n: e["samples"][-1] if len(e["samples"]) > 1 else e["default"] for n, e in own.items() if n not in FIXED}
    return [construct(optimizer, {}), {"set": first}, GET, {"build": True}, GET, {"set": last}, GET, AGAIN]


FIXED = ("initial_accumulator_value", "exclude_layers")


def refused(edition: str, optimizer: str, config: Document) -> bool:
    """Does the specification refuse the config?"""
    return any(config.get(entry["argument"]) == entry["example"] for entry in spec.refusals(optimizer, edition))


def legacy(edition: str) -> bool:
    """Is it one of the OptimizerV2 editions?"""
    return edition == "tf2.4" or edition.endswith(".legacy")


def serialized(edition: str, name: str, config: Document) -> Document:
    """The document of a schedule, in the form of the edition."""
    if not serialization.with_module(edition):
        return {"class_name": name, "config": config}
    return {"module": serialization.SCHEDULES, "class_name": name, "config": config, "registered_name": None}


# ---- weights ----------------------------------------------------------------------------------------------


def weights_of(edition: str, optimizer: str) -> Iterator[Case]:
    """Cases about the state of an optimizer as a list, and as a store."""
    yield "state", [construct(optimizer, {}), STATE, {"build": True}, STATE], ["WEIGHTS-1", "WEIGHTS-2"]
    for config in configs_with_other_state(edition, optimizer):
        yield f"state-{slug(config)}", [construct(optimizer, config), {"build": True}, STATE], ["WEIGHTS-1"]
    methods = serialization.methods_of_state(edition)
    for method, case in (("get_weights", as_list), ("set_weights", set_list), ("save_own_variables", as_store)):
        if method in methods:
            yield from case(edition, optimizer)


STATE: Call = {"state": True}
VALUES: Call = {"values": True}


def configs_with_other_state(edition: str, optimizer: str) -> Iterator[Document]:
    """The first sample of each argument that changes what the state is."""
    known = entries(edition, optimizer, {})
    keys = {a["name"]: a for a in spec.arguments(optimizer, edition)}
    own = {name: entry["samples"][0] for name, entry in spec.hyperparameters(optimizer, edition).items()}
    for name, value in {**own, "use_ema": True, "gradient_accumulation_steps": 2}.items():
        if name in keys and [e.name for e in entries(edition, optimizer, {name: value})] != [e.name for e in known]:
            yield {name: value}


def entries(edition: str, optimizer: str, config: Document, variables: list[Document] = VARIABLES) -> list[Entry]:
    """The state that is made for the variables."""
    defaults = {a["name"]: a.get("default") for a in spec.arguments(optimizer, edition) if a["name"] != "**kwargs"}
    owners = [Owner(v["name"], tuple(v["value"]["shape"]), v["value"]["dtype"]) for v in variables]
    return [entry for entry in layout(optimizer, edition, {**defaults, **config}, owners, "it") if not entry.hidden]


def arrays(
    edition: str, optimizer: str, config: Document | None = None, of: list[Document] = VARIABLES
) -> list[Document]:
    """An array for every entry of the state: numbers that are unlike each other."""
    found = []
    for index, entry in enumerate(entries(edition, optimizer, config or {}, of)):
        size = 1
        for length in entry.shape:
            size *= length
        numbers = [index + 1 if "int" in entry.dtype else (index + 1) * 0.5 + n * 0.125 for n in range(size)]
        found.append({"$tensor": {"dtype": entry.dtype, "shape": list(entry.shape), "values": numbers}})
    return found


def weights_of_float64(edition: str, optimizer: str) -> Iterator[Case]:
    """The state beside float64 and float16, with all the digits that there are: it is given, and taken, as it is."""
    config: Document = {"momentum": 0.9} if optimizer == "SGD" else {}
    given = []
    for index, entry in enumerate(entries(edition, optimizer, config, DOUBLES)):
        count = math.prod(entry.shape)
        numbers = (
            [2**31 + 7] if "int" in entry.dtype else typed([1 / (index + n + 7 / 3) for n in range(count)], entry.dtype)
        )
        given.append({"$tensor": {"dtype": entry.dtype, "shape": list(entry.shape), "values": numbers}})
    start: list[Call] = [construct(optimizer, config), {"build": True}]
    ways: dict[str, tuple[Any, list[Call]]] = {
        "set_weights": (given, [{"get_weights": True}, VALUES]),
        "load_own_variables": (
            {str(i): array for i, array in enumerate(given)},
            [{"save_own_variables": True}, VALUES],
        ),
    }
    methods = serialization.methods_of_state(edition)
    for name, (state, reading) in ways.items():
        if name in methods:
            shown = [call for call in reading if call == VALUES or set(call) <= set(methods)]
            yield f"{name}-all-digits", [*start, {name: state}, *shown], ["WEIGHTS-4", "WEIGHTS-11"]


def weights_of_many(edition: str, optimizer: str) -> Iterator[Case]:
    """The state beside more than ten variables: as a list, and in a store by numbers of two digits."""
    config: Document = {"momentum": 0.9} if optimizer == "SGD" else {}
    given = arrays(edition, optimizer, config, MANY)
    ways: dict[str, tuple[Any, str]] = {
        "set_weights": (given, "WEIGHTS-4"),
        "load_own_variables": ({str(index): array for index, array in enumerate(given)}, "WEIGHTS-11"),
    }
    methods = serialization.methods_of_state(edition)
    for name, (state, clause) in ways.items():
        if name in methods:
            start: list[Call] = [construct(optimizer, config), {"build": True}]
            yield f"{name}-many", [*start, {name: state}, VALUES], [clause]


def reshaped(array: Document) -> Document:
    """The array with one axis more."""
    tensor = array["$tensor"]
    return {"$tensor": {**tensor, "shape": [1, *tensor["shape"]]}}


def retyped(array: Document, dtype: str) -> Document:
    """The array with another dtype."""
    return {"$tensor": {**array["$tensor"], "dtype": dtype}}


def as_list(edition: str, optimizer: str) -> Iterator[Case]:
    """get_weights before and after the state is made, and after it was set."""
    given = arrays(edition, optimizer)
    start = [construct(optimizer, {}), {"get_weights": True}, {"build": True}, {"get_weights": True}]
    yield "get_weights", [*start, {"set_weights": given}, {"get_weights": True}], ["WEIGHTS-3"]


def set_list(edition: str, optimizer: str) -> Iterator[Case]:
    """set_weights with lists that fit, and lists that do not."""
    given = arrays(edition, optimizer)
    start: list[Call] = [construct(optimizer, {}), {"build": True}]
    yield "set_weights", [*start, {"set_weights": given}, VALUES], ["WEIGHTS-4"]
    if optimizer not in WITH_MISFITS:
        return
    yield "set_weights-unbuilt", [start[0], {"set_weights": given}, VALUES, {"set_weights": []}], ["WEIGHTS-5"]
    yield "set_weights-of-one-unbuilt", [start[0], {"set_weights": given[:1]}, VALUES], ["WEIGHTS-5"]
    yield "set_weights-one-less", [*start, {"set_weights": given[:-1]}, VALUES], ["WEIGHTS-6"]
    yield "set_weights-without-counter", [*start, {"set_weights": given[1:]}, VALUES], ["WEIGHTS-6", "WEIGHTS-7"]
    if legacy(edition):
        step: Call = {"apply": [[0.5, 1.0, -0.5, 2.0], [1.0, 0.25, 0.0]]}
        later = [*start, step, {"set_weights": given[1:]}, VALUES]
        yield "set_weights-without-counter-after-a-step", later, ["WEIGHTS-6", "WEIGHTS-7"]
    yield "set_weights-one-more", [*start, {"set_weights": [*given, given[-1]]}, VALUES], ["WEIGHTS-6"]
    wrong = [*given[:-1], reshaped(given[-1])]
    yield "set_weights-other-shape", [*start, {"set_weights": wrong}, VALUES], ["WEIGHTS-8"]
    if optimizer in (*ONE_OF_EACH, "Adagrad"):
        doubles = [retyped(array, "int32" if "int" in array["$tensor"]["dtype"] else "float64") for array in given]
        yield "set_weights-other-dtypes", [*start, {"set_weights": doubles}, VALUES], ["WEIGHTS-9"]
        yield "set_weights-empty", [*start, {"set_weights": []}, VALUES], ["WEIGHTS-6"]
    if optimizer == "Adam" and legacy(edition):
        yield "set_weights-with-vhat", [*start, {"set_weights": [*given, *given[3:]]}, VALUES], ["WEIGHTS-7"]


def as_store(edition: str, optimizer: str) -> Iterator[Case]:
    """save_own_variables, and load_own_variables of stores that fit and that do not."""
    given = arrays(edition, optimizer)
    start: list[Call] = [construct(optimizer, {}), {"build": True}]
    store = {str(index): array for index, array in enumerate(given)}
    last = str(len(given) - 1)
    save: Call = {"save_own_variables": True}
    yield "save_own_variables", [start[0], save, {"build": True}, save], ["WEIGHTS-10"]
    yield "load_own_variables", [*start, {"load_own_variables": store}, VALUES, save], ["WEIGHTS-11"]
    if optimizer not in WITH_MISFITS:
        return
    yield "load_own_variables-unbuilt", [start[0], {"load_own_variables": store}, VALUES], ["WEIGHTS-12"]
    short = {key: value for key, value in store.items() if key != last}
    yield "load_own_variables-one-less", [*start, {"load_own_variables": short}, VALUES], ["WEIGHTS-12"]
    more = {**store, "more": given[0]}
    yield "load_own_variables-one-more", [*start, {"load_own_variables": more}, VALUES], ["WEIGHTS-12"]
    renamed = {**short, "other": given[0]}
    yield "load_own_variables-other-key", [*start, {"load_own_variables": renamed}, VALUES], ["WEIGHTS-13"]
    if given[-1]["$tensor"]["shape"]:
        wrong = {**store, last: reshaped(given[-1])}
        yield "load_own_variables-other-shape", [*start, {"load_own_variables": wrong}, VALUES], ["WEIGHTS-14"]
