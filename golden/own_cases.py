"""Cases about optimizers of one's own: a subclass of the edition's base, written as the edition documents it.

The case carries the text of the class. It runs in the real release and in an implementation alike, with nothing but the
name `Optimizer`, the base; what is judged is everything that the base does around it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from importlib import resources

from goldenstep import spec

from .drawing import Document, normal
from .method_events import KERAS_2, LEGACY, SCHEDULE, SHAPES, Calls, attempt, call, get, let, state_of

EMA: Document = {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 2}
NON_NEGATIVE: Document = {"class_name": "NonNeg", "config": {}}
Plays = Callable[[Calls], list[Document]]


def source(edition: str, name: str = "") -> list[str]:
    """The lines of the class that the cases of an edition define."""
    file = name or ("v2" if edition in LEGACY else "keras2" if edition in KERAS_2 else "keras3")
    return (resources.files(__package__) / "own_optimizers" / f"{file}.txt").read_text("utf-8").splitlines()


def without_a_rule(edition: str) -> list[str]:
    """A class that lacks what a step asks for."""
    first = "learning_rate=learning_rate" if edition == "keras3" else "name"
    rate = {
        "keras3": [],
        **{each: ["        self._set_hyper('learning_rate', learning_rate)"] for each in LEGACY},
        **{each: ["        self._learning_rate = self._build_learning_rate(learning_rate)"] for each in KERAS_2},
    }[edition]
    return [
        "class Nothing(Optimizer):",
        "    def __init__(self, learning_rate=0.1, name='Nothing'):",
        f"        super().__init__({first})",
        *rate,
        "    def get_config(self):",
        "        return super().get_config()",
    ]


def own_cases(edition: str) -> Iterator[Document]:
    """All cases of an edition."""
    steps: Plays = lambda s: [s.apply(), s.apply(), s.apply()]  # noqa: E731
    nulls: Plays = lambda s: [s.apply(), attempt(s.apply(without=[1])), s.apply()]  # noqa: E731
    described: Plays = lambda s: [call("get_config"), s.apply(), call("get_config")]  # noqa: E731
    new: list[tuple[str, Document, Plays]] = [
        ("weight_decay=0.5", {"weight_decay": 0.5}, steps),
        ("use_ema", EMA, lambda s: [s.apply(), s.apply(), s.apply(), {"finalize": True}]),
        ("use_ema+none", EMA, nulls),
    ]
    if edition == "tf2.9":
        new = new[1:]
    kinds: list[tuple[str, Document, Plays]] = [
        ("defaults", {}, steps),
        ("get_config", {"momentum": 0.25, "clipnorm": 1.0}, described),
        ("none", {}, nulls),
        ("clipnorm=0.5", {"clipnorm": 0.5}, steps),
        ("clipvalue=0.5", {"clipvalue": 0.5}, steps),
        ("global_clipnorm=0.5", {"global_clipnorm": 0.5}, steps),
        ("schedule", {"learning_rate": SCHEDULE}, steps),
        ("set-learning_rate", {}, lambda s: [s.apply(), let("learning_rate", 0.25), get("learning_rate"), s.apply()]),
        ("set-momentum", {}, lambda s: [s.apply(), let("momentum", 0.25), get("momentum"), s.apply()]),
        ("non-negative", {}, steps),
        ("set_weights", {}, lambda s: [s.apply(), call("set_weights", state_of(s, 1)), s.apply(), call("get_weights")]),
    ]
    if edition in LEGACY:
        kinds += [
            ("decay=0.5", {"decay": 0.5}, steps),
            ("lr=0.25", {"lr": 0.25}, steps),
            ("momentum-is-a-function", {"momentum": {"callable": [0.5, 0.25, 0.75]}}, steps),
            ("slots", {}, lambda s: [s.apply(), call("get_slot_names"), call("get_slot", {"variable": 0}, "m")]),
            ("sparse", {}, rows),
            ("sparse-many", {"learning_rate": 0.37}, many_rows),
        ]
    else:
        kinds += new
    if edition == "keras3":
        kinds += [
            ("accumulation", {"gradient_accumulation_steps": 2, "clipnorm": 0.5, **EMA}, lambda s: 2 * steps(s)),
            ("loss_scale_factor=8", {"loss_scale_factor": 8.0, "weight_decay": 0.25}, steps),
            ("learning_rate-is-a-function", {"learning_rate": {"callable": [0.5, 0.25, 0.125]}}, steps),
        ]
    for slug, config, plays in kinds:
        yield finished(edition, slug, config, plays, source(edition), [NON_NEGATIVE] if slug == "non-negative" else ())
    yield finished(edition, "without-a-rule", {}, lambda s: [attempt(s.apply())], without_a_rule(edition))


def rows(s: Calls) -> list[Document]:
    """A step with some rows of the first variable, one of them twice."""
    values = {"dtype": "float32", "shape": [3, 3], "values": normal(s.stream, (3, 3), "float32")}
    some: Document = {"apply": [{"indices": [1, 0, 1], "values": values}, normal(s.stream, (3,), "float32")]}
    return [s.apply(), some, s.apply()]


def many_rows(s: Calls) -> list[Document]:
    """Steps in which a row comes four times."""

    def some() -> Document:
        values = {"dtype": "float32", "shape": [5, 3], "values": normal(s.stream, (5, 3), "float32")}
        return {"apply": [{"indices": [1, 0, 1, 1, 1], "values": values}, normal(s.stream, (3,), "float32")]}

    return [some(), some(), s.apply()]


def finished(
    edition: str, slug: str, config: Document, plays: Plays, lines: Sequence[str], constraints: Sequence[Document] = ()
) -> Document:
    """A case in its final form."""
    stream = random.Random(f"own {slug}")
    variables: list[Document] = [
        {"name": name, "value": {"dtype": "float32", "shape": list(shape), "values": normal(stream, shape, "float32")}}
        for name, shape in SHAPES.items()
    ]
    for variable, constraint in zip(variables, constraints, strict=False):
        variable["constraint"] = constraint
    stated = [c["id"] for c in spec.editions()[edition]["clauses"] if c["feature"] == "own_optimizer"]
    about = ("sparse" in slug and "rows") or ("without" in slug and "refusal") or "rule"
    topics = {c["id"]: c["topics"] for c in spec.editions()[edition]["clauses"] if c["feature"] == "own_optimizer"}
    name = lines[0].split("(")[0].split()[1]
    return {
        "id": f"{edition}/own/{slug}",
        "edition": edition,
        "clauses": [identity for identity in stated if about in topics[identity]],
        "features": ["own_optimizer", *(["sparse"] if "sparse" in slug else [])],
        "flags": ["own-rule"],
        "optimizer": {"class_name": name, "config": config, "source": list(lines)},
        "variables": variables,
        "events": plays(Calls(stream)),
    }
