"""Cases about the methods and attributes of OptimizerV2: slots, weights, hyperparameters."""

from __future__ import annotations

from collections.abc import Iterator

from .drawing import Document
from .method_events import (
    BIAS,
    CALLABLE,
    KERNEL,
    SCHEDULE,
    Topic,
    call,
    get,
    let,
    of_iterators,
    scalar,
    state_of,
)

PRIVATE = {"Adagrad": "initial_accumulator_value", "Ftrl": "l2_shrinkage_regularization_strength"}
"""Arguments that an optimizer keeps under another name."""


def private_topics(optimizer: str) -> Iterator[Topic]:
    """OptimizerV2: an attribute of one's own, which only looks like an argument."""
    name = PRIVATE[optimizer]
    yield (
        f"{name}-set",
        "overwrite",
        {},
        lambda s: [get(name), let(name, 0.5), get(name), s.apply(), get(name), s.apply()],
    )


def legacy_topics(optimizer: str) -> Iterator[Topic]:
    """OptimizerV2: slug, topic, config, events."""
    slots = {"Adam": ["m", "v"], "SGD": ["momentum"], "Nadam": ["m", "v"], "RMSprop": ["rms"]}[optimizer]
    given: Document = {"momentum": 0.5} if optimizer == "SGD" else {}
    own = {
        "Adam": ["beta_1", "beta_2", "epsilon", "amsgrad"],
        "SGD": ["momentum", "nesterov"],
        "Nadam": ["beta_1", "beta_2", "epsilon"],
        "RMSprop": ["rho", "momentum", "epsilon", "centered"],
    }[optimizer]
    first = slots[0]
    yield (
        "weights",
        "weights",
        given,
        lambda s: [
            get("weights"),
            call("variables"),
            call("get_weights"),
            get("iterations"),
            get("weights"),
            s.apply(),
            get("weights"),
            call("get_weights"),
            s.apply(),
            call("get_weights"),
            call("variables"),
        ],
    )
    yield (
        "set_weights",
        "set_weights",
        given,
        lambda s: [
            call("set_weights", []),
            call("set_weights", [scalar(1, "int64")]),
            s.apply(),
            call("set_weights", state_of(s, len(slots) + 1)),
            call("set_weights", state_of(s, len(slots))),
            s.apply(),
            call("set_weights", [*state_of(s, len(slots))[:-1], s.tensor((2,), "array")]),
            s.apply(),
            call("set_weights", []),
            call("set_weights", [5]),
        ],
    )
    if optimizer == "Adam":
        yield (
            "set_weights-with-a-slot-more",
            "set_weights",
            given,
            lambda s: [
                s.apply(),
                call("add_slot", KERNEL, "extra"),
                call("set_weights", [*state_of(s, len(slots)), s.tensor((2, 3), "array"), s.tensor((3,), "array")]),
                s.apply(),
                call("set_weights", [*state_of(s, len(slots)), *(s.tensor((2, 3), "array") for _ in range(5))]),
                s.apply(),
            ],
        )
    yield (
        "get_slot",
        "get_slot",
        given,
        lambda s: [
            call("get_slot_names"),
            call("get_slot", KERNEL, first),
            s.apply(without=[1]),
            call("get_slot_names"),
            *(call("get_slot", KERNEL, slot) for slot in slots),
            call("get_slot", BIAS, first),
            call("get_slot", KERNEL, "nothing"),
            s.apply(),
            call("get_slot", BIAS, first),
            call("get_slot", var=BIAS, slot_name=first),
        ],
    )
    yield (
        "add_slot",
        "add_slot",
        given,
        lambda s: [
            call("add_slot", KERNEL, "extra"),
            get("weights"),
            call("get_slot_names"),
            s.apply(),
            call("add_slot", KERNEL, "more", "ones"),
            call("add_slot", KERNEL, "more", "zeros"),
            get("weights"),
            call("add_slot", BIAS, "given", initializer=s.tensor((3,))),
            call("get_slot", BIAS, "given"),
            call("get_slot_names"),
            s.apply(),
            call("add_slot", KERNEL, "rows", "ones", [2]),
            call("get_weights"),
        ],
    )
    yield (
        "add_slot-that-the-rule-uses",
        "add_slot",
        given,
        lambda s: [call("add_slot", KERNEL, first, "ones"), s.apply(), get("weights"), s.apply()],
    )
    yield (
        "add_weight",
        "add_weight",
        given,
        lambda s: [
            call("add_weight", "extra", [2]),
            call("add_weight", "extra", [], {"dtype": "int64"}),
            get("weights"),
            s.apply(),
            call("add_weight", "one", [2], initializer="ones"),
            call("add_weight", "wide", [2, 1], {"dtype": "float64"}, "ones"),
            call("add_weight", "half", [], initializer=0.5),
            call("add_weight", "untold"),
            get("weights"),
            s.apply(),
        ],
    )
    yield (
        "add_weight-of-a-number",
        "add_weight",
        given,
        lambda s: [
            call("add_weight", "one", [], initializer=2),
            call("add_weight", "two", [2], initializer=0.5),
            call("add_weight", "wide", [], {"dtype": "float64"}, 0.5),
        ],
    )
    read = ["lr", "learning_rate", "decay", *own, "iterations", "clipnorm", "clipvalue", "global_clipnorm", "nothing"]
    yield (
        "hyperparameters-read",
        "hyperparameters",
        given,
        lambda s: [*map(get, read), s.apply(), *map(get, read[:-2]), get("iterations")],
    )
    yield (
        "hyperparameters-given-otherwise",
        "hyperparameters",
        {"lr": 0.25, "decay": 0.5, "clipnorm": 1.0, "name": "own"},
        lambda s: [*map(get, read[:3]), get("clipnorm"), s.apply(), *map(get, read[:3]), get("clipnorm")],
    )
    called = [name for name in own if name in ("beta_1", "beta_2", "momentum", "rho")]
    yield (
        "hyperparameters-that-are-functions",
        "hyperparameters",
        {called[0]: CALLABLE},
        lambda s: [get(called[0]), get(called[0]), s.apply(), get(called[0]), s.apply()],
    )
    yield (
        "hyperparameters-by-name",
        "own",
        given,
        lambda s: [
            call("_get_hyper", "learning_rate"),
            call("_get_hyper", called[0], "float64"),
            call("_get_hyper", "epsilon"),
            call("_set_hyper", "learning_rate", 0.25),
            get("lr"),
            call("_set_hyper", "extra", 2.0),
            call("_get_hyper", "extra"),
            get("extra"),
            s.apply(),
            call("_set_hyper", called[0], 0.25),
            get(called[0]),
            s.apply(),
            let("extra", 3.0),
            call("_get_hyper", "extra"),
        ],
    )
    yield (
        "hyperparameters-by-name-of-a-function",
        "own",
        {"learning_rate": {"callable": [0.1]}},
        lambda s: [
            call("_get_hyper", "learning_rate", "float64"),
            call("_get_hyper", "learning_rate", {"dtype": "float64"}),
            call("_get_hyper", "learning_rate", {"dtype": "float32"}),
            s.apply(),
        ],
    )
    yield (
        "a-slot-before-an-empty-list",
        "overwrite",
        given,
        lambda s: [
            call("add_slot", KERNEL, "extra"),
            call("apply_gradients", []),
            get("weights"),
            let("learning_rate", CALLABLE),
            get("learning_rate"),
            s.apply(),
            get("weights"),
        ],
    )
    yield (
        "hyperparameters-overwritten",
        "overwrite",
        given,
        lambda s: [
            let("lr", 0.25),
            get("learning_rate"),
            s.apply(),
            *(let(name, 0.25) for name in called),
            *map(get, called),
            s.apply(),
            let(called[0], CALLABLE),
            get(called[0]),
            s.apply(),
        ],
    )
    yield (
        "learning_rate-overwritten-by-others",
        "overwrite",
        given,
        lambda s: [
            s.apply(),
            let("learning_rate", CALLABLE),
            get("learning_rate"),
            s.apply(),
            let("learning_rate", SCHEDULE),
            get("lr"),
            s.apply(),
            let("lr", 0.125),
            get("lr"),
            s.apply(),
            get("learning_rate"),
        ],
    )
    if optimizer == "Adam":
        yield (
            "amsgrad-after-build",
            "overwrite",
            {},
            lambda s: [
                s.apply(),
                let("amsgrad", True),
                get("amsgrad"),
                s.apply(),
                call("get_slot_names"),
                let("amsgrad", False),
                s.apply(),
            ],
        )
        yield (
            "amsgrad-before-build",
            "overwrite",
            {},
            lambda s: [
                let("amsgrad", True),
                s.apply(),
                call("get_slot_names"),
                let("amsgrad", False),
                s.apply(),
                call("get_slot_names"),
                let("amsgrad", True),
                s.apply(),
            ],
        )
    yield (
        "iterations",
        "iterations",
        given,
        lambda s: [
            get("iterations"),
            let("iterations", 5),
            {"attempt": {"set_iterations": 7}},
            s.apply(),
            get("iterations"),
            let("iterations", 9),
            s.apply(),
        ],
    )
    yield (
        "iterations-replaced-at-first",
        "iterations",
        given,
        lambda s: [
            let("iterations", 5),
            get("iterations"),
            get("weights"),
            s.apply(),
            let("iterations", 1),
            s.apply(),
            call("get_weights"),
        ],
    )
    yield "apply_gradients-of-an-iterator", "apply_gradients", given, of_iterators
    yield (
        "apply_gradients",
        "apply_gradients",
        given,
        lambda s: [
            call("apply_gradients", s.pairs()),
            call("apply_gradients", s.pairs(), "named"),
            call("apply_gradients", s.pairs(), experimental_aggregate_gradients=False),
            call("apply_gradients", s.pairs(), nothing=1),
            call("apply_gradients", []),
            call("apply_gradients", [[s.gradients()[0], KERNEL], [None, BIAS]]),
            call("apply_gradients", [[None, KERNEL], [None, BIAS]]),
        ],
    )
