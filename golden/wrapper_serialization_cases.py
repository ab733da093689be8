"""The recorded cases of configs, identifiers and weights of optimizers that wrap others: lists of calls.

LossScaleOptimizer in all its generations, the experimental one of TF 2.4, and MultiOptimizer with its OptimizerMap.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from goldenstep import spec
from goldenstep.spec import schedule as schedules
from goldenstep.spec import serialization
from goldenstep.spec import wrapper as wrappers

from .drawing import Document, Shape
from .identifier_cases import editions_of
from .resume_cases import AFTER, BEFORE, TWO, case
from .serialization_cases import (
    AGAIN,
    EXPONENTIAL,
    GET,
    STATE,
    VALUES,
    VARIABLES,
    Call,
    Case,
    arrays,
    construct,
    finished,
    legacy,
    reshaped,
    schedule,
)

BUILD: Call = {"build": True}
JSON: Call = {"json": True}
IT: Call = {"serialize": {"of": {"$it": True}}}
OWN = {"custom_objects": ["MySGD"]}
SCALE: Document = {"initial_scale": 8.0, "dynamic_growth_steps": 2}
MOMENTUM: Document = {"learning_rate": 0.5, "momentum": 0.75}
KEYS, BACK = ["CONFIG-23", "CONFIG-28"], ["CONFIG-24", "CONFIG-28"]
SETTING, LOADING = ["WEIGHTS-16", "WEIGHTS-17", "WEIGHTS-18"], ["WEIGHTS-15", "WEIGHTS-19"]
OF_TF_2_3: dict[str, Document] = {
    "fixed": {"class_name": "FixedLossScale", "config": {"loss_scale_value": 8}},
    "dynamic": {
        "class_name": "DynamicLossScale",
        "config": {"initial_loss_scale": 8, "increment_period": 3, "multiplier": 2},
    },
    "multiplier-3": {
        "class_name": "DynamicLossScale",
        "config": {"initial_loss_scale": 8, "increment_period": 3, "multiplier": 3},
    },
    "small-fixed": {"class_name": "FixedLossScale", "config": {"loss_scale_value": 0.25}},
    "small-dynamic": {
        "class_name": "DynamicLossScale",
        "config": {"initial_loss_scale": 0.25, "increment_period": 3, "multiplier": 2},
    },
    "unknown": {"class_name": "NoLossScale", "config": {}},
}


def wrapped_config_cases(edition: str) -> Iterator[Document]:
    """Configs of the wrappers of an edition."""
    for name in wrappers.available(edition):
        cases = configs_of_multi() if name == "MultiOptimizer" else configs_of_loss_scale(edition, name)
        yield from finished("config", edition, name, cases)


def wrapped_identifier_cases(release: str) -> Iterator[Document]:
    """Identifiers of the wrappers of a release, and what describes them; a `.legacy` edition has none of its own."""
    if release != schedules.release(release):
        return
    cases = [*names_of(release), *dicts_of(release)]
    for name in wrappers.available(release):
        cases += multi_serialized() if name == "MultiOptimizer" else serialized(release, name)
    yield from finished("identifiers", release, "", cases)


def wrapped_weights_cases(edition: str) -> Iterator[Document]:
    """The state of the wrappers of an edition as a list, and as a store."""
    for name in wrappers.available(edition):
        if name != "LossScaleOptimizerV1":
            yield from finished("weights", edition, name, weights_of(edition, name))


def optimizer(name: str, config: Document | None = None, edition: str | None = None) -> Document:
    """An optimizer as an argument."""
    return {"$optimizer": {"class_name": name, "config": config or {}, **({"edition": edition} if edition else {})}}


def described(edition: str, name: str, config: Document) -> Document:
    """The document of an optimizer that another one holds, in the form of the edition."""
    if edition in ("tf2.9", "tf2.12"):
        return {"class_name": f"Custom>{name}", "config": config}
    if not serialization.with_module(edition):
        return {"class_name": name, "config": config}
    module = serialization.module_of(name, edition)
    return {"module": module, "class_name": name, "config": config, "registered_name": None}


def is_new(edition: str) -> Document:
    """What a config of Keras 2.12 and 2.15 has to say, so that it means the new class."""
    return {"is_legacy_optimizer": False} if edition in ("tf2.12", "tf2.15") else {}


# ---- configs ----------------------------------------------------------------------------------------------


def loss_scale(wrapper: str, inner: Document, given: Document | None = None) -> Call:
    """The constructor of a wrapper; the one of TF 2.4's experimental has other names."""
    if wrapper == "LossScaleOptimizerV1":
        return construct(wrapper, {"optimizer": inner, "loss_scale": "dynamic", **(given or {})})
    return construct(wrapper, {"inner_optimizer": inner, **(given or {})})


