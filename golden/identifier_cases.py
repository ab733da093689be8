"""The recorded cases of identifiers: the strings, dicts and objects that `get` takes, and what `serialize` gives.

One set per release: its `.legacy` namespace has no functions of its own, only classes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from goldenstep import spec
from goldenstep.spec import schedule as schedules
from goldenstep.spec import serialization

from .drawing import Document
from .serialization_cases import EXPONENTIAL, Call, Case, construct, finished, schedule, serialized

UNKNOWN = [
    *("lamb", "adamw", "adafactor", "lion", "momentum", "gradientdescent", " adam", "adam ", "", "Custom>Adam"),
    *("rms_prop", "Rms_Prop", "adam_w", "RMS-prop"),
]
DICTS: dict[str, Any] = {
    "plain": {"class_name": "Adam", "config": {"learning_rate": 0.5}},
    "lower-case": {"class_name": "adam", "config": {"learning_rate": 0.5}},
    "snake-case": {"class_name": "rms_prop", "config": {}},
    "empty-config": {"class_name": "Adam", "config": {}},
    "null-config": {"class_name": "Adam", "config": None},
    "no-config": {"class_name": "Adam"},
    "no-class_name": {"config": {}},
    "empty": {},
    "is_legacy_optimizer=false": {"class_name": "Adam", "config": {"learning_rate": 0.5, "is_legacy_optimizer": False}},
    "is_legacy_optimizer=true": {"class_name": "Adam", "config": {"learning_rate": 0.5, "is_legacy_optimizer": True}},
    "unknown-key": {"class_name": "SGD", "config": {"learning_speed": 0.5}},
    "unknown-class": {"class_name": "Nothing", "config": {}},
    "experimental": {"class_name": "ExperimentalAdam", "config": {}},
    "registered-class": {"class_name": "Custom>SGD", "config": {}},
    "registered-class-with-config": {"class_name": "Custom>SGD", "config": {"learning_rate": 0.5}},
    "config-a-list": {"class_name": "SGD", "config": [1]},
    "config-a-string": {"class_name": "SGD", "config": "mine"},
    "class_name-null": {"class_name": None, "config": {}},
    "lr": {"class_name": "SGD", "config": {"lr": 0.5}},
    "more-keys": {"class_name": "SGD", "config": {}, "version": 3},
}
MODULES: dict[str, Document] = {
    "module": {"module": "keras.optimizers", "registered_name": None},
    "other-module": {"module": "os", "registered_name": None},
    "module-null": {"module": None, "registered_name": None},
    "registered_name": {"module": "keras.optimizers", "registered_name": "Mine"},
    "module-only": {"module": "keras.optimizers"},
}
OBJECTS: dict[str, Any] = {
    "none": None,
    "int": 5,
    "float": 0.5,
    "true": True,
    "list": ["adam"],
    "json": '{"class_name": "Adam", "config": {}}',
    "bytes": {"$bytes": "adam"},
    "class": {"$class": "Adam"},
    "function": {"$function": "rate"},
    "schedule": schedule("ExponentialDecay", EXPONENTIAL),
}
MARKS: list[Document] = [
    {},
    {"registered_name": None},
    {"module": "keras.optimizers", "registered_name": None},
    {"module": "", "registered_name": None},
    {"module": "keras.optimizers.schedules", "registered_name": None},
    {"module": "keras.optimizers", "registered_name": "Mine"},
]
"""What may stand in a document beside the class and its config."""
OWN = {"custom_objects": ["MySGD"]}


def identifier_cases(edition: str) -> Iterator[Document]:
    """All cases of a release; a `.legacy` edition has none of its own."""
    if edition == schedules.release(edition):
        cases = [
            *names(edition),
            *dicts(edition),
            *objects(edition),
            *serializing(edition),
            *custom(edition),
            *of_schedules(edition),
            *nested(edition),
            *inside(edition),
        ]
        yield from finished("identifiers", edition, "", cases)


def get(of: Any, **options: Any) -> Call:
    """The call of `get`."""
    return {"get": {"of": of, **({"options": options} if options else {})}}


def deserialize(of: Any, **more: Any) -> Call:
    """The call of `deserialize`."""
    return {"deserialize": {"of": of, **more}}


def old_ones(edition: str) -> bool:
    """Does the release ask with use_legacy_optimizer for the older classes?"""
    return edition in ("tf2.12", "tf2.15")


def names(edition: str) -> Iterator[Case]:
    """Every name of the release, however it is written, and names that it does not know."""
    covered = [f"ID-{number}" for number in (1, 2, 3, 4)]
    for name, place in serialization.names(edition).items():
        generation, _, cls = place.partition("/")
        if cls in spec.available(generation):
            older = [get(name, use_legacy_optimizer=True)] if old_ones(edition) else []
            yield f"get-{name}", [get(name), get(name.upper()), *older], covered
    for name in UNKNOWN:
        about = {"lamb": ["ID-6"], "adamw": ["ID-5"], "adafactor": ["ID-5"], "lion": ["ID-5"]}.get(name, [])
        known = name in serialization.names(edition)
        slug = name.replace(" ", "_").replace(">", "-") or "empty-string"
        if not known:
            yield f"get-unknown-{slug}", [get(name)], ["ID-1", *about]
    yield "get-keyword", [get("adam", foo=1)], ["ID-33"]


def dicts(edition: str) -> Iterator[Case]:
    """Dicts with and without their parts, with and without a module."""
    covered = [f"ID-{number}" for number in (11, 12, 13, 14, 15, 16, 17)]
    for name, given in DICTS.items():
        calls = [get(given), deserialize(given)]
        calls += [get(given, use_legacy_optimizer=True)] if old_ones(edition) else []
        yield f"dict-{name}", calls, [*covered, "ID-19"]
    for name, more in MODULES.items():
        for cls, config in (("SGD", {}), ("SGD", {"learning_rate": 0.5}), ("AdamW", {}), ("Nothing", {})):
            given = {"class_name": cls, "config": config, **more}
            slug = f"dict-{name}-{cls.lower()}{'-with-config' if config else ''}"
            yield slug, [get(given), deserialize(given)], ["ID-17", "ID-18", "ID-19", "ID-20", "ID-32"]


def objects(edition: str) -> Iterator[Case]:
    """What is neither a string nor a dict."""
    for name, given in OBJECTS.items():
        yield f"get-object-{name}", [get(given)], ["ID-8", "ID-9", "ID-10"] if name == "none" else ["ID-10"]
        yield f"deserialize-object-{name}", [deserialize(given)], ["ID-10"]
        covered = {"none": ["ID-26"], "function": [], "class": []}.get(name, ["ID-27", "ID-28"])
        if name != "schedule":
            yield f"serialize-object-{name}", [{"serialize": {"of": given}}], covered
    for place in editions_of(edition):
        made: Call = {"construct": {"class_name": "SGD", "config": {}, "edition": place}}
        yield f"get-instance-of-{place}", [made, get({"$it": True})], ["ID-7"]


def editions_of(release: str) -> list[str]:
    """The editions of a release."""
    return [edition for edition, document in spec.editions().items() if document["release"] == release]


def serializing(edition: str) -> Iterator[Case]:
    """Every class, and the way back."""
    it: Document = {"of": {"$it": True}}
    for place in editions_of(edition):
        for optimizer in spec.available(place):
            made: Call = {"construct": {"class_name": optimizer, "config": {}, "edition": place}}
            calls = [made, {"serialize": it}, get({"$result": 1}), deserialize({"$result": 1})]
            if old_ones(edition):
                older = {**it, "options": {"use_legacy_format": True}}
                back = {"of": {"$result": 4}, "options": {"use_legacy_format": True}}
                calls += [{"serialize": older}, {"deserialize": back}]
            slug = "" if place == edition else "legacy-"
            yield f"serialize-{slug}{optimizer.lower()}", calls, ["ID-21", "ID-22", "ID-23", "ID-24"]
        rate = schedule("ExponentialDecay", EXPONENTIAL)
        made = {"construct": {"class_name": "SGD", "config": {"learning_rate": rate}, "edition": place}}
        slug = "" if place == edition else "legacy-"
        yield f"serialize-{slug}sgd-with-schedule", [made, {"serialize": it}, get({"$result": 1})], ["ID-24", "ID-31"]
    step: list[Call] = [construct("Adam", {}), {"build": True}, {"serialize": it}]
    yield "serialize-adam-once-built", step, ["ID-21", "ID-22"]
    yield (
        "serialize-adam-with-function",
        [construct("Adam", {"learning_rate": {"$function": "rate"}}), {"serialize": it}],
        ["ID-22"],
    )


def custom(edition: str) -> Iterator[Case]:
    """Classes of one's own, by name and by what serialize gave."""
    made: Call = {"construct": {"class_name": "MySGD", "config": {"learning_rate": 0.5}}}
    it: Call = {"serialize": {"of": {"$it": True}}}
    back: Call = deserialize({"$result": 1}, **OWN)
    yield "custom-serialize", [made, it, back, get({"$result": 1}), deserialize({"$result": 1})], ["ID-20", "ID-25"]
    named = {"class_name": "MySGD", "config": {}}
    yield "custom-dict", [deserialize(named, **OWN), deserialize(named), get(named)], ["ID-20", "ID-25"]
    both = {"custom_objects": ["MySGD", "Halving"]}
    rate = schedule("Halving", {"first": 0.5})
    nested: list[Call] = [{"construct": {"class_name": "MySGD", "config": {"learning_rate": rate}}}, it]
    yield (
        "custom-schedule",
        [*nested, deserialize({"$result": 1}, **both), deserialize({"$result": 1}, **OWN)],
        ["ID-25"],
    )
    lower = {"class_name": "mysgd", "config": {}}
    yield "custom-lower-case", [deserialize(lower, **OWN)], ["ID-25"]
    for name in ("SGD", "Adam"):
        registered: Document = {"module": None, "class_name": name, "config": {}, "registered_name": "Mine"}
        both_ways = [deserialize(registered, custom_objects={"Mine": "MySGD"}), deserialize(registered)]
        yield f"custom-registered-{name}", both_ways, ["ID-25"]
    for name in ("adam", "Adam", "SGD", "mysgd"):
        for more in MARKS:
            document = {"class_name": name, "config": {}, **more}
            own = {name: "MySGD"}
            slug = "".join(f"+{key}={value}" for key, value in more.items())
            yield f"custom-named-{name}{slug}", [deserialize(document, custom_objects=own)], ["ID-25"]


