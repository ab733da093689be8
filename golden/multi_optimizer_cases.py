"""The recorded cases of MultiOptimizer and OptimizerMap: who gets which variable, and what each does for itself."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from goldenstep.spec import wrapper as spec

from .drawing import Document, Shape, dtypes_of, features_of, normal, slug
from .lifecycle_cases import CLIPS, CONSTRAINTS, EMA, EMPTY, FINALIZE, FLAGS, Case, Steps, attempt
from .loss_scale_cases import described_schedule, look
from .optimizer_schedule_cases import EXPONENTIAL

SHAPES: dict[str, Shape] = {"kernel": (2, 2), "bias": (3,), "scale": ()}
LITTLE: dict[str, Shape] = {"kernel": (1, 2), "bias": (1,)}
SGD: Document = {"class_name": "SGD", "config": {"learning_rate": 0.1, "momentum": 0.75}}
ADAM: Document = {"class_name": "Adam", "config": {"learning_rate": 0.1}}
PLAIN: Document = {"class_name": "SGD", "config": {"learning_rate": 0.5}}
LOOKED_AT = (
    "learning_rate",
    "iterations",
    "optimizers",
    "loss_scale_factor",
    "name",
    "clipnorm",
    "use_ema",
    "momentum",
)


def chooser(default: Any = SGD, patterns: Document | None = None, items: list[Any] | None = None) -> Document:
    """An OptimizerMap as a case describes it."""
    config = {"default_optimizer": default, **({} if patterns is None else {"optimizer_map": patterns})}
    return {"class_name": "OptimizerMap", "config": config, **({"items": items} if items else {})}


def function(names: dict[str, str], optimizers: dict[str, Any]) -> Document:
    """A function of a variable as a case describes it: the key of the optimizer for each name."""
    return {"function": names, "optimizers": optimizers}


def with_config(optimizer: Document, **config: Any) -> Document:
    """The optimizer with other arguments besides."""
    return {**optimizer, "config": {**optimizer["config"], **config}}


KERNEL_ADAM = chooser(SGD, {"ker.*": ADAM})


def case(
    optimizer_map: Any,
    events: Callable[[Steps], list[Document]],
    features: Sequence[str] = (),
    flags: Sequence[str] = (),
    given: Document | None = None,
    dtype: str = "float32",
    constraints: Sequence[Document | None] = (),
    shapes: dict[str, Shape] = SHAPES,
) -> Document:
    """A case with first values and gradients from a generator that the case itself seeds."""
    optimizer = {"class_name": "MultiOptimizer", "config": {"optimizer_map": optimizer_map, **(given or {})}}
    stream = random.Random(f"multi {dtype} {features} {flags} {list(shapes)}")
    variables: list[Document] = [
        {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}}
        for name, shape in shapes.items()
    ]
    for variable, constraint in zip(variables, constraints, strict=False):
        variable["constraint"] = constraint
    played = events(Steps(stream, list(shapes.values()), dtype))
    inner = [event.get("attempt", event) for event in played]
    found = {flag for event in (*played, *inner) for kind in event for flag in FLAGS.get(kind, ())}
    if any({"get", "set", "set_iterations"} & set(event) for event in inner):
        found.add("passes-on")
    if "none" in features:
        found.add("missing-gradient")
    configs = list(inner_configs(optimizer_map))
    pipeline = [name for config in (*configs, given or {}) for name in features_of(config)]
    scheduled = ["schedules"] if any(described_schedule(config) for config in configs) else []
    return {
        "features": list(dict.fromkeys(["multi_optimizer", *features, *pipeline, *scheduled])),
        "flags": sorted({*flags, *found}),
        "optimizer": optimizer,
        "variables": variables,
        "events": played,
    }


def inner_configs(given: Any) -> Iterator[Document]:
    """The arguments of every optimizer that a map or a function describes."""
    if isinstance(given, dict) and given.get("class_name", "OptimizerMap") != "OptimizerMap":
        yield given["config"]
    elif isinstance(given, dict):
        for value in given.values():
            yield from inner_configs(value)


def multi_optimizer_cases() -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    yield from routing()
    yield from nulls()
    yield from own_options()
    yield from passed_on()
    yield from refused()
    yield from combinations()


def routing() -> Iterator[Case]:
    """Patterns, keys, defaults and functions; optimizers that are shared, or have nothing to do."""
    three = {"a": SGD, "b": ADAM, "c": PLAIN}
    maps: dict[str, Any] = {
        "map": KERNEL_ADAM,
        "map-of-nothing": chooser(SGD),
        "map-by-items": chooser(SGD, None, [["bias", ADAM], ["s.*", PLAIN]]),
        "map-of-all": chooser(SGD, {"kernel": ADAM, "bias": PLAIN, "scale": with_config(ADAM, learning_rate=0.01)}),
        "pattern-matches-a-part": chooser(SGD, {"ker": ADAM, "ias": PLAIN}),
        "pattern-matches-all": chooser(SGD, {".*": ADAM}),
        "key-before-pattern": chooser(SGD, {"k.*": ADAM, "kernel": PLAIN}),
        "order-of-the-map": chooser(PLAIN, {"scale": SGD, "kernel": ADAM}),
        "never-used": chooser(SGD, {"encoder.*": ADAM}),
        "default-never-used": chooser(SGD, {"scale": ADAM, "kernel": PLAIN, "bias": {"same_as": "kernel"}}),
        "pattern-of-two-beginnings": chooser(SGD, {"kern|bias": ADAM}),
        "pattern-of-two-ends": chooser(SGD, {"scale|ernel": ADAM}),
        "shared": chooser(SGD, {"ker.*": ADAM, "sca.*": {"same_as": "ker.*"}}),
        "shared-with-default": chooser(SGD, {"ker.*": ADAM, "sca.*": {"same_as": "default"}}),
        "two-of-a-kind": chooser(PLAIN, {"kernel": with_config(PLAIN, learning_rate=0.1)}),
        "function": function({"kernel": "b", "bias": "a", "scale": "b"}, three),
        "function-of-one": function(dict.fromkeys(SHAPES, "a"), {"a": SGD}),
        "function-of-three": function({"kernel": "c", "bias": "b", "scale": "a"}, three),
    }
    for name, given in maps.items():
        yield name, case(given, lambda s: [attempt(s.apply()), *s.many(2)])
    yield "several-patterns-match", case(chooser(SGD, {"k.*": ADAM, ".*l": PLAIN}), lambda s: [attempt(s.apply())] * 2)
    twice = chooser(SGD, {"k.*": ADAM, ".*l": {"same_as": "k.*"}})
    yield "several-patterns-of-one-optimizer", case(twice, lambda s: [attempt(s.apply())] * 2)
    yield "name=chosen", case(KERNEL_ADAM, lambda s: s.many(2), given={"name": "chosen"})
    for dtype in dtypes_of("keras3", "SGD"):
        if dtype != "float32":
            yield f"map-{dtype}", case(KERNEL_ADAM, lambda s: s.many(3), dtype=dtype)
    for name in ("Adam", "RMSprop", "Lion", "Adagrad", "Nadam", "Adamax"):
        inner = {"class_name": name, "config": {"learning_rate": 0.1}}
        yield f"around-{name.lower()}", case(chooser(SGD, {"bias": inner}), lambda s: s.many(3))


def nulls() -> Iterator[Case]:
    """Gradients that are null, lists that are empty, variables that are missing, unknown or in another order."""
    patterns: dict[str, Callable[[Steps], list[Document]]] = {
        "none": lambda s: [s.apply(without=[1]), s.apply(), s.apply(without=[2])],
        "none-of-one-inner": lambda s: [
            s.apply(), attempt(s.apply(without=[0])), attempt(s.apply(without=[1, 2])), s.apply()
        ],
        "none-of-one-inner-at-first": lambda s: [attempt(s.apply(without=[1, 2])), s.apply()],
        "none-of-all": lambda s: [attempt(s.apply(without=[0, 1, 2])), s.apply(), attempt(s.apply(without=[0, 1, 2]))],
        "empty-list": lambda s: [attempt(EMPTY), s.apply(), attempt(EMPTY)],
        "order-changes": lambda s: [
            s.apply(), s.apply([2, 0, 1]), attempt(s.apply([1, 0])), attempt(s.apply([0, 0, 1])), s.apply()
        ],
        "variable-comes-later": lambda s: [
            s.apply([0, 1]), attempt(s.apply()), attempt(s.apply([0, 2])), attempt(s.apply([1])), s.apply([1, 0])
        ],
    }  # fmt: skip
    for name, events in patterns.items():
        yield name, case(KERNEL_ADAM, events, ["none"])
    alike: dict[str, Shape] = {"kernel": (3,), "bias": (3,), "scale": (3,)}
    moved = lambda s: [s.apply(), s.apply([2, 0, 1]), s.apply([1, 0, 2])]  # noqa: E731
    yield "order-changes-of-one-shape", case(KERNEL_ADAM, moved, ["none"], shapes=alike)
    shared = function({"kernel": "b", "bias": "a", "scale": "b"}, {"a": SGD, "b": ADAM})
    yield (
        "none+function",
        case(shared, lambda s: [s.apply(without=[2]), attempt(s.apply(without=[1])), s.apply()], ["none"]),
    )


def own_options() -> Iterator[Case]:
    """Options that only one inner optimizer has, or each its own."""
    options: dict[str, Document] = {
        **{kind: {kind: 0.5} for kind in CLIPS},
        "weight_decay": {"weight_decay": 0.5},
        "ema": {**EMA, "ema_overwrite_frequency": 2},
        "accumulation": {"gradient_accumulation_steps": 2},
        "loss_scale_factor": {"loss_scale_factor": 8.0},
        "schedule": {"learning_rate": EXPONENTIAL},
        "function": {"learning_rate": {"callable": [0.1, 0.03, 0.3]}},
    }
    for name, config in options.items():
        changed = with_config(SGD, **config)
        yield f"inner-{name}", case(chooser(ADAM, {"bias|scale": changed}), lambda s: s.many(4))
        yield f"default-{name}", case(chooser(changed, {"kernel": ADAM}), lambda s: s.many(4))
    ema = chooser(with_config(ADAM, **EMA), {"bias|scale": with_config(SGD, use_ema=True, ema_momentum=0.25)})
    yield "ema+finalize", case(ema, lambda s: [*s.many(2), FINALIZE, *s.many(1)])
    turned = attempt({**FINALIZE, "of": [2, 0, 1]})
    yield "ema+finalize-in-another-order", case(ema, lambda s: [*s.many(2), turned, *s.many(1)])
    namesakes = chooser(with_config(SGD, name="mine"), {"bias|scale": with_config(SGD, name="mine", momentum=0.5)})
    yield "inner-of-one-name", case(namesakes, lambda s: s.many(3))
    yield "ema+finalize-some", case(ema, lambda s: [*s.many(2), attempt({**FINALIZE, "of": [0, 1]}), *s.many(1)])
    yield "finalize-at-first", case(ema, lambda s: [attempt(FINALIZE), *s.many(1), FINALIZE])
    yield "finalize-unknown", case(ema, lambda s: [s.apply([0, 1]), attempt(FINALIZE), s.apply([0, 1])])
    decay = chooser(with_config(ADAM, weight_decay=0.5), {"bias|scale": with_config(SGD, weight_decay=0.25)})
    exclude = attempt({"exclude": {"names": ["bias"], "variables": [0]}})
    yield "exclude", case(decay, lambda s: [exclude, *s.many(2), exclude, *s.many(1)])
    both = [CONSTRAINTS["non-negative"], CONSTRAINTS["max-norm"]]
    yield "constraints", case(KERNEL_ADAM, lambda s: s.many(3), ["constraints"], ["constraint"], constraints=both)
    rows = {"indices": [1, 1], "values": {"dtype": "float32", "shape": [2, 2], "values": [0.5, -1.0, 0.25, 3.0]}}
    sparse = lambda s: [{"apply": [rows, *s.apply()["apply"][1:]]} for _ in range(2)]  # noqa: E731
    yield "rows", case(KERNEL_ADAM, sparse, ["sparse"], ["duplicate-indices"])


def passed_on() -> Iterator[Case]:
    """One factor for all losses, and attributes that belong to nobody or to each."""
    scaled = chooser(with_config(SGD, loss_scale_factor=2.0), {"ker.*": with_config(ADAM, loss_scale_factor=4.0)})
    for factor in (None, 8.0):
        name = slug({"loss_scale_factor": factor})
        yield name, case(scaled, lambda s: s.many(2), ["loss_scale"], given={"loss_scale_factor": factor})
        write = {"set": {"loss_scale_factor": factor}}
        given = {"loss_scale_factor": 16.0}
        yield f"set-{name}", case(scaled, between(write), ["loss_scale"], given=given)
    selected = function(
        {"kernel": "b", "bias": "a", "scale": "b"}, {"a": scaled["config"]["default_optimizer"], "b": ADAM}
    )
    yield (
        "loss_scale_factor=8+function",
        case(selected, lambda s: s.many(2), ["loss_scale"], given={"loss_scale_factor": 8.0}),
    )
    seen = look(*LOOKED_AT)
    yield "get", case(KERNEL_ADAM, lambda s: [*seen, *s.many(1), *seen], shapes=LITTLE)
    yield "get-of-a-function", case(selected, lambda s: [*seen, *s.many(1), *seen], shapes=LITTLE)
    for name, chosen in {"": KERNEL_ADAM, "-of-a-function": selected}.items():
        yield f"apply-without-variables{name}", case(chosen, without_variables)
    yield "apply-of-other-lengths", case(KERNEL_ADAM, other_lengths)
    read = look("loss_scale_factor")
    written = [attempt({"set": {"loss_scale_factor": 4.0}}), *read]
    yield "loss_scale_factor-read", case(scaled, lambda s: [*read, *written, *s.many(1), *read], ["loss_scale"])
    for name, value in {"learning_rate": 0.5, "clipnorm": 0.5, "use_ema": True, "weight_decay": 0.5}.items():
        write = attempt({"set": {name: value}})
        yield f"set-{name}", case(KERNEL_ADAM, between(write))
    kinds: list[Document] = [{"set_iterations": 5}, {"set": {"iterations": 5}}]
    for kind in kinds:
        name = "assigned" if "set_iterations" in kind else "replaced"
        yield f"iterations-{name}", case(KERNEL_ADAM, between(attempt(kind)))


def tensors(s: Steps) -> list[Document]:
    """A gradient for each variable, as arguments."""
    return [
        {"tensor": {"dtype": "float32", "shape": list(shape), "values": normal(s.stream, shape, "float32")}}
        for shape in SHAPES.values()
    ]


def without_variables(s: Steps) -> list[Document]:
    """Gradients alone, before the state is made and after."""
    first = [called("apply", []), called("apply", tensors(s)), s.apply(), called("apply", tensors(s))]
    return [*first, called("apply", []), called("apply", tensors(s)[:1]), s.apply()]


def other_lengths(s: Steps) -> list[Document]:
    """As many gradients as there are variables, and fewer variables, or more."""
    every = [{"variable": number} for number in range(len(SHAPES))]
    lists = (every, every[:1], [*every, *every])
    return [*(called("apply", tensors(s), variables) for variables in lists), s.apply()]


def called(method: str, *arguments: Any) -> Document:
    """A method called, which may fail."""
    return attempt({"call": {"method": method, "arguments": list(arguments)}})


def between(event: Document) -> Callable[[Steps], list[Document]]:
    """A step, an event, and a step."""
    return lambda s: [*s.many(1), event, *s.many(1)]


def refused() -> Iterator[Case]:
    """Arguments that are no optimizers, maps or names; some are found out in the first step only."""
    for number, entry in enumerate(spec.refusals("MultiOptimizer", "keras3")):
        given = dict(entry["given"])
        chosen = given.pop("optimizer_map", KERNEL_ADAM)
        late = entry["stage"] == "apply"
        twice = lambda s: [attempt(s.apply([0, 1])), attempt(s.apply([0, 1]))]  # noqa: E731
        made = case(chosen, twice if late else lambda s: [], given=given)
        name = "fails-at-the-first-step" if late else "refused"
        yield f"{name}-{slug(given) or NAMES[number]}", {**made, "features": [*made["features"], "errors"]}


NAMES = {
    0: "default-that-is-none",
    1: "map-that-is-a-list",
    2: "key-twice",
    3: "key-that-is-a-number",
    4: "value-that-is-no-optimizer",
    5: "value-that-scales-losses",
    9: "optimizer-for-a-map",
    10: "null-for-a-map",
    11: "default-that-scales-losses",
    12: "function-that-returns-null",
    13: "function-that-returns-a-wrapper",
}


def combinations() -> Iterator[Case]:
    """Pairs of inner optimizers and options that hold every pair at least once, four steps each."""
    from allpairspy import AllPairs

    levels: list[list[tuple[str, Any]]] = [
        [("map", True), ("function", False)],
        [("adam", ADAM), ("rmsprop", {"class_name": "RMSprop", "config": {"learning_rate": 0.1}})],
        [("", {}), ("global_clipnorm", {"global_clipnorm": 0.5}), ("clipvalue", {"clipvalue": 0.25})],
        [("", {}), ("decay", {"weight_decay": 0.5})],
        [("", {}), ("ema", {**EMA, "ema_overwrite_frequency": 2})],
        [("", {}), ("every-2", {"gradient_accumulation_steps": 2})],
        [("", {}), ("exponential", {"learning_rate": EXPONENTIAL})],
        [("", {}), ("factor", {"loss_scale_factor": 8.0})],
        [("", ()), ("none-kernel", (0,)), ("none-scale", (2,))],
        [("", None), ("non-negative", CONSTRAINTS["non-negative"])],
    ]
    for (first, mapped), (two, other), *options, (three, factor), (four, without), (five, constraint) in AllPairs(
        levels
    ):
        config = {key: value for _, option in options for key, value in option.items()}
        changed = with_config(SGD, **config)
        chosen = (
            chooser(changed, {"kernel|scale": other})
            if mapped
            else function({"kernel": "b", "bias": "a", "scale": "b"}, {"a": changed, "b": other})
        )
        features = ["none"] * bool(without) + ["constraints"] * bool(constraint)

        def played(s: Steps, without: Sequence[int] = without) -> list[Document]:
            return [attempt(s.apply(without=without if i in (1, 2) else ())) for i in range(4)]

        flags = ["combination"] + ["constraint"] * bool(constraint)
        names = [first, two, *(name for name, _ in options), three, four, five]
        yield (
            "combined-" + "+".join(filter(None, names)),
            case(chosen, played, features, flags, factor, constraints=[constraint, constraint]),
        )