def configs_of_loss_scale(edition: str, wrapper: str) -> Iterator[Case]:
    """Cases about the configs of a LossScaleOptimizer."""
    first = wrapper == "LossScaleOptimizerV1"
    made = loss_scale(wrapper, optimizer("SGD", MOMENTUM))
    yield "defaults", [made, GET, JSON, AGAIN, GET, BUILD, GET, AGAIN, GET], ["CONFIG-23", *BACK]
    for inner in ("Adam", "Nadam", "Adagrad"):
        if inner in spec.available(edition):
            calls = [loss_scale(wrapper, optimizer(inner, {"learning_rate": 0.25})), GET, AGAIN, GET]
            yield inner.lower(), calls, ["CONFIG-23", *BACK]
    for name, given in scales(edition, wrapper).items():
        yield (
            name,
            [loss_scale(wrapper, optimizer("SGD", MOMENTUM), given), GET, AGAIN, GET],
            KEYS,
        )
    if not first:
        steps: list[Call] = [{"apply": [[0.5, 1.0, -0.5, 2.0], [1.0, "Infinity", 0.0]]}, GET]
        yield (
            "once-the-scale-moved",
            [loss_scale(wrapper, optimizer("SGD"), SCALE), BUILD, *steps, AGAIN, GET],
            KEYS,
        )
    rate = schedule("ExponentialDecay", EXPONENTIAL)
    scheduled = loss_scale(wrapper, optimizer("SGD", {"learning_rate": rate}))
    yield "schedule", [scheduled, GET, JSON, AGAIN, GET], ["CONFIG-23", *BACK]
    own: list[Call] = [loss_scale(wrapper, optimizer("MySGD", {"learning_rate": 0.5})), GET]
    yield "own-class", [*own, {"from_config": OWN}, GET, AGAIN], ["CONFIG-25"]
    halving = loss_scale(wrapper, optimizer("SGD", {"learning_rate": schedule("Halving", {"first": 0.5})}))
    yield "own-schedule", [halving, GET, {"from_config": {"custom_objects": ["Halving"]}}, GET, AGAIN], ["CONFIG-25"]
    yield from loss_scales_from(edition, made)


def scales(edition: str, wrapper: str) -> dict[str, Document]:
    """Ways to give the scale."""
    if wrapper == "LossScaleOptimizerV1":
        moving = {"initial_loss_scale": 8, "increment_period": 3}
        return {
            "fixed": {"loss_scale": 8},
            "fixed-object": {"loss_scale": optimizer("FixedLossScale", {"loss_scale_value": 8})},
            "dynamic-object": {"loss_scale": optimizer("DynamicLossScale", moving)},
        }
    found = {"scale": SCALE, "integers": {"initial_scale": 8, "dynamic_growth_steps": 3}}
    if edition == "keras3":
        return {**found, "name": {"name": "mine"}, "float-steps": {"dynamic_growth_steps": 2.0}}
    return {**found, "fixed": {"dynamic": False, "initial_scale": 8}, "float-steps": {"dynamic_growth_steps": 2.0}}


def loss_scales_from(edition: str, made: Call) -> Iterator[Case]:
    """Cases of from_config with what a config of the release may hold, and what it may not."""
    new = is_new(edition)
    inner = described(edition, "SGD", {"learning_rate": 0.5, **new})
    lower = {"class_name": "sgd", "config": {"learning_rate": 0.5, **new}}
    full = {"inner_optimizer": inner, "initial_scale": 8.0, "dynamic_growth_steps": 2}
    given: dict[str, Any] = {
        "all-keys": full if edition == "keras3" else {**full, "dynamic": True},
        "fixed-scale": {"inner_optimizer": inner, "dynamic": False, "initial_scale": 8.0, "dynamic_growth_steps": None},
        "inner-only": {"inner_optimizer": inner},
        "no-inner": {"initial_scale": 8.0},
        "empty": {},
        "unknown-key": {**full, "speed": 1},
        "inner-lower-case": {**full, "inner_optimizer": lower},
        "inner-by-class-name": {**full, "inner_optimizer": {"class_name": "SGD", "config": {"learning_rate": 0.5}}},
        "inner-empty-config": {**full, "inner_optimizer": {"class_name": "SGD", "config": {}}},
        "inner-string": {"inner_optimizer": "sgd"},
        "inner-null": {"inner_optimizer": None},
        "inner-unknown": {"inner_optimizer": described(edition, "Adam", {}) | {"class_name": "Nothing"}},
        "inner-instance": {"inner_optimizer": optimizer("SGD", {"learning_rate": 0.5})},
    }
    for name, config in given.items():
        yield f"from-{name}", [made, {"from_config": {"config": config}}, GET], ["CONFIG-26"]
    if edition != "keras3":
        for name, scale in OF_TF_2_3.items():
            config = {"optimizer": inner, "loss_scale": scale}
            yield f"from-tf2.3-{name}", [made, {"from_config": {"config": config}}, GET], ["CONFIG-27"]


