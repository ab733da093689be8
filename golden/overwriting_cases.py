"""Cases of variables that Keras 3 sets to their gradients: `overwrite_with_gradient`, made for scales of float8.

Every optimizer gets them, with what they must leave alone: rule, decay, clipping, averages, constraints, loss scales.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .drawing import Document, normal
from .lifecycle_cases import Case, Maker, Steps, attempt

Events = Callable[[Steps], list[Document]]
ACCUMULATING: Document = {"gradient_accumulation_steps": 2}
ALL: Document = {
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.5},
    "global_clipnorm": {"global_clipnorm": 0.5},
    "weight_decay": {"weight_decay": 0.1},
    "use_ema": {"use_ema": True, "ema_momentum": 0.75},
    "use_ema+overwritten": {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 2},
    "loss_scale_factor": {"loss_scale_factor": 8.0},
    "gradient_accumulation_steps": ACCUMULATING,
    "accumulated-averages": {**ACCUMULATING, "use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 2},
    "accumulated-scaled": {"gradient_accumulation_steps": 3, "loss_scale_factor": 4.0},
}
DECAYED_AND_CLIPPED: Document = {"weight_decay": 0.1, "global_clipnorm": 0.5}
NON_NEGATIVE: Document = {"class_name": "NonNeg", "config": {}}
NAMES = ("kernel", "bias", "scale")


def overwriting_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    if edition != "keras3":
        return
    make = Maker(edition, optimizer)
    for name in NAMES if make.thorough else ("bias",):
        yield f"overwrite-{name}", of(make, [name])
    yield "overwrite-kernel-and-scale", of(make, ["kernel", "scale"])
    yield "overwrite-accumulated", of(make, ["bias"], ACCUMULATING, lambda s: s.many(4))
    if optimizer != "Muon":
        yield "overwrite-averaged", of(make, ["kernel"], ALL["use_ema"])
    if not make.thorough:
        return
    for name, config in ALL.items():
        yield f"overwrite-bias+{name}", of(make, ["bias"], config, attempted)
    yield "overwrite-all", of(make, NAMES)
    yield "overwrite-all+use_ema", of(make, NAMES, ALL["use_ema"])
    for name, config in (("", {}), ("+use_ema", ALL["use_ema"]), ("+accumulation", ACCUMULATING)):
        yield f"overwrite-scale{name}+none-of-the-others", of(make, ["scale"], config, without_the_others, ["none"])
        yield f"overwrite-bias{name}+none", of(make, ["bias"], config, without_it, ["none"])
        yield f"overwrite-bias{name}+finalized", of(make, ["bias"], config, finalized, ["ema"])
    for dtype in ("float64", "float16"):
        yield f"overwrite-bias+accumulation-{dtype}", of(make, ["bias"], ACCUMULATING, lambda s: s.many(4), dtype=dtype)
    for config, slug in (({}, ""), (ACCUMULATING, "+accumulation")):
        yield f"overwrite-kernel{slug}+rows", sparse(of(make, ["kernel"], config, rows))
        yield f"overwrite-bias{slug}+constraint", constrained(of(make, ["bias", "kernel"], config, lambda s: s.many(4)))
        yield f"overwrite-bias{slug}+not-finite", of(make, ["bias"], config, not_finite)
        yield f"overwrite-bias{slug}+other-shape", of(make, ["bias"], config, of_another_shape, ["errors"])
    for name in NAMES:
        yield f"overwrite-{name}+other-lengths", of(make, [name], DECAYED_AND_CLIPPED, of_other_lengths, ["methods"])
    for name, config in (("", {}), ("+accumulation", ACCUMULATING)):
        yield f"overwrite-bias{name}+twice-in-the-list", of(make, ["bias"], config, twice)
    yield "overwrite-bias+accumulation+other-lengths", of(make, ["bias"], ACCUMULATING, of_other_lengths, ["methods"])


def wrapped_overwriting_cases(edition: str, wrapper: str) -> Iterator[Case]:
    """The same inside a wrapper."""
    if edition != "keras3":
        return
    inner = {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.75}}
    scaled = {"inner_optimizer": inner, "initial_scale": 4.0, "dynamic_growth_steps": 2}
    chosen = {"default_optimizer": inner, "optimizer_map": {"b.*|s.*": {"class_name": "Adam", "config": {}}}}
    mapped = {"optimizer_map": {"class_name": "OptimizerMap", "config": chosen}}
    config, feature = (mapped, "multi_optimizer") if wrapper == "MultiOptimizer" else (scaled, "loss_scaling")
    make = Maker(edition, "SGD")
    events: dict[str, Events] = {
        "": lambda s: s.many(3),
        "+not-finite": not_finite,
        "+none-of-the-others": without_the_others,
    }
    for slug, made in events.items():
        for names in (["bias"], ["scale"], NAMES):
            if slug and names == NAMES:
                continue
            case = of(make, names, {}, made)
            flags = ["overwritten-by-gradient", *(["overflow"] if slug == "+not-finite" else [])]
            features = [feature, *(["none"] if "none" in slug else [])]
            optimizer = {"class_name": wrapper, "config": config}
            yield (
                f"overwrite-{'-'.join(names)}{slug}",
                {**case, "features": features, "flags": [*case["flags"], *flags], "optimizer": optimizer},
            )


def of(
    make: Maker,
    names: list[str] | tuple[str, ...],
    config: Document | None = None,
    events: Events = lambda s: s.many(3),
    features: list[str] | None = None,
    dtype: str = "float32",
) -> Document:
    """A case in which the variables of these names take their gradients."""
    case = make.case(config or {}, events, ["overwrite", *(features or [])], dtype=dtype)
    for variable in case["variables"]:
        if variable["name"] in names:
            variable["overwrite_with_gradient"] = True
    return case


def attempted(s: Steps) -> list[Document]:
    """Six steps, after each of which the state is seen even if it is refused."""
    return [attempt(event) for event in s.many(6)]


def rows(s: Steps) -> list[Document]:
    """Two steps with rows of the first variable, one of them twice."""
    events = s.many(2)
    for event in events:
        first = event["apply"][0]
        event["apply"][0] = {
            "indices": [1, 0, 1],
            "values": {"dtype": "float32", "shape": [3, 3], "values": first + first[:3]},
        }
    return [attempt(event) for event in events]


def without_the_others(s: Steps) -> list[Document]:
    """The last variable has a gradient in every step, the others in the last two."""
    return [s.apply(without=[0, 1]), s.apply(without=[0, 1]), *s.many(2)]


def finalized(s: Steps) -> list[Document]:
    """Averages are taken after two steps, and there is one more."""
    return [*s.many(2), attempt({"finalize": True}), *s.many(1)]


def without_it(s: Steps) -> list[Document]:
    """The second variable has no gradient now and then."""
    return [s.apply(), s.apply(without=[1]), s.apply(without=[1]), *s.many(1)]


def not_finite(s: Steps) -> list[Document]:
    """The second variable's gradients have an infinity, then a NaN, before two plain steps."""
    events = s.many(4)
    events[0]["apply"][1][0], events[1]["apply"][1][1] = "Infinity", "NaN"
    return events


