"""The recorded cases of the learning-rate schedules, drawn from the specification like those of the optimizers.

For every schedule of an edition: the usual arguments; each argument at each of its samples; a covering array of
all pairs; steps of every dtype; initial learning rates of other dtypes; and what must be refused.  Each is called
at its landmarks: the first steps, every boundary and one step around it, and far beyond the end; and, for each option,
at negative steps and so near to the boundaries that rounding tells.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from goldenstep.spec import holds
from goldenstep.spec import schedule as spec

from .drawing import slug

Document = dict[str, Any]
FAR = [10**6, 2**31]
ODD_BOUNDARIES = [-5.5, 2.5, 2049, 2**24 + 1, 2**31 - 129]
"""Boundaries between two steps, and such as float16 or float32 don't hold."""
BEFORE = [-1000, -21, -11, -10, -3, -2, -1]
NEAR = 2.0**-21
"""So close to a boundary, in parts of it, that a float32 can just tell."""
FAR_STEPS = [2**24 + 1, 2**24 + 3, 2**25 + 3, 2**26 - 1]
"""Steps that float32 does not hold."""
DTYPES = ["int", "float", "int32", "int64", "float32", "float64", "float16"]
OTHER_RATES: list[Any] = [
    {"dtype": "float64", "value": 0.1},
    {"dtype": "float16", "value": 0.1},
    {"dtype": "float32", "value": 0.3},
    1,
    3,
]
LAST_BITS = [
    (67, 3.0550048, 897),
    (128, 1.0234375, 259),
    (128, 1.7109374, 347),
    (123, 2.0162601, 371),
    (288, 3.3841736, 4561),
]
"""Length, t_mul and a restart whose wave the last bit of a float32 logarithm decides: found by search."""

