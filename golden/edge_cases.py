"""Cases at the edges of clipping, constraints and Muon's rate, where a threshold, a dimension or a dtype is unusual."""

from __future__ import annotations

from collections.abc import Iterator

from .drawing import Document, Shape, slug
from .lifecycle_cases import CLIPS, Case, Maker, Steps, attempt

FOUR: dict[str, Shape] = {"kernel": (2, 3, 2, 3), "embedding": (3, 4, 5)}
EMPTY: dict[str, Shape] = {"nothing": (0,), "bias": (3,), "matrix": (0, 2)}
NOTHING: dict[str, Shape] = {"nothing": (0,)}
BELOW: dict[str, Shape] = {"scale": (), "bias": (3,)}
THRESHOLDS = (-1.0, 0.0, 1e-30, 1e30, 1e39)
"""The last is infinity in float32."""
NORMS: dict[str, Document] = {"MaxNorm": {"max_value": 1.5}, "UnitNorm": {}, "MinMaxNorm": {"rate": 0.25}}
AXES: dict[str, tuple[int | list[int], list[int]]] = {
    "apart": ([0, 2], [0, 2]),
    "three": ([0, 1, 3], [0, 1]),
    "last": (-1, [-1]),
    "middle": (1, [1]),
}
RATES = (0.0, 0.3, 1.0)


def edge_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    if optimizer == "SGD":
        yield from thresholds(make)
        yield from axes(make)
    if optimizer == "Muon":
        yield from rates_of_muon(make)


def thresholds(make: Maker) -> Iterator[Case]:
    """Thresholds that are 0, negative, tiny, huge or infinite; nothing to clip; each in float16, too."""
    for kind in CLIPS:
        for limit in THRESHOLDS:
            refused = limit < 0 and make.legacy
            for dtype in ("float32", "float16"):
                name = f"edge-{slug({kind: limit})}-{dtype}"
                features = ["errors"] * refused
                yield name, make.case({kind: limit}, lambda s: [attempt(s.apply()), *s.many(1)], features, dtype=dtype)
        for shapes, name in ((EMPTY, "empty"), (NOTHING, "nothing-else")):
            yield f"edge-{kind}=0.5+{name}", make.case({kind: 0.5}, two_tries, shapes=shapes)


def axes(make: Maker) -> Iterator[Case]:
    """Norms over dimensions that lie apart, over most of them, over none that there are; parts of the way."""
    for class_name, config in NORMS.items():
        for name, (first, second) in AXES.items():
            both = [constraint(class_name, {**config, "axis": axis}) for axis in (first, second)]
            case = make.case({}, two_tries, ["constraints"], ["constraint"], FOUR, both)
            yield f"edge-{class_name.lower()}-axis-{name}", case
        both = [constraint(class_name, {**config, "axis": 0})] * 2
        case = make.case({}, two_tries, ["constraints"], ["constraint"], BELOW, both)
        yield f"edge-{class_name.lower()}-of-a-scalar", case
    for rate in RATES:
        one = [constraint("MinMaxNorm", {"min_value": 0.5, "max_value": 0.75, "rate": rate})]
        case = make.case({}, two_tries, ["constraints"], ["constraint"], constraints=one)
        yield f"edge-minmaxnorm-{slug({'rate': rate})}", case
    zeros = make.case(
        {}, two_tries, ["constraints"], ["constraint", "starts-at-zero"], {"bias": (11,)}, [constraint("NonNeg", {})]
    )
    for variable, sign in zip(zeros["variables"], (-0.0,), strict=True):
        variable["value"]["values"] = [sign] * 11
    zeros["events"] = [{"apply": [[0.0] * 11]}, {"apply": [[-0.0] * 11]}]
    yield "edge-nonneg-of-zeros", zeros


def rates_of_muon(make: Maker) -> Iterator[Case]:
    """A rate that a function returns is a number of Python's, and takes the dtype of what it meets."""
    rates: Document = {"learning_rate": {"callable": [0.1, 0.03, 0.3]}}
    shapes: dict[str, Shape] = {"kernel": (3, 5), "bias": (3,)}
    for dtype in ("float32", "float16"):
        for config in ({}, {"rms_rate": None}, {"adam_lr_ratio": 0.7}):
            name = f"edge-function{'+' * bool(config)}{slug(config)}-{dtype}"
            yield name, make.case({**rates, **config}, two_tries, shapes=shapes, dtype=dtype)
    yield "edge-function-float64-bias", make.case(rates, two_tries, shapes={"bias": (5,)}, dtype="float64")


def two_tries(s: Steps) -> list[Document]:
    """Two steps that may fail."""
    return [attempt(s.apply()), attempt(s.apply())]


def constraint(class_name: str, config: Document) -> Document:
    """A constraint of a variable."""
    return {"class_name": class_name, "config": config}