def of_schedules(edition: str) -> Iterator[Case]:
    """`schedules.serialize` and `schedules.deserialize`."""
    it: Call = {"serialize_schedule": {"of": {"$it": True}}}
    for name in schedules.available(edition):
        usual = {a["name"]: a["usual"] for a in schedules.arguments(name, edition) if "usual" in a}
        calls: list[Call] = [{"schedule": {"class_name": name, "config": usual}}, it, back_to({"$result": 1})]
        if old_ones(edition):
            older = {"of": {"$it": True}, "options": {"use_legacy_format": True}}
            calls += [{"serialize_schedule": older}, back_to({"$result": 3}, options={"use_legacy_format": True})]
        yield f"schedules-{name.lower()}", calls, ["ID-29", "ID-31"]
    document = serialized(edition, "ExponentialDecay", EXPONENTIAL)
    given: dict[str, Any] = {
        "unknown": {**document, "class_name": "Nothing"},
        "lower-case": {**document, "class_name": "exponentialdecay"},
        "no-class_name": {"config": {}},
        "no-config": {"class_name": "ExponentialDecay"},
        "null-config": {**document, "config": None},
        "missing-key": {**document, "config": {"initial_learning_rate": 0.1}},
        "unknown-key": {**document, "config": {**EXPONENTIAL, "speed": 1}},
        "module-null": {"class_name": "ExponentialDecay", "config": EXPONENTIAL, "module": None},
        "other-module": {"class_name": "ExponentialDecay", "config": EXPONENTIAL, "module": "os"},
        "no-module": {"class_name": "ExponentialDecay", "config": EXPONENTIAL},
        "empty": {},
        "string": "ExponentialDecay",
        "unknown-string": "Nothing",
        "none": None,
        "int": 5,
        "list": [document],
        "function": {"$function": "rate"},
    }
    for name, value in given.items():
        yield f"schedules-deserialize-{name}", [back_to(value)], ["ID-29", "ID-30"]
    for name, value in (("none", None), ("string", "rate"), ("int", 5), ("function", {"$function": "rate"})):
        yield f"schedules-serialize-{name}", [{"serialize_schedule": {"of": value}}], []
    made: Call = {"schedule": {"class_name": "Halving", "config": {"first": 0.5}}}
    own = back_to({"$result": 1}, custom_objects=["Halving"])
    yield "schedules-custom", [made, it, own, back_to({"$result": 1})], ["ID-25", "ID-30"]
    for more in MARKS:
        named = {"class_name": "ExponentialDecay", "config": {"first": 0.5}, **more}
        slug = "".join(f"+{key}={value}" for key, value in more.items())
        call = back_to(named, custom_objects={"ExponentialDecay": "Halving"})
        yield f"schedules-custom-named-ExponentialDecay{slug}", [call], ["ID-25", "ID-30"]