ADAM: Document = {"learning_rate": 0.25}


def mapped(patterns: Document | None = None, default: Document | None = None) -> Document:
    """An OptimizerMap as an argument."""
    known = {"ker.*": optimizer("Adam", ADAM)} if patterns is None else patterns
    config = {"default_optimizer": default or optimizer("SGD", MOMENTUM), "optimizer_map": known}
    return optimizer("OptimizerMap", config)


def multi(chooser: Document, given: Document | None = None) -> Call:
    """The constructor of a MultiOptimizer."""
    return construct("MultiOptimizer", {"optimizer_map": chooser, **(given or {})})


def configs_of_multi() -> Iterator[Case]:
    """Cases about the configs of MultiOptimizer and OptimizerMap."""
    yield "defaults", [multi(mapped()), GET, JSON, AGAIN, GET, BUILD, GET, AGAIN, GET], BACK
    yield (
        "arguments",
        [multi(mapped(), {"name": "mine", "loss_scale_factor": 4.0}), GET, AGAIN, GET],
        BACK,
    )
    yield "empty-map", [multi(mapped({})), GET, AGAIN, GET], BACK
    by_function = [multi({"$function": "rate"}), GET, AGAIN, {"from_config": {"custom_objects": ["rate"]}}, GET]
    yield "function", by_function, BACK
    own = mapped({"bias": optimizer("MySGD", {"learning_rate": 0.5})})
    yield "own-class", [multi(own), GET, {"from_config": OWN}, GET, AGAIN], ["CONFIG-25"]
    rate = schedule("ExponentialDecay", EXPONENTIAL)
    scheduled = mapped({"kernel": optimizer("Adam", {"learning_rate": rate})})
    yield "schedule", [multi(scheduled), GET, JSON, AGAIN, GET], BACK
    whole = mapped()["$optimizer"]
    yield "map", [construct("OptimizerMap", whole["config"]), GET, AGAIN, GET], BACK
    inside = {"inner_optimizer": optimizer("MultiOptimizer", {"optimizer_map": mapped()})}
    yield "inside-a-loss-scale", [construct("LossScaleOptimizer", inside), GET, AGAIN, GET], BACK
    sgd = described("keras3", "SGD", {"learning_rate": 0.5})
    document = {
        "module": "keras.optimizers",
        "class_name": "OptimizerMap",
        "config": {"default_optimizer": sgd, "optimizer_map": {"kernel": described("keras3", "Adam", {})}},
        "registered_name": None,
    }
    given: dict[str, Any] = {
        "map-only": {"optimizer_map": document},
        "empty": {},
        "unknown-key": {"optimizer_map": document, "speed": 1},
        "null": {"optimizer_map": None},
        "an-optimizer": {"optimizer_map": sgd},
        "map-without-patterns": {"optimizer_map": {**document, "config": {"default_optimizer": sgd}}},
        "map-without-default": {"optimizer_map": {**document, "config": {"optimizer_map": {}}}},
        "map-with-null": {
            "optimizer_map": {**document, "config": {"default_optimizer": sgd, "optimizer_map": {"kernel": None}}}
        },
    }
    for name, config in given.items():
        yield f"from-{name}", [multi(mapped()), {"from_config": {"config": config}}, GET], BACK


# ---- identifiers ------------------------------------------------------------------------------------------


def wrapped_names(release: str) -> Iterator[str]:
    """The names of a release that stand for no optimizer of its own state."""
    for name, place in serialization.names(release).items():
        edition, _, cls = place.partition("/")
        if cls not in spec.available(edition):
            yield name


def names_of(release: str) -> Iterator[Case]:
    """What a name alone gives: nothing has been said about what is to be wrapped."""
    for name in wrapped_names(release):
        calls: list[Call] = [{"get": {"of": name}}, {"get": {"of": name.upper()}}]
        if release in ("tf2.12", "tf2.15"):
            calls.append({"get": {"of": name, "options": {"use_legacy_optimizer": True}}})
        yield f"get-{name}", calls, ["ID-34"]