def of_another_shape(s: Steps) -> list[Document]:
    """A gradient of a scalar for the second variable, and a step after it."""
    first, second = s.many(2)
    gradient = {"dtype": "float32", "shape": [], "values": [0.5]}
    return [attempt({"apply": [first["apply"][0], gradient, first["apply"][2]]}), second]


def twice(s: Steps) -> list[Document]:
    """Steps in which the second variable has two gradients."""
    return [attempt(s.apply(order)) for order in ((0, 1, 2, 1), (0, 1, 1), (1, 2, 1), (0, 1, 2))]


def of_other_lengths(s: Steps) -> list[Document]:
    """Between usual steps, gradients for the first two of three variables, then for all three where there are two."""
    every = [{"variable": number} for number in range(len(NAMES))]
    fewer, more = (call_apply(s, gradients, every[:variables]) for gradients, variables in ((2, 3), (3, 2)))
    return [s.apply(), fewer, s.apply(), more, s.apply()]


def call_apply(s: Steps, gradients: int, variables: list[Document]) -> Document:
    """`apply` called with the gradients of so many variables, and with these variables."""
    shapes = list(s.shapes)[:gradients]
    given = [
        {"tensor": {"dtype": s.dtype, "shape": [*shape], "values": normal(s.stream, shape, s.dtype)}}
        for shape in shapes
    ]
    return attempt({"call": {"method": "apply", "arguments": [given, variables]}})


def constrained(case: Document) -> Document:
    """The case with a constraint on its first two variables."""
    for variable in case["variables"][:2]:
        variable["constraint"] = NON_NEGATIVE
    return {**case, "features": [*case["features"], "constraints"]}


def sparse(case: Document) -> Document:
    """The case, said to be of rows."""
    return {**case, "features": [*case["features"], "sparse"], "flags": [*case["flags"], "duplicate-indices"]}