def nested(edition: str) -> Iterator[Case]:
    """Objects and functions of one's own inside of a config, and names there that are theirs."""
    it: Call = {"serialize_schedule": {"of": {"$it": True}}}
    inner: dict[str, Any] = {
        "function": {"$function": "rate"},
        "class": {"$class": "MySGD"},
        "schedule": schedule("ExponentialDecay", EXPONENTIAL),
        "schedule-of-ones-own": schedule("Halving", {"first": 0.25}),
        "string": "rate",
        "list": ["rate", 0.5],
    }
    every = ["Halving", "MySGD", "rate"]
    for name, value in inner.items():
        made: Call = {"schedule": {"class_name": "Halving", "config": {"first": value}}}
        back = [back_to({"$result": 1}, custom_objects=names) for names in (every, ["Halving"])]
        yield f"schedules-nested-{name}", [made, it, *back], ["ID-25", "ID-29", "ID-30"]
    given = {"class_name": "SGD", "config": {"learning_rate": "rate"}}
    yield (
        "custom-function-as-learning_rate",
        [deserialize(given, custom_objects=["rate"]), deserialize(given)],
        ["ID-25"],
    )
    if edition != "tf2.4":  # which takes the function for the name, as the next case has it of a schedule
        named = {"class_name": "SGD", "config": {"name": "rate"}}
        yield "custom-function-as-name", [deserialize(named, custom_objects=["rate"]), deserialize(named)], ["ID-25"]
    named = {**serialized(edition, "ExponentialDecay", {**EXPONENTIAL, "name": "rate"})}
    yield "schedules-custom-function-as-name", [back_to(named, custom_objects=["rate"])], ["ID-25"]


