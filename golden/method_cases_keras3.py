"""Cases about the methods and attributes of Keras 3: build, variables, assignments, apply."""

from __future__ import annotations

from collections.abc import Iterator

from .drawing import Document
from .method_events import (
    BIAS,
    BOTH,
    CALLABLE,
    KERNEL,
    SCHEDULE,
    Topic,
    amsgrad,
    attempt,
    call,
    get,
    let,
    of_iterators,
    scalar,
    stores_of_nothing,
)


def keras_3_topics(optimizer: str) -> Iterator[Topic]:
    """Keras 3: slug, topic, config, events."""
    given: Document = {"momentum": 0.5} if optimizer == "SGD" else {}
    own = {
        "Adam": ["beta_1", "beta_2", "epsilon", "amsgrad"],
        "SGD": ["momentum", "nesterov"],
        "AdamW": ["beta_1", "weight_decay"],
    }[optimizer]
    read = [
        "learning_rate",
        *own,
        "iterations",
        "built",
        "clipnorm",
        "clipvalue",
        "global_clipnorm",
        "use_ema",
        "ema_momentum",
        "ema_overwrite_frequency",
        "loss_scale_factor",
        "gradient_accumulation_steps",
        "name",
        "weight_decay",
        "nothing",
        "lr",
        "decay",
    ]
    yield (
        "build",
        "build",
        given,
        lambda s: [
            get("built"),
            get("variables"),
            call("build", BOTH),
            get("built"),
            get("variables"),
            s.apply(),
            call("build", [KERNEL]),
            get("variables"),
            s.apply(),
        ],
    )
    yield (
        "build-some-then-both",
        "build",
        given,
        lambda s: [call("build", [BIAS]), call("build", BOTH), get("variables"), attempt(s.apply()), s.apply([1])],
    )
    yield (
        "build-some",
        "build",
        given,
        lambda s: [
            call("build", [BIAS]),
            get("variables"),
            attempt(s.apply()),
            call("apply", [s.gradients()[1]], [BIAS]),
        ],
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
            call("get_weights"),
        ],
    )
    yield (
        "set_weights",
        "set_weights",
        given,
        lambda s: [
            call("set_weights", [scalar(1, "int64")]),
            s.apply(),
            call("set_weights", [scalar(3, "int64"), scalar(0.25), s.tensor((2, 3), "array")]),
            s.apply(),
            call("set_weights", [scalar(3, "int64"), scalar(0.25), s.tensor((2,), "array")]),
            call("set_weights", []),
            call("set_weights", [5]),
            s.apply(),
        ],
    )
    yield "attributes-read", "attributes", given, lambda s: [*map(get, read), s.apply(), *map(get, read[:6])]
    yield (
        "attributes-of-others",
        "attributes",
        {"learning_rate": SCHEDULE, "clipnorm": 1.0, "name": "own"},
        lambda s: [
            get("learning_rate"),
            get("clipnorm"),
            get("name"),
            s.apply(),
            get("learning_rate"),
            s.apply(),
            get("learning_rate"),
            let("learning_rate", 0.5),
        ],
    )
    yield (
        "attributes-that-are-functions",
        "attributes",
        {"learning_rate": CALLABLE},
        lambda s: [get("learning_rate"), get("learning_rate"), s.apply(), get("learning_rate"), s.apply()],
    )
    yield (
        "learning_rate-of-a-function-overwritten",
        "overwrite",
        {"learning_rate": CALLABLE},
        lambda s: [s.apply(), let("learning_rate", 0.25), s.apply(), get("learning_rate")],
    )
    yield (
        "learning_rate-overwritten-by-others",
        "overwrite",
        given,
        lambda s: [
            s.apply(),
            let("learning_rate", 0.25),
            get("learning_rate"),
            s.apply(),
            let("lr", 0.5),
            get("lr"),
            s.apply(),
            get("learning_rate"),
            let("learning_rate", SCHEDULE),
            get("variables"),
            get("learning_rate"),
            s.apply(),
        ],
    )
    if optimizer == "Adam":
        yield from amsgrad()
        yield (
            "iterations-with-accumulation",
            "iterations",
            {"gradient_accumulation_steps": 2},
            lambda s: [get("iterations"), s.apply(), get("iterations"), s.apply(), get("iterations"), s.apply()],
        )
        yield (
            "scale_loss",
            "scale_loss",
            {"loss_scale_factor": 3.0},
            lambda s: [call("scale_loss", s.tensor((2,))), call("scale_loss", 2.0), s.apply()],
        )
    yield "scale_loss-without-a-factor", "scale_loss", given, lambda s: [call("scale_loss", s.tensor((2,)))]
    yield (
        "add_variable",
        "add_variable",
        given,
        lambda s: [
            call("add_variable", [2]),
            call("add_variable", [], "ones", "float64"),
            get("variables"),
            s.apply(),
            call("add_variable", shape=[1, 2], initializer="ones", name="late"),
            get("variables"),
            s.apply(),
        ],
    )
    yield (
        "add_variable_from_reference",
        "add_variable",
        given,
        lambda s: [
            call("add_variable_from_reference", KERNEL, "like"),
            call("add_variable_from_reference", BIAS),
            call("add_variable_from_reference", BIAS, name="one", initializer="ones"),
            call("add_variable_from_reference", reference_variable=BIAS, name="zero"),
            get("variables"),
            s.apply(),
        ],
    )
    yield (
        "add_optimizer_variables",
        "add_variable",
        given,
        lambda s: [
            call("add_optimizer_variables", BOTH, "like"),
            call("add_optimizer_variables", BOTH, ["a", "b"]),
            call("add_optimizer_variables", [BIAS], ["c", "d"], ["ones", "zeros"]),
            call("add_optimizer_variables", [BIAS], "e", "ones"),
            call("add_optimizer_variables", [BIAS], ["f", "g"], ["ones"]),
            get("variables"),
            s.apply(),
        ],
    )
    yield (
        "update_step",
        "update_step",
        given,
        lambda s: [
            call("update_step", s.gradients()[0], KERNEL, scalar(0.5, kind="tensor")),
            call("build", BOTH),
            call("update_step", s.gradients()[0], KERNEL, scalar(0.5, kind="tensor")),
            call("update_step", s.gradients()[1], BIAS, scalar(0.25, kind="tensor")),
            s.apply(),
        ],
    )
    yield (
        "assign",
        "assign",
        given,
        lambda s: [
            s.apply(),
            call("assign", KERNEL, s.tensor((2, 3))),
            call("assign_add", BIAS, s.tensor((3,))),
            call("assign_sub", BIAS, s.tensor((3,))),
            call("assign", {"state": 2}, s.tensor((2, 3))),
            call("assign_add", {"state": 1}, 0.25),
            call("assign", KERNEL, s.tensor((2,))),
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
            get("iterations"),
            s.apply(),
            get("iterations"),
            s.apply(),
        ],
    )
    yield (
        "apply",
        "apply",
        given,
        lambda s: [
            call("apply", []),
            call("apply", s.gradients()),
            call("apply", s.gradients(), BOTH),
            call("apply", s.gradients()),
            call("apply", s.gradients()[:1]),
            call("apply", [s.gradients()[0], None]),
            call("apply", [None, None]),
            call("apply", [s.gradients()[1]], trainable_variables=[BIAS]),
            call("apply", []),
        ],
    )
    yield from other_lengths(given)
    stores = "load_own_variables"
    yield f"{stores}-of-nothing", "set_weights", given, lambda s: stores_of_nothing(s, stores)
    yield (
        "from_config-with-decay",
        "attributes",
        given,
        lambda s: [
            call("from_config", {"config": {"learning_rate": 0.1, "name": "own"}}),
            call("from_config", {"config": {"learning_rate": 0.1, "decay": 0.5}}),
            call("from_config", {"config": {"learning_rate": 0.1, "decay": 0.0}}),
            call("from_config", {"config": {"learning_rate": 0.1, "decay": None}}),
            call("from_config", {"config": {"learning_rate": 0.1, "lr": 0.5}}),
        ],
    )
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
        yield "beta_1-that-is-a-function", "attributes", {"beta_1": CALLABLE}, lambda s: [attempt(s.apply())]
    yield "apply_gradients-of-an-iterator", "apply_gradients", given, of_iterators
    yield (
        "apply_gradients",
        "apply_gradients",
        given,
        lambda s: [
            call("apply_gradients", s.pairs()),
            call("apply_gradients", s.pairs(), nothing=1),
            call("apply_gradients", []),
            call("apply_gradients", [[s.gradients()[0], KERNEL], [None, BIAS]]),
            call("apply_gradients", [[None, KERNEL], [None, BIAS]]),
        ],
    )
    yield (
        "stateless_apply",
        "stateless_apply",
        given,
        lambda s: [
            call("stateless_apply", [], s.gradients(), s.gradients()),
            s.apply(),
            call("stateless_apply", [scalar(1, "int64")], s.gradients(), s.gradients()),
            s.apply(),
        ],
    )


