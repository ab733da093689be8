"""Cases that tell what is nearly right: zeros of both signs, late steps, divisors of 0, numbers that are rounded.

Each is here because some wrong implementation passed all others (tests/wrong/README.md names the case that rejects
it).  They are short and start at 0 where they can, so that the first step shows every bit of an update.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, dtypes_of, features_of, normal, slug

Case = tuple[str, Document]
RANKS: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,), "scale": (), "cube": (2, 1, 2)}
ELEVEN: dict[str, Shape] = {"bias": (11,)}
PAIR: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,)}
SLOW = 0.99999
"""A beta that shows in its powers until long after a thousand steps."""
ROUNDED: list[Document] = [{"clipvalue": 0.3}, {"clipnorm": 0.3}, {"global_clipnorm": 0.3}, {"weight_decay": 0.3}]
EXCLUDED: dict[str, list[Document]] = {
    "the-end-of-a-name": [{"names": ["e$"]}],
    "a-number-after-the-name": [{"names": ["scale:"]}],
    "another-the-second-time": [{"names": ["bias"]}, {"variables": [0]}],
    "the-second-of-two-patterns": [{"names": ["nothing", "ia"]}],
}


def subtle_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    own = spec.hyperparameters(optimizer, edition)
    yield "zeros-of-both-signs", make.case({}, RANKS, zeros_of_both_signs)
    yield "every-other-element-zero", make.case({}, RANKS, every_other_zero)
    yield from late_steps(make, own)
    if "initial_accumulator_value" in own or "epsilon" in own:
        nothing: Document = {name: 0.0 for name in ("initial_accumulator_value", "epsilon") if name in own}
        yield f"{slug(nothing)}+zero-from-the-first", make.case(nothing, PAIR, all_zero)
        if "l2_shrinkage_regularization_strength" in own:
            nothing = {**nothing, "l2_shrinkage_regularization_strength": 0.01}
            yield f"{slug(nothing)}+zero-from-the-first", make.case(nothing, PAIR, all_zero)
    if "epsilon_1" in own:
        yield "one-row+zero-from-the-first", make.case({}, {"row": (1, 3), "single": (1,)}, all_zero)
    for name, entry in spec.own_keyword_arguments(optimizer, edition).items():
        for sample in entry["samples"]:
            yield f"{slug({name: sample})}+late-steps", make.case({name: sample}, ELEVEN, late)
    if optimizer in ("AdamW", "Lion", "Muon"):
        yield "weight_decay=-0.1", make.case({"weight_decay": -0.1}, PAIR, plain, begin=1.0)
    if "centered" in own:
        constant = {"centered": True, "rho": 0.5}
        steady = make.case(constant, ELEVEN, constant_large)
        yield f"{slug(constant)}+constant-gradient-for-long", {**steady, "keep": [1, 38, 39, 40]}
    if "rho" in own:
        yield "rho=1.0", make.case({"rho": 1.0}, PAIR, plain)
        yield "rho=0.25+exact-denormals", make.case({"rho": 0.25}, {"bias": (5,)}, nearly_denormal)
    if optimizer in ("SGD", "Adam"):
        if "decay" in make.takes:
            yield "decay=0.5+late-steps", make.case({"decay": 0.5}, ELEVEN, late)
            yield "decay=0.5+late-steps-float64", make.case({"decay": 0.5}, ELEVEN, late, "float64")
        for config in ROUNDED:
            if set(config) <= make.takes:
                yield f"{slug(config)}-float64", make.case(config, RANKS, plain, "float64", begin=1.0)
        for config in ROUNDED[1:3]:
            yield f"{slug(config)}+infinite-norm", make.case(config, PAIR, infinite_norm)
        if "weight_decay" in make.takes:
            yield from spared(make)
    if optimizer == "Muon":
        yield from muon(make)


class Maker:
    """Cases of one optimizer of an edition, from generators that they seed themselves."""

    def __init__(self, edition: str, optimizer: str) -> None:
        self.edition, self.optimizer = edition, optimizer
        self.dtypes = dtypes_of(edition, optimizer)
        self.takes = set(spec.taken(optimizer, edition))

    def case(
        self, config: Document, shapes: dict[str, Shape], events: Any, dtype: str = "float32", begin: float = 0.0
    ) -> Document:
        """A case that starts at 0, or at random values."""
        stream = random.Random(f"subtle {self.optimizer} {sorted(config.items())} {shapes} {dtype} {events.__name__}")
        variables = [
            {
                "name": name,
                "value": {
                    "dtype": dtype,
                    "shape": list(shape),
                    "values": [x * begin for x in normal(stream, shape, dtype)],
                },
            }
            for name, shape in shapes.items()
        ]
        played = events(stream, list(shapes.values()), dtype, variables)
        overwritten = any("set_iterations" in event.get("attempt", event) for event in played)
        return {
            "features": list(
                dict.fromkeys(("dense", *(["learning_rate"] if overwritten else []), *features_of(config)))
            ),
            "flags": ["overwritten"] if overwritten else [] if begin else ["starts-at-zero"],
            "optimizer": {"class_name": self.optimizer, "config": config},
            "variables": variables,
            "events": played,
        }


Variables = list[Document]


def gradients(stream: random.Random, shapes: list[Shape], dtype: str) -> list[list[Any]]:
    """Random gradients."""
    return [normal(stream, shape, dtype) for shape in shapes]


def plain(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """Three steps."""
    return [{"apply": gradients(stream, shapes, dtype)} for _ in range(3)]


def zeros_of_both_signs(stream: random.Random, shapes: list[Shape], dtype: str, variables: Variables) -> list[Document]:
    """Weights and gradients of 0.0 and -0.0, in every combination, then a step as usual and zeros again."""
    for variable in variables:
        size = len(variable["value"]["values"])
        variable["value"]["values"] = [(-0.0, 0.0)[i // 2 % 2] for i in range(size)]
    zeros = {"apply": [[(0.0, -0.0)[i % 2] for i in range(len(v["value"]["values"]))] for v in variables]}
    return [zeros, zeros, {"apply": gradients(stream, shapes, dtype)}, zeros]


def every_other_zero(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """A step as usual, then two in which every other element is 0, and others each time."""
    first = gradients(stream, shapes, dtype)
    masked = [
        {"apply": [[x if i % 2 == k else 0.0 for i, x in enumerate(g)] for g in gradients(stream, shapes, dtype)]}
        for k in range(2)
    ]
    return [{"apply": first}, *masked]


def all_zero(_: random.Random, shapes: list[Shape], dtype: str, variables: Variables) -> list[Document]:
    """Nothing but gradients of 0."""
    return [{"apply": [[0.0] * len(v["value"]["values"]) for v in variables]} for _ in range(2)]


def nearly_denormal(_: random.Random, __: list[Shape], ___: str, ____: Variables) -> list[Document]:
    """A gradient whose mean square, and that alone, has a quarter that is denormal, and exact."""
    return [{"apply": [[2.145111e-19, 1.6330795e-18, 1.1412181e-18, -1.1773229e-18, 1.6942247e-18]]} for _ in range(3)]


def constant_large(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """The same large gradient again and again: its variance is 0, but for rounding, which may make it negative."""
    large = [[float(f"{x * 1000:.6g}") for x in g] for g in gradients(stream, shapes, dtype)]
    return [{"repeat": 40, "events": [{"apply": large}]}]


def infinite_norm(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """A norm that overflows; an infinite element; a step as usual."""
    steps = [gradients(stream, shapes, dtype) for _ in range(3)]
    huge: list[list[Any]] = [[float(f"{x * 1e20:.6g}") for x in g] for g in steps[0]]
    infinite: list[list[Any]] = [["Infinity", *steps[1][0][1:]], *steps[1][1:]]
    return [{"apply": huge}, {"apply": infinite}, {"apply": steps[2]}]


def late(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """Steps around the thousandth, the ten thousandth, and where 15 bits are full; the gradients shrink."""
    base = gradients(stream, shapes, dtype)
    events: list[Document] = []
    for count, factor in ((999, 1.0), (9999, 0.25), (32767, 0.5)):
        scaled = [[x * factor for x in g] for g in base]
        events += [{"attempt": {"set_iterations": count}}, {"apply": scaled}, {"apply": scaled}]
    return events


def late_after_a_large(stream: random.Random, shapes: list[Shape], dtype: str, variables: Variables) -> list[Document]:
    """The same, after a step with a gradient that is never reached again."""
    first = [[x * 64 for x in g] for g in gradients(stream, shapes, dtype)]
    return [{"apply": first}, *late(stream, shapes, dtype, variables)]


def late_steps(make: Maker, own: Document) -> Iterator[Case]:
    """Late steps where the rule counts them, with betas that show it."""
    slow: Document = {name: SLOW for name in ("beta_1", "beta_2", "adam_beta_1", "adam_beta_2") if name in own}
    if not slow and make.optimizer not in ("Adafactor", "SGD"):
        return
    yield "late-steps", make.case(slow, ELEVEN, late)
    if "amsgrad" in own:
        yield "amsgrad+late-steps-after-a-large-one", make.case({"amsgrad": True}, ELEVEN, late_after_a_large)
    if "float64" in make.dtypes and make.optimizer in ("Adam", "Adamax"):
        yield "late-steps-float64", make.case(slow, ELEVEN, late, "float64")


def spared(make: Maker) -> Iterator[Case]:
    """Weight decay that some variables are spared, by a pattern that only one reading of it fits."""
    three: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,), "scale": ()}
    for name, calls in EXCLUDED.items():

        def played(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
            steps: list[Document] = [{"apply": gradients(stream, shapes, dtype)} for _ in range(2)]
            return [*({"attempt": {"exclude": call}} for call in calls), *steps]  # noqa: B023

        case = make.case({"weight_decay": 0.5, "learning_rate": 0.1}, three, played, begin=1.0)
        yield f"exclude-{name}", {**case, "flags": ["spared-decay"]}


def muon(make: Maker) -> Iterator[Case]:
    """What is a matrix, what is left to Adam, and which side is the long one."""
    yield "square-matrix", make.case({"learning_rate": 1.0}, {"kernel": (4, 4)}, plain)
    yield "far-from-square", make.case({"learning_rate": 1.0}, {"tall": (17, 2), "wide": (2, 17)}, plain)
    named: dict[str, Shape] = {"kernel": (2, 3), "my_Embedding_table": (3, 2), "embed": (2, 2)}
    yield "names", make.case({}, named, plain)
    yield "exclude_layers=ern", make.case({"exclude_layers": ["ern"]}, PAIR, plain)
