"""Cases about the methods and attributes of Keras 2.9 to 2.15: build, variables, attributes."""

from __future__ import annotations

from collections.abc import Iterator

from .drawing import Document
from .method_events import (
    BIAS,
    BOTH,
    CALLABLE,
    KERNEL,
    LISTED,
    SCHEDULE,
    SHAPES,
    Topic,
    amsgrad,
    attempt,
    call,
    get,
    let,
    of_iterators,
    scalar,
    state_of,
    stores_of_nothing,
)


def keras_2_topics(optimizer: str, edition: str) -> Iterator[Topic]:
    """tf2.9, tf2.12 and tf2.15: slug, topic, config, events."""
    given: Document = {"momentum": 0.5} if optimizer == "SGD" else {}
    own = {
        "Adam": ["beta_1", "beta_2", "epsilon", "amsgrad"],
        "SGD": ["momentum", "nesterov"],
        "AdamW": ["beta_1", "weight_decay"],
    }[optimizer]
    read = [
        "lr",
        "learning_rate",
        *own,
        "iterations",
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "jit_compile",
        "nothing",
        "decay",
    ]
    count = {"Adam": 4, "SGD": 2, "AdamW": 4}[optimizer]
    yield (
        "build",
        "build",
        given,
        lambda s: [
            get("variables"),
            call("build", BOTH),
            get("variables"),
            call("build", [KERNEL]),
            s.apply(),
            s.apply(),
        ],
    )
    yield (
        "build-some",
        "build",
        given,
        lambda s: [call("build", [BIAS]), get("variables"), s.apply()],
    )
    yield (
        "variables",
        "variables",
        given,
        lambda s: [
            get("variables"),
            call("variables"),
            get("weights"),
            call("get_weights"),
            get("trainable_variables"),
            s.apply(),
            get("variables"),
            call("variables"),
            call("get_weights"),
            get("built"),
        ],
    )
    yield (
        "set_weights",
        "set_weights",
        given,
        lambda s: [
            call("set_weights", [scalar(1, "int64")]),
            s.apply(),
            call("set_weights", state_of(s, 1)),
            s.apply(),
            call(
                "set_weights",
                [
                    scalar(2, "int64"),
                    *(s.tensor(shape, "array") for shape in SHAPES.values() for _ in range(count // 2)),
                ],
            ),
            s.apply(),
            call("set_weights", [scalar(1, "int64"), s.tensor((2,), "array")]),
            call("set_weights", []),
            call("set_weights", [5]),
            s.apply(),
        ],
    )
    yield (
        "attributes-read",
        "attributes",
        given,
        lambda s: [*map(get, read), s.apply(), *map(get, read[:8])],
    )
    yield (
        "attributes-of-others",
        "attributes",
        {"learning_rate": SCHEDULE, "clipnorm": 1.0, "use_ema": True, "name": "own"},
        lambda s: [get("learning_rate"), get("clipnorm"), get("name"), s.apply(), get("lr"), s.apply(), get("lr")],
    )
    yield (
        "learning_rate-overwritten-by-others",
        "overwrite",
        given,
        lambda s: [
            s.apply(),
            let("lr", 0.25),
            get("learning_rate"),
            s.apply(),
            let("learning_rate", SCHEDULE),
            get("lr"),
            s.apply(),
            get("learning_rate"),
            let("lr", 0.125),
            s.apply(),
            get("lr"),
        ],
    )
    yield (
        "learning_rate-read-after-a-schedule",
        "overwrite",
        given,
        lambda s: [
            let("learning_rate", SCHEDULE),
            get("learning_rate"),
            s.apply(),
            get("learning_rate"),
        ],
    )
    yield (
        "learning_rate-read-after-an-empty-list",
        "overwrite",
        given,
        lambda s: [
            let("learning_rate", SCHEDULE),
            s.apply(),
            s.apply(),
            call("apply_gradients", []),
            get("learning_rate"),
        ],
    )
    yield (
        "aggregate_gradients-of-nothing",
        "apply_gradients",
        given,
        lambda s: [
            call("aggregate_gradients", []),
            call("aggregate_gradients", [[None, KERNEL], [None, BIAS]]),
            call("aggregate_gradients", [[s.gradients()[0], KERNEL], [None, BIAS]]),
            call("aggregate_gradients", s.pairs()),
        ],
    )
    if edition != "tf2.9":
        method = "load_own_variables" if edition == "tf2.15" else "_load_own_variables"
        yield "load_own_variables-of-nothing", "set_weights", given, lambda s: stores_of_nothing(s, method)
    if optimizer == "Adam":
        yield from amsgrad()
        yield (
            "options-overwritten",
            "overwrite",
            {"use_ema": True, "ema_momentum": 0.5},
            lambda s: [s.apply(), let("ema_overwrite_frequency", 1), s.apply(), let("use_ema", False), s.apply()],
        )
    yield (
        "add_variable",
        "add_variable",
        given,
        lambda s: (
            [
                call("add_variable", [2]),
                call("add_variable", [], "float64", "ones"),
                get("variables"),
                s.apply(),
                call("add_variable", [1, 2], initializer="ones", name="late"),
                get("variables"),
                s.apply(),
            ]
            if edition in LISTED
            else [call("add_variable", [2]), call("add_variable", None, "float64", "ones"), get("variables"), s.apply()]
        ),
    )
    yield (
        "add_variable_from_reference",
        "add_variable",
        given,
        lambda s: [
            call("add_variable_from_reference", KERNEL, "like"),
            call("add_variable_from_reference", BIAS, "square", [3, 3]),
            call("add_variable_from_reference", BIAS, "given", initial_value=s.tensor((3,))),
            call("add_variable_from_reference", model_variable=BIAS, variable_name="scalar", shape=[]),
            get("variables"),
            s.apply(),
        ],
    )
    yield (
        "update_step",
        "update_step",
        given,
        lambda s: [
            call("update_step", s.gradients()[0], KERNEL),
            call("build", BOTH),
            call("update_step", s.gradients()[0], KERNEL),
            call("update_step", s.gradients()[1], BIAS),
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
            get("iterations"),
            get("variables"),
            s.apply(),
            get("iterations"),
            let("iterations", 1),
            {"attempt": {"set_iterations": 7}},
            s.apply(),
            get("variables"),
        ],
    )
    if edition != "tf2.9":
        yield (
            "apply_gradients-of-a-new-variable",
            "apply_gradients",
            {**given, "weight_decay": 0.5},
            lambda s: [
                call("apply_gradients", s.pairs()[:1]),
                call("apply_gradients", s.pairs()),
                call("apply_gradients", s.pairs()[:1]),
            ],
        )
    if optimizer == "Adam":
        yield "attributes-that-are-functions", "attributes", {"beta_1": CALLABLE}, lambda s: [attempt(s.apply())]
    yield "apply_gradients-of-an-iterator", "apply_gradients", given, of_iterators
    yield (
        "apply_gradients",
        "apply_gradients",
        given,
        lambda s: [
            call("apply_gradients", s.pairs()),
            call("apply_gradients", s.pairs(), skip_gradients_aggregation=True),
            call("apply_gradients", s.pairs(), name="named"),
            call("apply_gradients", s.pairs(), nothing=1),
            call("apply_gradients", []),
            call("apply_gradients", [[s.gradients()[0], KERNEL], [None, BIAS]]),
            call("apply_gradients", [[None, KERNEL], [None, BIAS]]),
        ],
    )
    yield (
        "apply_gradients-with-a-name",
        "apply_gradients",
        given,
        lambda s: [call("apply_gradients", s.pairs(), name="named"), get("variables"), s.apply()],
    )