def other_lengths(given: Document) -> Iterator[Topic]:
    """More gradients than variables, and fewer, beside options that look at either of the lists."""
    every: dict[str, Document] = {
        "": {},
        "+weight_decay+global_clipnorm": {"weight_decay": 0.5, "global_clipnorm": 0.5},
        "+gradient_accumulation_steps": {"gradient_accumulation_steps": 2},
    }
    for name, options in every.items():
        yield (
            f"apply-of-other-lengths{name}",
            "apply",
            {**given, **options},
            lambda s: [
                call("apply", s.gradients()[:1], BOTH),
                call("apply", s.gradients(), [KERNEL]),
                call("apply", [s.gradients()[0], None], [KERNEL]),
                call("apply", [None], BOTH),
                call("apply", [None, None], [KERNEL]),
                call("apply", [s.gradients()[0], None, None], BOTH),
                call("apply", [None, s.gradients()[1]], [KERNEL]),
                call("apply", [None, s.gradients()[1]], BOTH),
                call("apply", s.gradients(), BOTH),
            ],
        )


def exclusion() -> Iterator[Topic]:
    """Weight decay spared by a pattern that only Keras' own name fits: TensorFlow's ends in `:0`."""
    yield (
        "exclude-by-the-end-of-a-name",
        "exclude",
        {"weight_decay": 0.5},
        lambda s: [attempt({"exclude": {"names": ["l$"]}}), s.apply(), s.apply()],
    )


def built_by_itself() -> Iterator[Topic]:
    """State that an optimizer makes outside a step; Nadam and Adafactor name some of it after nobody."""
    yield "build", "build", {}, lambda s: [call("build", BOTH), get("variables"), s.apply()]