def inside(edition: str) -> Iterator[Case]:
    """Documents of optimizers that are wrapped, which the release finds by their module."""
    wrapper = {"tf2.15": "LossScaleOptimizerV3", "keras3": "LossScaleOptimizer"}.get(edition)
    document: Document = {"module": "keras.optimizers", "class_name": "SGD", "config": {}, "registered_name": None}
    given: dict[str, Any] = {
        "usual": document,
        "unknown-class": {**document, "class_name": "Nothing"},
        "other-module": {**document, "module": "os"},
        "module-null": {**document, "module": None},
        "registered_name": {**document, "registered_name": "Mine"},
        "registered_name-of-the-class": {**document, "registered_name": "SGD"},
        "config-a-list": {**document, "config": [1]},
        "config-null": {**document, "config": None},
        "string": "sgd",
    }
    for name, inner in given.items() if wrapper else ():
        wrapping = {**document, "class_name": wrapper, "config": {"inner_optimizer": inner}}
        yield f"inside-{name}", [deserialize(wrapping), get(wrapping)], ["ID-17", "ID-18", "ID-20"]
    if wrapper:
        wrong = {**document, "class_name": wrapper, "config": "mine"}
        yield "inside-a-string", [deserialize(wrong), get(wrong)], ["ID-17", "ID-18"]


def back_to(of: Any, **more: Any) -> Call:
    """The call of `schedules.deserialize`."""
    return {"deserialize_schedule": {"of": of, **more}}