ALPHAS: list[tuple[str, Document, Iterable[int]]] = [
    (
        f"alpha-of-all-digits-{dtype}",
        {"initial_learning_rate": {"dtype": dtype, "value": 0.7}, "alpha": alpha},
        range(12),
    )
    for dtype, alpha in (("float16", 0.4180339), ("float32", 0.6180339887), ("float64", 0.6180339887))
]
"""A part that is left, of which the rest to 1 depends on where it is rounded."""
ENDLESS: list[Any] = [{"dtype": "float32", "value": value} for value in ("Infinity", "-Infinity")]
EDGES: dict[str, list[tuple[str, Document, Iterable[int]]]] = {
    "ExponentialDecay": [
        ("to-zero", {"decay_steps": 1, "decay_rate": 0.5}, range(118, 160)),
        (
            "to-zero-float16",
            {"initial_learning_rate": {"dtype": "float16", "value": 0.1}, "decay_steps": 1, "decay_rate": 0.5},
            range(8, 26),
        ),
    ],
    "PiecewiseConstantDecay": [
        ("int32", {"boundaries": [1, 2, 3], "values": [100, -100, -(2**31), 2**31 - 1]}, range(5)),
        ("int64", {"boundaries": [1], "values": [2**31, -(2**31) - 1]}, range(3)),
        ("truth-values", {"boundaries": [1], "values": [True, False]}, range(3)),
        ("ends-beyond-float32", {"boundaries": [1, 2], "values": [1e39, 0.5, -1e39]}, range(4)),
        ("infinite-ends", {"boundaries": [1, 2], "values": [ENDLESS[0], 0.5, ENDLESS[1]]}, range(4)),
        ("infinite-middle", {"boundaries": [1, 2], "values": [0.5, ENDLESS[0], 0.25]}, range(4)),
        ("middle-beyond-float32", {"boundaries": [1, 2], "values": [0.5, 1e39, 0.25]}, range(4)),
        ("halves-before-0", {"boundaries": [-5.5, -2.5], "values": [1.0, 0.5, 0.25]}, range(-8, 3)),
        ("more-than-halves", {"boundaries": [2.75, 5.5, 8.25], "values": [1.0, 0.5, 0.25, 0.125]}, range(11)),
    ],
    "CosineDecay": [
        *ALPHAS,
        ("warmup-before-one-step", {"decay_steps": 1, "warmup_steps": 3, "warmup_target": 1.0}, range(7)),
        (
            "warmup-to-the-same-rate",
            {"initial_learning_rate": 0.1, "warmup_target": 0.1, "warmup_steps": 5},
            range(8),
        ),
        ("warmup-before-half-a-step", {"decay_steps": 0.5, "warmup_steps": 2, "warmup_target": 1.0}, range(5)),
    ],
    "CosineDecayRestarts": [
        *ALPHAS,
        *(
            (f"t_mul={t}-near-1", {"first_decay_steps": 1000, "t_mul": t}, range(0, 4001, 125))
            for t in (1.0005, 0.9997)
        ),
        *(
            (f"t_mul={t}-{dtype}", {"initial_learning_rate": {"dtype": dtype, "value": 0.1}, "t_mul": t}, range(30))
            for t in (0.5, 1e-39)
            for dtype in ("float16", "float32", "float64")
        ),
        *(
            (
                f"t_mul={t}-float64-restarts",
                {"initial_learning_rate": {"dtype": "float64", "value": 0.1}, "t_mul": t},
                [10 * (int(t) ** wave - 1) // (int(t) - 1) + more for wave in range(1, 8) for more in (-1, 0, 1)],
            )
            for t in (3.0, 5.0, 10.0)
        ),
        *(
            (f"t_mul={t}-last-bit-of-a-logarithm", {"first_decay_steps": length, "t_mul": t}, range(step - 1, step + 2))
            for length, t, step in LAST_BITS
        ),
        ("to-zero", {"t_mul": 1.0, "m_mul": 0.5, "first_decay_steps": 1}, range(118, 160)),
        ("many-waves", {"t_mul": 1.0, "m_mul": 0.9372846, "first_decay_steps": 3}, range(0, 120, 2)),
        *((f"t_mul={t}-many-waves", {"t_mul": t, "first_decay_steps": 3.7}, range(0, 1200, 23)) for t in (1.3, 1.7)),
    ],
    "PolynomialDecay": [
        ("cubes", {"initial_learning_rate": 0.7, "end_learning_rate": 0.0, "power": 3.0, "decay_steps": 37}, range(37)),
        (
            "cycles-that-rise",
            {"initial_learning_rate": 0.1, "end_learning_rate": 0.5, "decay_steps": 7, "cycle": True},
            range(30),
        ),
    ],
    "LinearCosineDecay": [
        ("num_periods=0", {"num_periods": 0}, range(12)),
        *(
            (f"num_periods={periods}", {"decay_steps": 1000, "num_periods": periods}, range(700, 1001, 2))
            for periods in (8, 19.25, 1e6, 1.1e11, 2.5e11, 1e20)
        ),
    ],
}
"""Numbers at the ends of a dtype; logarithms of 0 and less, and at restarts; rates that shrink to 0; far cosines."""


def schedule_cases(edition: str) -> Iterator[Document]:
    """All cases of an edition, schedule by schedule; a `.legacy` edition has none of its own."""
    if edition == spec.release(edition):
        for name in spec.available(edition):
            yield from schedule_cases_of(edition, name)


def schedule_cases_of(edition: str, schedule: str) -> Iterator[Document]:
    """All cases of one schedule of an edition; the ids are unique."""
    seen: set[str] = set()
    for name, config, steps, flags in _slugged(edition, schedule):
        if name not in seen:
            seen.add(name)
            yield finished(edition, schedule, name, config, steps, flags)


def schedule_edges(edition: str) -> Iterator[Document]:
    """Those of them that lie at an edge, and noise after the end."""
    for case in schedule_cases(edition):
        if any(f"/{kind}" in case["id"] for kind in ("edge-", "boundaries-beyond-", "random-long-")):
            yield case


def finished(
    edition: str, schedule: str, name: str, config: Document, steps: Document, flags: Sequence[str] = ()
) -> Document:
    """A case in its final form: a schedule, by its class and config, that is called with some steps."""
    return {
        "id": f"{edition}/schedules/{schedule.lower()}/{name}",
        "edition": edition,
        "clauses": clauses_of(edition, schedule, config),
        "features": ["schedules", "errors"] if name.startswith("refused-") else ["schedules"],
        "flags": list(flags),
        "schedule": {"class_name": schedule, "config": config},
        "steps": steps,
    }


Slugged = tuple[str, Document, Document, list[str]]


def _slugged(edition: str, schedule: str) -> Iterator[Slugged]:
    own = {entry["name"]: entry for entry in spec.arguments(schedule, edition)}
    usual = {name: entry["usual"] for name, entry in own.items() if "usual" in entry}
    random = spec.schedules()[schedule].get("random", {}).get("unless", {})
    varied = {name: entry for name, entry in own.items() if name not in random}

    def case(name: str, given: Document, steps: Document | None = None) -> Slugged:
        config = {**usual, **random, **given}
        return name, config, steps or whole(landmarks(full(edition, schedule, config))), []

    yield case("usual", {})
    for name, entry in varied.items():
        for sample in entry["samples"]:
            if name == "values" and len(sample) != len(usual["values"]):
                continue
            yield case(slug({name: sample}), {name: sample})
    for given in pairs({name: entry for name, entry in varied.items() if name != "name"}):
        if given:
            yield case(slug(given), given)
    end = landmarks(full(edition, schedule, usual))
    for dtype in DTYPES:
        yield case(f"steps-{dtype}", {}, typed(end, dtype))
    for option in ({}, *one_of_each(varied)):
        near = close(boundaries(full(edition, schedule, {**usual, **random, **option})))
        yield case("+".join(filter(None, [slug(option), "steps-before-0"])), option, whole(BEFORE))
        yield case("+".join(filter(None, [slug(option), "steps-near-boundaries"])), option, near)
    if "initial_learning_rate" in own:
        for rate in OTHER_RATES:
            given = {"initial_learning_rate": rate}
            name = slug(given) if isinstance(rate, int) else f"initial_learning_rate={rate['dtype']}({rate['value']})"
            if not refused(edition, schedule, {**usual, **given}):
                for option in [{}, *one_of_each(varied)]:
                    yield case("+".join(filter(None, [name, slug(option)])), {**given, **option})
    for name in random:
        for value in [own[name]["default"], *(sample for sample in own[name]["samples"] if sample != random[name])]:
            drawn = {**usual, name: value}
            yield f"random-{slug({name: value})}", drawn, whole([3] * 256), ["random"]
            late = [usual["decay_steps"] + more for more in (0, 1, *FAR)]
            yield f"random-{slug({name: value})}-after-the-end", drawn, whole(late), []
    if random and "num_periods" in own:  # at the end of a whole wave the noise shows
        yield "random-long-after-the-end", {**usual, "num_periods": 1}, whole([100] * 256), ["random"]
    for dtype in ("float32", "float64", "float16") if "boundaries" not in own else ():
        for name, option in [
            ("", {}),
            *((slug(o), o) for o in one_of_each(varied) if any(x is True for x in o.values())),
        ]:
            given = {**option, **of_all_digits(varied), "initial_learning_rate": {"dtype": dtype, "value": 0.1372846}}
            if not refused(edition, schedule, {**usual, **given}):
                yield case(f"{name}+all-digits-{dtype}".lstrip("+"), given)
    span = next((name for name in own if name.endswith("decay_steps")), None)
    if span and "initial_learning_rate" in own:
        given = {"initial_learning_rate": {"dtype": "float64", "value": 0.1372846}, span: 2**26}
        if not refused(edition, schedule, {**usual, **given}):
            yield case("far-steps-float64", given, whole(FAR_STEPS))
    for dtype in DTYPES if "boundaries" in own else ():
        around = [step for boundary in ODD_BOUNDARIES for step in (math.floor(boundary), math.ceil(boundary) + 1)]
        held = [step for step in around if "int" not in dtype or step < 2**31 or dtype == "int64"]
        given = {"boundaries": ODD_BOUNDARIES, "values": [0.5**count for count in range(len(ODD_BOUNDARIES) + 1)]}
        yield case(f"odd-boundaries-{dtype}", given, typed(held, dtype))
        if dtype == "float16":
            uneven = {"boundaries": [2051, 4098], "values": [1.0, 0.5, 0.25]}
            yield case(
                "boundaries-beyond-2048-float16",
                uneven,
                {"dtype": dtype, "values": [2048, 2050, 2052, 2054, 4096, 4100]},
            )
        if dtype in ("int", "int64"):
            far = {"boundaries": [2**31 + 5, 2**40 + 1], "values": [1.0, 0.5, 0.25]}
            beyond = [2**31 + 3, 2**31 + 5, 2**31 + 6, 2**40, 2**40 + 1, 2**40 + 2]
            yield case(f"boundaries-beyond-2**31-{dtype}", far, typed(beyond, dtype))
    for entry in spec.schedules()[schedule]["refuses"]:
        for given in entry["examples"]:
            if set(given) <= set(own):
                config = {**usual, **random, **given}
                found = edition in entry["editions"] or refused(edition, schedule, config)
                yield f"{'refused' if found else 'taken'}-{refusal_slug(given)}", config, whole([0, 1, 4, 7, 11]), []
    for name, given, steps in EDGES.get(schedule, ()):
        yield case(f"edge-{name}", given, whole(steps))
    if "warmup_target" in own:
        yield case("edge-warmup_target=0.0", {"warmup_target": 0.0, "warmup_steps": 5})
    yield "refused-learning_speed=0.1", {**usual, "learning_speed": 0.1}, whole([0]), []


def of_all_digits(own: dict[str, Document]) -> Document:
    """Every number but the rate to begin with a little nearer to 0 than its last sample, where no float is."""
    lasts = {name: entry["samples"][-1] for name, entry in own.items() if entry["type"] in ("int", "float")}
    return {name: x * 0.9372846 for name, x in lasts.items() if name != "initial_learning_rate"}


def one_of_each(own: dict[str, Document]) -> Iterator[Document]:
    """Every optional argument but the name at its first sample, one at a time."""
    for name, entry in own.items():
        if "default" in entry and name != "name":
            yield {name: entry["samples"][0]}


def refusal_slug(given: Document) -> str:
    """A readable piece of an id for an example of a refusal."""
    plain = {n: f"{v['dtype']}({v['value']})" if isinstance(v, dict) else v for n, v in given.items()}
    return slug(plain)


def pairs(own: dict[str, Document]) -> Iterator[Document]:
    """Arguments that differ from the usual ones, such that every pair of samples occurs at least once."""
    from allpairspy import AllPairs

    usual = [entry["usual"] if "usual" in entry else entry["default"] for entry in own.values()]
    levels = [[first, *entry["samples"]] for first, entry in zip(usual, own.values(), strict=True)]
    for values in AllPairs(levels):
        yield {n: v for n, v, u in zip(own, values, usual, strict=True) if v != u}


def full(edition: str, schedule: str, config: Document) -> Document:
    """The config with every default of the edition filled in."""
    entries = spec.arguments(schedule, edition)
    return {**{entry["name"]: entry["default"] for entry in entries if "default" in entry}, **config}


def refused(edition: str, schedule: str, config: Document) -> bool:
    """Does the specification refuse the config, at any stage and a step after the start?"""
    known = spec.facts(full(edition, schedule, config), 1)
    return any(spec.refusal(schedule, edition, stage, known) for stage in ("construct", "call"))


def clauses_of(edition: str, schedule: str, config: Document) -> list[str]:
    """The clauses that a case covers; of one that is refused, those about what makes it so."""
    known = spec.facts(full(edition, schedule, config), 1)
    found = spec.clauses(schedule, edition, known)
    broken = [e for e in spec.refusals(schedule, edition) if holds(e["when"], known)]
    if "learning_speed" in config:
        found = []
    elif broken:
        about = {name for entry in broken for name in entry["when"]}
        found = [clause for clause in found if about & set(clause.get("when", {}))]
    return [str(clause["id"]) for clause in found]


# ---- steps ------------------------------------------------------------------------------------------------


def landmarks(config: Document) -> list[int]:
    """The steps that matter for a config: the first ones, one around every boundary, between them, and far beyond."""
    steps = {0, 1, 2, *FAR}
    for boundary in boundaries(config):
        steps |= {math.floor(boundary) - 1, math.floor(boundary), math.ceil(boundary), math.ceil(boundary) + 1}
        steps.add(math.floor(boundary / 3))
    return sorted(step for step in steps if step >= 0)


def boundaries(config: Document) -> Iterable[float]:
    """Where a schedule bends, jumps or ends."""
    if "boundaries" in config:
        return [float(boundary) for boundary in config["boundaries"]]
    if "first_decay_steps" in config:
        first, factor = config["first_decay_steps"], config["t_mul"]
        return [first * sum(factor**wave for wave in range(count)) for count in range(1, 7)]
    steps = config["decay_steps"]
    warmup = config.get("warmup_steps") or 0
    return [*([warmup] if warmup else []), *(warmup + steps * count for count in (1, 2, 10))]


def close(boundaries: Iterable[float]) -> Document:
    """float64 steps just before and just after each boundary, and a little below 0."""
    found = {boundary * (1 + side * NEAR) for boundary in boundaries for side in (-1, -3, 2)}
    return {"dtype": "float64", "values": sorted({-0.5, -NEAR, NEAR, *found})}


def whole(steps: Iterable[int]) -> Document:
    """Steps as optimizers count them: int64."""
    return {"dtype": "int64", "values": list(steps)}


def typed(steps: Iterable[int], dtype: str) -> Document:
    """Steps of a dtype that holds them, and halves between them if it has fractions; "int" and "float" are Python's."""
    if "int" in dtype:
        return {"dtype": dtype, "values": [step for step in steps if step < 2**31 or dtype != "int32"]}
    numbers = [float(step + part) for step in steps for part in (0, 0.5)]
    return {"dtype": dtype, "values": [number for number in numbers if number < 2**11 or dtype != "float16"]}
