"""Cases of what a longer list of options hides: each variant alone with all digits, and options at ends of their own.

Each is here because some wrong implementation passed all others (tests/wrong/README.md names the case that rejects
it).  An option that is 0 unless it is given asks for another rule once it has digits, so that the rule without it
was never seen with all digits of the other numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, features_of, normal, slug
from .lifecycle_cases import Case, Maker, attempt
from .method_events import BOTH, call, get, scalar
from .remote_cases import ROWS, of_all_digits, rows_of, steps_of
from .sparse_cases import configs_of_variants

ONE: dict[str, Shape] = {"bias": (3,)}
ONE_COLUMN: Shape = (5, 1)
SIDES: dict[str, Shape] = {"kernel": (5, 2), "square": (3, 3), "wide": (2, 4)}
PACKETS: dict[str, Shape] = {"kernel": (3, 3)}
PATHS: dict[str, Shape] = {"dense/kernel": (2, 2), "dense_1/kernel": (2, 2), "model/Embedding_2/table": (3, 2)}
"""Variables as layers name them: two have the same last name."""
SPARED: dict[str, list[str]] = {
    "a-layer": ["dense/"],
    "the-start-of-the-last-name": ["^kernel"],
    "the-start-of-a-layer": ["^dense_1"],
    "the-end-of-the-last-name": ["nel$", "le:0$"],
    "a-layer-among-others": ["Embed", "table$"],
}
TWO_CLIPS: list[Document] = [
    {"clipnorm": 0.0, "clipvalue": 0.25},
    {"clipvalue": 0.0, "clipnorm": 0.5},
    {"global_clipnorm": 0.0, "clipvalue": 0.25},
    {"clipvalue": 0.0, "global_clipnorm": 0.5},
    {"clipnorm": 24.5, "clipvalue": 0.25},
]
"""Two kinds of clipping, of which one has a threshold of 0, or above the gradients."""
TOGETHER: tuple[tuple[int, ...], ...] = ((0, 1), (1,), (0,), (0, 1), (1,))
"""Which of two variables have a gradient, step by step."""


def overlooked_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    for config in exact_configs(edition, optimizer):
        name = named(config, switches(optimizer))
        yield f"sparse-{name}+its-own-digits", with_config(rows_of(edition, optimizer, {}, "float32"), config)
        case = make.case(config, lambda s: s.many(2), shapes=PACKETS)
        yield f"{name}+its-own-digits", {**case, "optimizer": {"class_name": optimizer, "config": config}}
    yield "sparse-one-column", of_one_column(edition, optimizer)
    yield "variables-of-layers", make.case({}, lambda s: s.many(2), shapes=PATHS)
    if "weight_decay" in make.takes and optimizer in ("SGD", "AdamW", "Muon") and edition != "tf2.9":
        config = {"weight_decay": 0.5, **({"adam_weight_decay": 0.25} if optimizer == "Muon" else {})}
        for name, patterns in SPARED.items():
            first = attempt({"exclude": {"names": patterns}})
            yield (
                f"decay-but-not-{name}",
                make.case(config, lambda s: [first, *s.many(2)], ["weight_decay"], shapes=PATHS),  # noqa: B023
            )
    if optimizer == "SGD":
        yield from made_like_others(make)
        yield "clipvalue=0.0+weights-of-both-zeros", of_both_zeros(make)
        for config in TWO_CLIPS if edition != "keras3" else ():
            yield slug(config), make.case(config, lambda s: [attempt(s.apply()), attempt(s.apply())])
    if optimizer == "AdamW":
        for config in ({}, {"amsgrad": True}):
            given = {**config, "weight_decay": -0.5}
            yield f"sparse-{slug(given)}", with_config(rows_of(edition, optimizer, {}, "float32"), given)
            yield f"{slug(given)}+two-variables", make.case(given, lambda s: s.many(2))
    if "use_ema" in make.takes and optimizer in ("SGD", "Adam"):
        yield from averages_late(make)
    if optimizer == "Nadam":
        for pair in (("float32", "float64"), ("float64", "float32")):
            yield f"{pair[0]}-and-{pair[1]}-in-turn", in_turn(pair)
    if optimizer == "Muon":
        for config in ({"ns_steps": 0}, {"ns_steps": 0, "rms_rate": None}):
            yield slug(config), make.case(config, lambda s: s.many(2), shapes=SIDES)


def averages_late(make: Maker) -> Iterator[Case]:
    """Averages that are written back seldom, and beside a counter beyond what 32 bits hold."""
    for frequency, before in ((100, 98), (128, 254), (1000, 998), (3, 2**31 - 3), (2, 2**32 - 2)):
        config = {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": frequency}
        late = attempt({"set_iterations": before})
        case = make.case(config, lambda s: [s.apply(), late, *s.many(4)], ["learning_rate"], shapes=ONE)  # noqa: B023
        yield f"{slug(config)}+after-{before}", case


def switches(optimizer: str) -> set[str]:
    """The arguments that ask for another rule."""
    return {name for variant in spec.optimizers()[optimizer]["variants"] for name in variant["when"]}


def exact_configs(edition: str, optimizer: str) -> Iterator[Document]:
    """For each variant that a number asks for: all digits of the numbers that it has, and of no others."""
    digits = of_all_digits(edition, optimizer)
    asking = switches(optimizer)
    if not asking & set(digits):
        return
    own = {name: number for name, number in digits.items() if name not in asking}
    for config in ({}, *configs_of_variants(optimizer, edition)):
        yield {**own, **{name: digits[name] if type(value) is float else value for name, value in config.items()}}


def named(config: Document, names: set[str]) -> str:
    """What asks for a rule, in a word or some, without the digits."""
    asked = {name: value for name, value in config.items() if name in names}
    return "+".join(name if type(value) is float else slug({name: value}) for name, value in asked.items()) or "plain"


def with_config(case: Document, config: Document) -> Document:
    """The case of rows with another config."""
    given = {"class_name": case["optimizer"]["class_name"], "config": config}
    return {**case, "features": ["sparse", *features_of(config)], "optimizer": given}


def of_one_column(edition: str, optimizer: str) -> Document:
    """Rows of one number each, of a matrix."""
    case = rows_of(edition, optimizer, {}, "float32")
    stream = random.Random(f"one column {optimizer}")
    values = normal(stream, ONE_COLUMN, "float32")
    variable = {"name": "kernel", "value": {"dtype": "float32", "shape": list(ONE_COLUMN), "values": values}}
    return {**case, "variables": [variable], "events": steps_of(stream, [ONE_COLUMN], ROWS, "float32")}


def of_both_zeros(make: Maker) -> Document:
    """Weights of 0.0 and -0.0, a packet of them and some more, whose gradients are cut to 0, or are 0 already."""
    shapes: dict[str, Shape] = {"bias": (11,)}
    config = {"clipvalue": 0.0, "learning_rate": 1.0, "momentum": 0.0}
    case = make.case(
        config,
        lambda s: [*s.many(1), {"apply": [[0.0, -0.0, 0.5, -0.5, 0.0, -0.0] + [0.5, 0.0] * 2 + [-0.0]]}],
        shapes=shapes,
    )
    variables = [
        {**v, "value": {**v["value"], "values": [-0.0, -0.0, 0.0] * 3 + [-0.0, 0.0]}} for v in case["variables"]
    ]
    return {**case, "variables": variables, "flags": [*case["flags"], "starts-at-zero"]}


def made_like_others(make: Maker) -> Iterator[Case]:
    """Variables made like those of layers, and with a first value of another shape than theirs."""
    if make.kind == "legacy":
        slots = [call("add_slot", variable, "like") for variable in (*BOTH, {"variable": 2})]
        yield "slots-of-layers", called(make.case({}, lambda s: [*slots, s.apply()], shapes=PATHS))
        return
    like = [call("add_variable_from_reference", variable, "like") for variable in (*BOTH, {"variable": 2})]
    state = get("variables")
    yield "variables-like-those-of-layers", called(make.case({}, lambda s: [*like, state, s.apply()], shapes=PATHS))
    if make.kind != "keras3":
        given: list[Document] = [
            {"initial_value": scalar(0.5)},
            {"initial_value": scalar(0.5, kind="tensor"), "shape": [2]},
        ]
        filled = [call("add_variable_from_reference", BOTH[0], "filled", **keywords) for keywords in given]
        yield "variables-filled-with-a-number", called(make.case({}, lambda s: [*filled, state, s.apply()]))


def called(case: Document) -> Document:
    """The case as one about methods."""
    return {**case, "features": ["methods"], "flags": ["called"], "events": [asked(event) for event in case["events"]]}


def asked(event: Document) -> Document:
    """The event as one that may fail."""
    return event if "attempt" in event else attempt(event)


def in_turn(dtypes: tuple[str, str]) -> Document:
    """Steps of two variables of two dtypes, of which sometimes only one has a gradient."""
    stream = random.Random(f"in turn {dtypes}")

    def tensor(dtype: str) -> Document:
        return {"dtype": dtype, "shape": [2], "values": normal(stream, (2,), dtype)}

    def step(there: tuple[int, ...]) -> Document:
        given: list[Any] = [tensor(dtype) if i in there else None for i, dtype in enumerate(dtypes)]
        return attempt({"apply": given})

    return {
        "features": ["dense", "none"],
        "flags": ["goes-on-after-an-error", "missing-gradient"],
        "optimizer": {"class_name": "Nadam", "config": {"learning_rate": 0.1}},
        "variables": [{"name": f"bias_{i}", "value": tensor(dtype)} for i, dtype in enumerate(dtypes)],
        "events": [step(there) for there in TOGETHER],
    }