def dicts_of(release: str) -> Iterator[Case]:
    """Dicts that describe a wrapper, by each name, around an inner optimizer as each generation describes it."""
    for name in wrapped_names(release):
        if not name.startswith("lossscale"):
            continue
        for place in editions_of(release):
            config = {"learning_rate": 0.5, **({} if legacy(place) else is_new(release))}
            inner = {"class_name": "SGD" if legacy(place) or release != "tf2.9" else "Custom>SGD", "config": config}
            given: Document = {"class_name": name, "config": {"inner_optimizer": inner, "initial_scale": 8.0}}
            calls: list[Call] = [{"get": {"of": given}}, {"deserialize": {"of": given}}]
            new = {**given, "config": {**given["config"], **is_new(release)}}
            if new != given:
                older = {"use_legacy_optimizer": True}
                calls += [{"get": {"of": new}}, {"get": {"of": given, "options": older}}]
                calls += [{"deserialize": {"of": given, "options": {**older, "use_legacy_format": True}}}]
            yield f"dict-{name}{'' if place == release else '-around-legacy'}", calls, ["ID-35"]


def serialized(release: str, wrapper: str) -> Iterator[Case]:
    """What serialize gives of a LossScaleOptimizer, and the way back."""
    for place in editions_of(release):
        for inner in ("SGD", "MySGD"):
            if inner == "MySGD" and place != release:
                continue
            made = loss_scale(wrapper, optimizer(inner, {"learning_rate": 0.5}, place if inner == "SGD" else None))
            made = {"construct": {**made["construct"], "edition": place}}
            own: Document = {"custom_objects": ["MySGD"]} if inner == "MySGD" else {}
            back: list[Call] = [{"get": {"of": {"$result": 1}}}, {"deserialize": {"of": {"$result": 1}, **own}}]
            calls = [made, IT, *back]
            if release in ("tf2.12", "tf2.15"):
                older = {"use_legacy_format": True}
                calls += [{"serialize": {"of": {"$it": True}, "options": older}}]
                calls += [{"deserialize": {"of": {"$result": 4}, "options": older, **own}}]
            slug = f"{'' if place == release else 'legacy-'}{wrapper.lower()}-{inner.lower()}"
            yield f"serialize-{slug}", calls, ["ID-36"]


def multi_serialized() -> Iterator[Case]:
    """What serialize gives of a MultiOptimizer and of its map, and the way back."""
    back: list[Call] = [{"get": {"of": {"$result": 1}}}, {"deserialize": {"of": {"$result": 1}}}]
    yield "serialize-multioptimizer", [multi(mapped()), IT, *back], ["ID-36"]
    whole = mapped()["$optimizer"]
    yield "serialize-optimizermap", [construct("OptimizerMap", whole["config"]), IT, *back], ["ID-36"]
    own = mapped({"bias": optimizer("MySGD", {"learning_rate": 0.5})})
    named: Call = {"deserialize": {"of": {"$result": 1}, **OWN}}
    yield "serialize-multioptimizer-own", [multi(own), IT, named, *back], ["ID-36"]
    by_function: Call = {"deserialize": {"of": {"$result": 1}, "custom_objects": ["rate"]}}
    yield "serialize-multioptimizer-function", [multi({"$function": "rate"}), IT, by_function, *back], ["ID-36"]


# ---- weights ----------------------------------------------------------------------------------------------


def weights_of(edition: str, wrapper: str) -> Iterator[Case]:
    """Cases about the state of a wrapper around an optimizer that has some."""
    inner = "SGD" if wrapper == "MultiOptimizer" else "Adam"
    made = multi(mapped({}, optimizer(inner))) if inner == "SGD" else loss_scale(wrapper, optimizer(inner), SCALE)
    given = [*own_arrays(edition, wrapper), *arrays(edition, inner)]
    start = [made, BUILD]
    yield "state", [made, STATE, BUILD, STATE], ["WEIGHTS-15"]
    methods = serialization.methods_of_state(edition)
    if "get_weights" in methods:
        yield "get_weights", [made, {"get_weights": True}, BUILD, {"get_weights": True}], ["WEIGHTS-15"]
    if "set_weights" in methods:
        lists = {
            "": given,
            "-one-less": given[:-1],
            "-one-more": [*given, given[-1]],
            "-other-shape": [*given[:-1], reshaped(given[-1])],
        }
        for name, arrays_ in lists.items():
            yield (
                f"set_weights{name}",
                [*start, {"set_weights": arrays_}, VALUES],
                SETTING,
            )
        yield "set_weights-unbuilt", [made, {"set_weights": given}, VALUES], SETTING
        if wrapper == "MultiOptimizer":
            three = multi(mapped({"ker.*": optimizer("Adam"), "b.*": optimizer("Adagrad")}))
            parts: list[tuple[str, Document, list[Document]]] = [
                ("Adam", {}, VARIABLES[:1]),
                ("Adagrad", {}, VARIABLES[1:]),
                ("SGD", MOMENTUM, []),
            ]
            inside = [array for name, config, of in parts for array in arrays(edition, name, config, of)]
            all_given = [*own_arrays(edition, wrapper), *inside]
            yield "set_weights-of-three", [three, BUILD, STATE, {"set_weights": all_given}, VALUES], SETTING
    if "save_own_variables" in methods:
        save: Call = {"save_own_variables": True}
        yield "save_own_variables", [made, save, BUILD, save], ["WEIGHTS-15"]
        store = {str(index): array for index, array in enumerate(given)}
        last = str(len(given) - 1)
        stores = {
            "": store,
            "-one-less": {key: value for key, value in store.items() if key != last},
            "-other-shape": {**store, last: reshaped(given[-1])},
        }
        for name, held in stores.items():
            yield (
                f"load_own_variables{name}",
                [*start, {"load_own_variables": held}, VALUES],
                LOADING,
            )


def own_arrays(edition: str, wrapper: str) -> list[Document]:
    """An array for every entry of the wrapper's own state."""
    kept = [entry for entry in wrappers.state(wrapper, edition) if not entry.get("hidden")]
    return [{"$tensor": {"dtype": e["dtype"], "shape": [], "values": [index + 30]}} for index, e in enumerate(kept)]


# ---- resuming ---------------------------------------------------------------------------------------------

WAYS = {"tf2.9": ["config"], "tf2.12": ["store", "config"], "tf2.15": ["store", "config"]}
INNER = ("SGD", "Adam", "RMSprop", "Adagrad")


def wrapped_resume_cases(edition: str) -> Iterator[Document]:
    """Runs in which the scale has moved, or several optimizers have stepped, before another wrapper goes on.

    Keras 2 does not hand everything over in every way: TF 2.9's has no `build`, and later ones refuse set_weights.
    """
    for way in WAYS.get(edition, serialization.ways_of_resuming(edition)):
        for inner in INNER:
            config: Document = {"learning_rate": 0.25, **({"momentum": 0.75} if inner == "SGD" else {})}
            if inner in spec.available(edition):
                wrapper = {"inner_optimizer": {"class_name": inner, "config": config}, **SCALE}
                name = f"lossscaleoptimizer-{inner.lower()}-{way}"
                yield resumed(edition, name, way, {"class_name": "LossScaleOptimizer", "config": wrapper})
        if edition == "keras3":
            sgd = {"class_name": "SGD", "config": MOMENTUM}
            chooser = {"default_optimizer": sgd, "optimizer_map": {"ker.*": {"class_name": "Adam", "config": ADAM}}}
            config = {"optimizer_map": {"class_name": "OptimizerMap", "config": chooser}}
            wrapper = {"class_name": "MultiOptimizer", "config": config}
            yield resumed(edition, f"multioptimizer-{way}", way, wrapper)
            patterns: Document = {
                "ker.*": {"class_name": "Adam", "config": ADAM},
                "b.*": {"class_name": "Adagrad", "config": {"learning_rate": 0.25}},
            }
            described = {"class_name": "OptimizerMap", "config": {**chooser, "optimizer_map": patterns}}
            three = {"class_name": "MultiOptimizer", "config": {"optimizer_map": described}}
            yield resumed(edition, f"multioptimizer-of-three-{way}", way, three, {**TWO, "scale": ()})


def resumed(edition: str, name: str, way: str, wrapper: Document, shapes: dict[str, Shape] = TWO) -> Document:
    """Three steps, of which the second is not finite under a loss scale; another wrapper; two steps."""
    made = case(wrapper["class_name"], wrapper["config"], way, shapes)
    if wrapper["class_name"] == "LossScaleOptimizer":
        made["events"][1]["apply"][1][0] = "Infinity"
    known = {clause["id"] for clause in serialization.clauses("resume", edition)}
    return {
        "id": f"{edition}/resume/{name}",
        "edition": edition,
        "clauses": [clause for clause in ("RESUME-6", "RESUME-7") if clause in known],
        "features": ["resume", wrappers.wrappers()[wrapper["class_name"]]["feature"]],
        "flags": [],
        **made,
        "keep": list(range(BEFORE, BEFORE + AFTER + 2)),
    }
