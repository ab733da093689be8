"""The recorded cases of LossScaleOptimizer in all its generations: growth, overflow, limits, what is passed on.

An SGD with momentum is wrapped unless a case is about another optimizer. Gradients are those of a scaled loss: Keras 2
unscales them by a method of its own before the step (`unscaled`), Keras 3 in the step itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from goldenstep import spec
from goldenstep.spec import wrapper as wrapper_spec

from .drawing import Document, Shape, dtypes_of, features_of, normal, slug, typed
from .lifecycle_cases import CLIPS, CONSTRAINTS, EMA, EMPTY, FINALIZE, FLAGS, attempt
from .optimizer_schedule_cases import EXPONENTIAL, PIECEWISE

Case = tuple[str, Document]
SHAPES: dict[str, Shape] = {"kernel": (2, 2), "bias": (3,)}
SMALL = {"float32": 2e-38 / 3, "float64": 4e-308 / 3, "float16": 1e-4 / 3}
"""Numbers of which the first is denormal, twice it is not, and the number itself times a small scale is."""
USUAL: Document = {"initial_scale": 8.0, "dynamic_growth_steps": 2}
THIRDS: Document = {**USUAL, "initial_scale": 3.0}
"""A scale by which the quotients of halves are none."""
SGD: Document = {"learning_rate": 0.1, "momentum": 0.75}
LOOKED_AT: tuple[str, ...] = (
    "learning_rate", "lr", "iterations", "loss_scale", "dynamic", "dynamic_counter", "initial_scale",
    "dynamic_growth_steps", "inner_optimizer", "momentum", "nesterov", "clipnorm", "clipvalue", "global_clipnorm",
    "decay", "use_ema", "ema_momentum", "ema_overwrite_frequency", "weight_decay", "dynamic_scale", "step_counter",
    "loss_scale_factor", "gradient_accumulation_steps",
)  # fmt: skip
WRITTEN: dict[str, Any] = {
    "learning_rate": 0.5, "lr": 0.5, "momentum": 0.25, "decay": 0.5, "nesterov": True, "clipnorm": 0.5,
    "clipvalue": 0.25, "global_clipnorm": 0.5, "weight_decay": 0.5, "use_ema": True, "ema_momentum": 0.5,
    "loss_scale": 2.0, "dynamic": False, "dynamic_growth_steps": 1, "initial_scale": 2.0,
    "loss_scale_factor": 4.0, "gradient_accumulation_steps": 2,
}  # fmt: skip


class Maker:
    """An edition's wrapper, and cases made of what it wraps, its own arguments and events."""

    def __init__(self, edition: str, wrapper: str) -> None:
        self.edition = edition
        self.wrapper = wrapper
        self.unscales = edition != "keras3"
        self.legacy = edition == "tf2.4" or edition.endswith(".legacy")
        self.optimizers = list(spec.available(edition))
        self.takes = set(spec.taken("SGD", edition))

    def described(self, inner: Any, given: Document) -> Document:
        """The wrapper with its arguments."""
        return {"class_name": self.wrapper, "config": {"inner_optimizer": inner, **given}}

    def case(
        self,
        events: Callable[[Steps], list[Document]],
        config: Document | None = None,
        given: Document | None = None,
        features: Sequence[str] = (),
        flags: Sequence[str] = (),
        dtype: str = "float32",
        constraints: Sequence[Document | None] = (),
        inner: Any = None,
        shapes: dict[str, Shape] = SHAPES,
    ) -> Document:
        """A case with first values and gradients from a generator that the case itself seeds."""
        config = SGD if config is None else {**SGD, **config}
        given = USUAL if given is None else given
        inner = inner or {"class_name": "SGD", "config": config}
        described = self.described(inner, given)
        stream = random.Random(f"{sorted(config)} {sorted(given)} {dtype} {features}")
        variables: list[Document] = [
            {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}}
            for name, shape in shapes.items()
        ]
        for variable, constraint in zip(variables, constraints, strict=False):
            variable["constraint"] = constraint
        scale = given.get("initial_scale") or 32768.0
        played = events(Steps(stream, list(shapes.values()), dtype, scale, self.unscales))
        own = wrapper_spec.innermost(described) or {"config": {}}
        scheduled = ["schedules"] if described_schedule(own["config"]) else []
        named = [wrapper_spec.wrappers()[self.wrapper]["feature"], *features, *features_of(own["config"]), *scheduled]
        return {
            "features": list(dict.fromkeys(named)),
            "flags": sorted({*flags, *flags_of(played), *(["missing-gradient"] if "none" in features else [])}),
            "optimizer": described,
            "variables": variables,
            "events": played,
        }


class MakerV1(Maker):
    """TF 2.4's experimental wrapper: both arguments are one, and have other names."""

    def described(self, inner: Any, given: Document) -> Document:
        scale: Any = given.get("loss_scale", "dynamic")
        if "initial_scale" in given:
            config = {
                "initial_loss_scale": given["initial_scale"],
                "increment_period": given.get("dynamic_growth_steps", 2000),
            }
            scale = {"class_name": "DynamicLossScale", "config": config}
        return {"class_name": self.wrapper, "config": {"optimizer": inner, "loss_scale": scale}}


def described_schedule(config: Document) -> bool:
    """Is the learning rate of a config a schedule?"""
    rate = config.get("learning_rate")
    return isinstance(rate, dict) and "class_name" in rate


class Steps:
    """Events with fresh gradients of a loss that is scaled."""

    def __init__(self, stream: random.Random, shapes: list[Shape], dtype: str, scale: float, unscales: bool) -> None:
        self.stream = stream
        self.shapes = shapes
        self.dtype = dtype
        self.scale = scale
        self.own = {"unscaled": True} if unscales else {}

    def apply(
        self, of: Sequence[int] | None = None, without: Sequence[int] = (), spoiled: str | None = None
    ) -> Document:
        """A step; `of` names the variables, `without` those without gradient, `spoiled` what its first number is."""
        chosen = range(len(self.shapes)) if of is None else of
        gradients: list[Any] = [None if i in without else self.gradient(self.shapes[i]) for i in chosen]
        if spoiled:
            next(gradient for gradient in gradients if gradient is not None)[0] = spoiled
        event: Document = {"apply": gradients, **self.own}
        return event if of is None else {**event, "of": list(of)}

    def in_the_second(self, spoiled: str) -> Document:
        """A step whose second gradient alone has a number that is not finite, its last."""
        event = self.apply()
        event["apply"][1][-1] = spoiled
        return event

    def in_the_last(self, spoiled: str) -> Document:
        """A step whose last gradient alone has a number that is not finite, its last."""
        event = self.apply()
        event["apply"][-1][-1] = spoiled
        return event

    def gradient(self, shape: Shape) -> list[Any]:
        """Numbers of three digits, times the scale."""
        return typed([float(x) * self.scale for x in normal(self.stream, shape, self.dtype)], self.dtype)

    def many(self, pattern: str) -> list[Document]:
        """A step for each letter: f is finite, i has an infinity, m a negative one, n a NaN."""
        spoiled = {"f": None, "i": "Infinity", "m": "-Infinity", "n": "NaN"}
        return [self.apply(spoiled=spoiled[letter]) for letter in pattern]

    def rows(self, indices: Sequence[int], values: Sequence[Any] | None = None) -> Document:
        """A step whose first gradient has rows of the first variable, which is a matrix."""
        width = self.shapes[0][1]
        given = self.gradient((len(indices), width)) if values is None else list(values)
        tensor = {"dtype": self.dtype, "shape": [len(indices), width], "values": given}
        return {"apply": [{"indices": list(indices), "values": tensor}, self.gradient(self.shapes[1])], **self.own}


def flags_of(events: list[Document]) -> Iterator[str]:
    """What of the flags can be seen in the events."""
    for event in events:
        inner = event.get("attempt", event)
        for kind in (*event, *inner):
            yield from FLAGS.get(kind, ())
        method = inner.get("call", {}).get("method")
        if inner.get("unscaled") or method == "get_unscaled_gradients":
            yield "unscaled"
        if method in ("scale_loss", "get_scaled_loss"):
            yield "scaled-loss"
        if {"get", "set", "set_iterations"} & set(inner):
            yield "passes-on"
        if any(x in str(inner.get("apply")) for x in ("Infinity", "NaN")):
            yield "overflow"


def loss_scale_cases(edition: str, wrapper: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    if wrapper == "LossScaleOptimizerV1":
        yield from experimental_cases(MakerV1(edition, wrapper))
        return
    make = Maker(edition, wrapper)
    yield from growth(make)
    yield from limits(make)
    yield from nulls(make)
    yield from sparse(make)
    yield from dtypes(make)
    yield from single_elements(make)
    yield from inner_optimizers(make)
    yield from attributes(make)
    yield from methods(make)
    yield from refused(make)
    yield from combinations(make)


def growth(make: Maker) -> Iterator[Case]:
    """The usual life of a scale; with the defaults; and fixed."""
    yield "defaults", make.case(lambda s: s.many("fffif"), given={})
    yield "grows-after-2", make.case(lambda s: s.many("ffifffnmfiff"))
    yield "grows-after-1", make.case(lambda s: s.many("fffiff"), given={**USUAL, "dynamic_growth_steps": 1})
    yield "grows-after-3", make.case(lambda s: s.many("ffifffffffn"), given={**USUAL, "dynamic_growth_steps": 3})
    yield "overflow-at-first", make.case(lambda s: s.many("iif"))
    yield "overflow-in-the-second-variable", make.case(lambda s: [*s.many("f"), s.apply([1, 0], spoiled="NaN")])
    second = lambda s: [*s.many("f"), s.in_the_second("NaN"), s.in_the_second("Infinity"), *s.many("f")]  # noqa: E731
    yield "overflow-in-the-second-gradient", make.case(second)
    third = lambda s: [*s.many("f"), s.in_the_last("NaN"), s.in_the_last("-Infinity"), *s.many("f")]  # noqa: E731
    yield "overflow-in-the-third-gradient", make.case(third, shapes={**SHAPES, "gain": (2,)})
    for steps in (0, -1, 2.5):
        given = {**USUAL, "dynamic_growth_steps": steps}
        yield f"dynamic_growth_steps={steps}", make.case(lambda s: s.many("ffffif"), given=given)
    long = make.case(lambda s: [{"repeat": 40, "events": s.many("fffff")}, *s.many("iff")])
    yield "two-hundred-steps", {**long, "flags": [*long["flags"], "long-run"], "keep": [1, 2, 199, 200, 201, 202, 203]}
    if not make.unscales:
        return
    fixed: Document = {"dynamic": False, "initial_scale": 8.0}
    yield "fixed", make.case(lambda s: s.many("fff"), given=fixed)
    yield "fixed+overflow", make.case(lambda s: s.many("finf"), given=fixed)
    yield (
        "fixed+none",
        make.case(
            lambda s: [s.apply(without=[0]), attempt(s.apply(without=[0, 1])), *s.many("f")], None, fixed, ["none"]
        ),
    )
    raw = lambda s: [{"apply": event["apply"]} for event in s.many("ffif")]  # noqa: E731
    yield "gradients-as-they-are", make.case(raw, given={**USUAL, "initial_scale": 4.0})


def limits(make: Maker) -> Iterator[Case]:
    """A scale near 1, near 0, and near the largest number; gradients that only scaling makes infinite, or nothing."""
    for initial, pattern in (
        (4.0, "iiiiff"),
        (3.0, "iiff"),
        (1.0, "iff"),
        (0.25, "fiff"),
        (-4.0, "ffif"),
        (0.0, "fif"),
    ):
        case = make.case(played([], pattern), given={**USUAL, "initial_scale": initial})
        yield f"initial_scale={initial}", {**case, "flags": sorted({*case["flags"], "scale-at-its-limit"})}
    greatest = {"initial_scale": 2.0**126, "dynamic_growth_steps": 1}
    small: dict[str, Any] = {"flags": ["scale-at-its-limit"], "given": greatest}

    def of_size(s: Steps, size: float, count: int = 3) -> list[Document]:
        s.scale = size
        return s.many("f" * count)

    yield "scale-grows-beyond-float32", make.case(lambda s: [*of_size(s, 1e36), *s.many("if")], **small)
    tiny = {**small, "given": {**USUAL, "initial_scale": 64.0}}
    yield "gradients-vanish", make.case(lambda s: of_size(s, 1e-36, 2), **tiny)
    low = {**small, "given": {**USUAL, "initial_scale": 0.25}}
    yield "gradients-become-infinite", make.case(lambda s: of_size(s, 8e37, 2), **low)
    yield (
        "initial_scale=beyond-float32",
        make.case(lambda s: s.many("fif"), **{**small, "given": {"initial_scale": 1e39}}),
    )
    shrinks = make.case(lambda s: [{"repeat": 160, "events": s.many("i")}, *s.many("ff")])
    yield (
        "shrinks-for-long",
        {**shrinks, "flags": sorted([*shrinks["flags"], "scale-at-its-limit", "long-run"]), "keep": [1, 150, 160, 162]},
    )


def nulls(make: Maker) -> Iterator[Case]:
    """Gradients that are null, lists that are empty, variables that come late or in another order."""
    patterns: dict[str, Callable[[Steps], list[Document]]] = {
        "none-at-first": lambda s: [attempt(s.apply(without=[1])), attempt(s.apply()), attempt(s.apply(without=[0]))],
        "none-in-between": lambda s: [s.apply(), s.apply(without=[1]), s.apply(without=[0]), s.apply()],
        "none-of-all": lambda s: [
            attempt(s.apply(without=[0, 1])), s.apply(), attempt(s.apply(without=[0, 1])), *s.many("ff")
        ],
        "none+overflow": lambda s: [
            attempt(s.apply(without=[0], spoiled="NaN")), s.apply(), attempt(s.apply(without=[1], spoiled="Infinity")),
            attempt(s.apply(without=[0])),
        ],
        "empty-list": lambda s: [attempt({**EMPTY, **s.own}), s.apply(), attempt({**EMPTY, **s.own}), s.apply()],
        "order-changes": lambda s: [
            s.apply(), s.apply([1, 0]), s.apply([1]), s.apply([1, 0], spoiled="NaN"), s.apply()
        ],
        "variable-comes-later": lambda s: [s.apply([0]), attempt(s.apply([0, 1])), attempt(s.apply([1])), s.apply([0])],
        "variable-comes-after-overflow": lambda s: [
            s.apply([0], spoiled="NaN"), attempt(s.apply([0, 1])), s.apply([0])
        ],
    }  # fmt: skip
    for name, events in patterns.items():
        yield name, make.case(events, features=["none"])
    misfit = {"dtype": "float32", "shape": [3, 2, 2], "values": [1.0] * 12}
    wrong = lambda s: [attempt({"apply": [misfit, s.gradient((3,))], **s.own}), *s.many("ff")]  # noqa: E731
    yield "gradient-of-another-shape", make.case(wrong, {"momentum": 0.0}, features=["errors"])


def sparse(make: Maker) -> Iterator[Case]:
    """Rows that are finite and whose sum is not, or the other way round; duplicates; none."""
    rows: dict[str, Callable[[Steps], list[Document]]] = {
        "rows": lambda s: [s.rows([1]), s.rows([1, 0]), s.rows([])],
        "rows+duplicates": lambda s: [s.rows([1, 1]), s.rows([0, 1, 0])],
        "rows+overflow": lambda s: [s.rows([0]), s.rows([1, 0], ["Infinity", 1.0, 1.0, 1.0]), s.rows([1])],
        "rows+overflow-before-a-duplicate": lambda s: [
            s.rows([0]),
            s.rows([1, 0, 1], ["Infinity", 1.0, 1.0, 1.0, 1.0, 1.0]),
            s.rows([0, 0], [1.0, 1.0, 1.0, "NaN"]),
        ],
        "rows-cancel-infinity": lambda s: [s.rows([0, 0], ["Infinity", 1.0, "-Infinity", 1.0]), s.rows([1, 0])],
        "sum-of-rows-overflows": lambda s: [{"apply": s.rows([0, 0], [3e38, 1.0, 3e38, 1.0])["apply"]}, s.rows([1, 0])],
        "sum-of-rows-takes-overflow-back": lambda s: [
            {"apply": s.rows([0, 0, 0], [3e38, 1.0, 3e38, 1.0, -3e38, 1.0])["apply"]}, s.rows([1])
        ],
    }  # fmt: skip
    for name, events in rows.items():
        duplicates = ["duplicate-indices"] if name not in ("rows", "rows+overflow") else []
        given = {**USUAL, "initial_scale": 2.0} if name.startswith("sum-") else USUAL
        yield name, make.case(events, {"momentum": 0.0}, given, ["sparse"], duplicates)
    yield (
        "rows+clipnorm=0.5",
        make.case(lambda s: [s.rows([1, 1]), s.rows([0])], {"clipnorm": 0.5}, None, ["sparse"], ["duplicate-indices"]),
    )
    if "gradient_accumulation_steps" in make.takes:
        config = {"gradient_accumulation_steps": 2}
        yield "rows+accumulation", make.case(lambda s: [s.rows([1]), s.rows([0, 1])] * 2, config, None, ["sparse"])
    if make.legacy:
        return
    for dtype in ("float16", "float64"):
        case = make.case(lambda s: [s.rows([1, 1]), s.rows([0])], None, None, ["sparse"], ["duplicate-indices"], dtype)
        yield f"rows+duplicates-{dtype}", case
        thrice = lambda s: [s.rows([1, 1, 1]), s.rows([0, 1, 0, 0])]  # noqa: E731
        case = make.case(thrice, {"clipnorm": 0.5}, THIRDS, ["sparse"], ["duplicate-indices"], dtype)
        yield f"rows+clipnorm=0.5+initial_scale=3.0-{dtype}", case


def dtypes(make: Maker) -> Iterator[Case]:
    """Variables of each dtype, with small scales, the default, and those that float16 does not hold."""
    for dtype in dtypes_of(make.edition, "SGD"):
        if dtype == "float32":
            continue
        for scale in (3.0, 8.0, 32768.0, 2.0**17, 2.0**24, 2.0**26):
            given = {**USUAL, "initial_scale": scale}

            def played(s: Steps, scale: float = scale) -> list[Document]:
                s.scale = min(scale, 4096.0)
                return s.many("ffif")

            yield f"{dtype}+initial_scale={scale}", make.case(played, given=given, dtype=dtype)
        options: list[Document] = [
            {"clipnorm": 0.5},
            {"weight_decay": 0.5},
            {"global_clipnorm": 0.5},
            {"clipvalue": 0.25},
        ]
        for config in options:
            if set(config) <= make.takes:
                yield f"{dtype}+{slug(config)}", make.case(lambda s: s.many("fff"), config, dtype=dtype)
        if "gradient_accumulation_steps" in make.takes:
            for more in ({}, {"clipnorm": 0.5}):
                config = {"gradient_accumulation_steps": 2, **more}
                yield f"{dtype}+{slug(config)}", make.case(lambda s: s.many("ffiff"), config, dtype=dtype)
        adam = {"class_name": "Adam", "config": {"learning_rate": 0.1}}
        yield f"{dtype}+adam", make.case(lambda s: s.many("fif"), dtype=dtype, inner=adam)


SINGLE: dict[str, Shape] = {"scale": (), "single": (1,), "bias": (3,)}


def single_elements(make: Maker) -> Iterator[Case]:
    """Scalars and variables of one element, with scales that each dtype holds, and that float16 does not."""
    for dtype in dtypes_of(make.edition, "SGD"):
        for scale in (3.0, 2.0**17):
            given = {**USUAL, "initial_scale": scale}

            def played(s: Steps, scale: float = scale) -> list[Document]:
                s.scale = min(scale, 4096.0)
                return s.many("ffif")

            yield (
                f"single-elements-{dtype}+initial_scale={scale}",
                make.case(played, given=given, dtype=dtype, shapes=SINGLE),
            )


PIPELINE: dict[str, Document] = {
    "weight_decay": {"weight_decay": 0.5},
    **{kind: {kind: 0.5} for kind in CLIPS},
    "ema": EMA,
    "ema-overwrites": {**EMA, "ema_overwrite_frequency": 2},
    "accumulation": {"gradient_accumulation_steps": 2},
    "accumulation-3": {"gradient_accumulation_steps": 3},
    "loss_scale_factor": {"loss_scale_factor": 4.0},
    "exponential": {"learning_rate": EXPONENTIAL},
    "piecewise": {"learning_rate": PIECEWISE},
    "function": {"learning_rate": {"callable": [0.1, 0.03, 0.3, 0.01, 0.2]}},
    "nesterov": {"nesterov": True},
    "decay": {"decay": 0.5},
}


def inner_optimizers(make: Maker) -> Iterator[Case]:
    """Every optimizer that can be wrapped, and every option of the pipeline, with a step that is not taken."""
    for name in make.optimizers:
        inner = {"class_name": name, "config": {} if name == "Adafactor" else {"learning_rate": 0.1}}
        yield f"around-{name.lower()}", make.case(lambda s: s.many("ffif"), inner=inner)
    for name, config in PIPELINE.items():
        if set(config) <= make.takes | {"learning_rate", "nesterov"}:
            yield f"inner-{name}", make.case(lambda s: s.many("ffifff"), config)
    for name in ("non-negative", "max-norm"):
        both = [CONSTRAINTS[name]] * 2
        yield (
            f"inner-{name}",
            make.case(lambda s: s.many("fif"), None, None, ["constraints"], ["constraint"], constraints=both),
        )
    if "use_ema" in make.takes:
        yield "ema+finalize", make.case(lambda s: [*s.many("fif"), attempt(FINALIZE), *s.many("f")], EMA)
        yield "ema+finalize-at-first", make.case(lambda s: [attempt(FINALIZE), *s.many("if"), attempt(FINALIZE)], EMA)
        yield (
            "ema+none",
            make.case(lambda s: [s.apply(), attempt(s.apply(without=[0])), s.apply()], EMA, None, ["none"]),
        )
    yield "finalize", make.case(lambda s: [attempt(FINALIZE), *s.many("f"), attempt(FINALIZE)])
    exclude = attempt({"exclude": {"names": ["bias"]}})
    decay = {"weight_decay": 0.5} if "weight_decay" in make.takes else None
    yield "exclude-a-name", make.case(lambda s: [exclude, *s.many("f"), exclude, *s.many("f")], decay)
    wrapped = {"class_name": "SGD", "config": SGD, "wrapped_before": True}
    yield "wrapped-before", make.case(lambda s: s.many("ff"), inner=wrapped, flags=["nested"])
    inside = make.described({"class_name": "SGD", "config": SGD}, {"initial_scale": 4.0, "dynamic_growth_steps": 3})
    yield "nested", make.case(lambda s: s.many("ffiff"), inner=inside, flags=["nested"])
    if make.edition == "keras3":
        nadam = make.described({"class_name": "Nadam", "config": {"learning_rate": 0.1}}, {"initial_scale": 4.0})
        built = call("build", [{"variable": 0}, {"variable": 1}])
        nested = make.case(lambda s: [built, *s.many("ff")], inner=nadam, flags=["nested"])
        yield "nested+nadam-built-by-itself", nested
        yield "apply-without-variables", make.case(without_variables)
    if "MultiOptimizer" in wrapper_spec.available(make.edition):
        chosen = {
            "default_optimizer": {"class_name": "SGD", "config": {**SGD, "loss_scale_factor": 4.0}},
            "optimizer_map": {"ker.*": {"class_name": "Adam", "config": {"learning_rate": 0.1}}},
        }
        several = {"optimizer_map": {"class_name": "OptimizerMap", "config": chosen}, "loss_scale_factor": 2.0}
        inner = {"class_name": "MultiOptimizer", "config": several}
        seen = look("learning_rate", "iterations")
        case = make.case(lambda s: [*s.many("fif"), *seen, *s.many("f")], inner=inner, features=["multi_optimizer"])
        yield "around-a-multioptimizer", case
        chosen = {"function": {"kernel": "a", "bias": "b"}, "optimizers": {"a": NADAM, "b": ADAFACTOR}}
        inner = {"class_name": "MultiOptimizer", "config": {"optimizer_map": chosen}}
        yield (
            "around-a-multioptimizer-of-a-function",
            make.case(lambda s: s.many("fiff"), inner=inner, features=["multi_optimizer"]),
        )


NADAM: Document = {"class_name": "Nadam", "config": {"learning_rate": 0.1}}
ADAFACTOR: Document = {"class_name": "Adafactor", "config": {}}


ONE: dict[str, Shape] = {"bias": (1,)}


def look(*names: str) -> list[Document]:
    """Attributes that are read, if they are there."""
    return [attempt({"get": name}) for name in names]


def played(
    before: list[Document], pattern: str, after: Sequence[Document] = (), last: str = ""
) -> Callable[[Steps], list[Document]]:
    """Events, a step for each letter, events, and the last steps."""
    return lambda s: [*before, *s.many(pattern), *after, *s.many(last)]


def attributes(make: Maker) -> Iterator[Case]:
    """What can be read and written through the wrapper, before and after the first step, and what comes of it."""
    seen = look(*LOOKED_AT)
    yield "get", make.case(played(seen, "fi", seen), shapes=ONE)
    if make.unscales:
        fixed = {"dynamic": False, "initial_scale": 8.0}
        yield "get-of-a-fixed-one", make.case(played([], "f", seen), given=fixed, shapes=ONE)
        if make.legacy:
            adam = {"class_name": "Adam", "config": {"learning_rate": 0.1, "epsilon": 0.01}}
            names = look("beta_1", "beta_2", "epsilon", "amsgrad", "momentum")
            change: list[Document] = [{"set": {"beta_1": 0.5}}, {"set": {"epsilon": 0.5}}, *names]
            events = lambda s: [*names, *s.many("f"), *change, *s.many("f")]  # noqa: E731
            yield "get+set-of-adam", make.case(events, inner=adam, shapes=ONE)
    rates: list[Document] = [EXPONENTIAL, {"callable": [0.1, 0.03, 0.3, 0.01, 0.2, 0.02]}]
    for rate in rates:
        name = "schedule" if rate is EXPONENTIAL else "function"
        seen = look("learning_rate", "iterations")
        case = make.case(played(seen, "fif", seen), {"learning_rate": rate}, shapes=ONE)
        yield f"get-learning_rate-of-a-{name}", case
    for name, value in WRITTEN.items():
        changed = [attempt({"set": {name: value}}), *look(name)]
        yield f"set-{name}", make.case(played([], "f", changed, "ff"))
    same: Document = {"dynamic_growth_steps": 2, "dynamic": True, "initial_scale": 8.0}
    as_it_is = [attempt({"set": {name: value}}) for name, value in same.items()]
    yield "set-what-is", make.case(played(as_it_is, "f", as_it_is), shapes=ONE)
    for name in ("learning_rate", "momentum", "initial_scale", "dynamic_growth_steps", "clipnorm"):
        write = attempt({"set": {name: WRITTEN[name]}})
        case = make.case(played([write], "fif"))
        yield f"set-{name}-before-the-first-step", case
    late = attempt({"set": {"dynamic_growth_steps": 2}})
    slow = {**USUAL, "dynamic_growth_steps": 5}
    yield (
        "set-dynamic_growth_steps-too-late",
        make.case(lambda s: [*s.many("fff"), late, *s.many("fffiff")], given=slow),
    )
    to_schedule = attempt({"set": {"learning_rate": EXPONENTIAL}})
    yield "set-learning_rate-to-a-schedule", make.case(lambda s: [*s.many("f"), to_schedule, *s.many("ff")])
    from_schedule = attempt({"set": {"learning_rate": 0.5}})
    config = {"learning_rate": EXPONENTIAL}
    yield "set-learning_rate-over-a-schedule", make.case(lambda s: [*s.many("f"), from_schedule, *s.many("f")], config)
    for where, before in (("before-the-first-step", ""), ("later", "fi")):
        assigned = lambda s, b=before: [*s.many(b), attempt({"set_iterations": 5}), *s.many("fif")]  # noqa: E731
        yield f"iterations-assigned-{where}", make.case(assigned)
        replaced = lambda s, b=before: [*s.many(b), attempt({"set": {"iterations": 5}}), *s.many("fif")]  # noqa: E731
        if before or not make.legacy:
            yield f"iterations-replaced-{where}", make.case(replaced)


def call(method: str, *arguments: Any) -> Document:
    """A method called, which may fail."""
    return attempt({"call": {"method": method, "arguments": list(arguments)}})


def given(dtype: str, shape: list[int], values: list[Any]) -> Document:
    """A tensor as an argument of a method."""
    return {"tensor": {"dtype": dtype, "shape": shape, "values": values}}


def methods(make: Maker) -> Iterator[Case]:
    """Losses scaled and gradients unscaled by the methods that are there for it, in every dtype; a loss minimized."""
    scaled = "get_scaled_loss" if make.unscales else "scale_loss"
    losses = [
        given(dtype, shape, typed(values, dtype))
        for dtype in ("float32", "float64", "float16")
        for shape, values in (([], [0.731]), ([3], [1.0, -2.5e-3, 3e4]))
    ]
    calls = [*(call(scaled, loss) for loss in losses), call(scaled, {"function": losses[0]})]
    for scale in (8.0, 32768.0, 3.0, 98304.0):
        scales = {**USUAL, "initial_scale": scale}
        yield f"scale-a-loss+initial_scale={scale}", make.case(played(calls, "ff", calls), given=scales, shapes=ONE)
    largest = {"initial_scale": 2.0**127, "dynamic_growth_steps": 3}
    yield "at-the-largest-scale", make.case(at_the_largest_scale, given=largest, shapes=ONE)
    small = [call(scaled, given(dtype, [3], typed([x, -2 * x, 1.0], dtype))) for dtype, x in SMALL.items()]
    for scale in (8.0, 2.0**-20):
        case = make.case(played(small, "f", small), given={**USUAL, "initial_scale": scale}, shapes=ONE)
        yield f"scale-a-small-loss+initial_scale={scale}", case
    pairs = [[given("float32", [1], [number]), {"variable": 0}] for number in (3.0, 7.0)]
    gone_through = [call("apply_gradients", {"iterator": [pair]}) for pair in pairs]
    yield "apply-an-iterator", make.case(played([call(scaled, losses[0])], "f", gone_through), shapes=ONE)
    for name in ("get_scaled_loss", "scale_loss", "get_unscaled_gradients"):
        yield f"call-{name}", make.case(played([call(name, losses[0])], "f"), shapes=ONE)
    if not make.unscales:
        return
    odd = [1.0, -3e38, 3e-38, "Infinity", "NaN", 0.1, -0.0]
    gradients: list[list[Any]] = [
        [given("float32", [7], odd), None, given("float32", [], [0.5])],
        [given("float64", [7], odd), given("float64", [], [0.1])],
        [given("float16", [3], typed([1.0, 0.1, 6e-8], "float16")), None],
    ]
    for scale in (8.0, 3.0, 0.25, 32768.0, 2.0**24):
        scales = {**USUAL, "initial_scale": scale}
        calls = [call("get_unscaled_gradients", several) for several in gradients]
        case = make.case(played(calls, "f", calls), given=scales, shapes=ONE)
        yield f"unscale+initial_scale={scale}", case
    loss = [{"of": 0, "square": [0.5, -0.25, 1.5, 0.125]}, {"of": 1, "linear": [1.0, -3.0, 0.5]}]
    both = [{"variable": 0}, {"variable": 1}]
    on_tape = {"arguments": [{"loss_on_tape": loss}, both], "keywords": {"tape": {"tape": "of the loss"}}}
    value = attempt({"call": {"method": "minimize", **on_tape}})
    for name, step in {"function": call("minimize", {"loss": loss}, both), "value-on-a-tape": value}.items():
        case = make.case(played([step, step, step], "if", [step]), features=["minimize"])
        yield f"minimize-a-{name}", case
    if make.legacy:
        doubled = {"arguments": [{"loss": loss}, both], "keywords": {"grad_loss": given("float32", [], [2.0])}}
        steps = [attempt({"call": {"method": "minimize", **doubled}})] * 3
        yield "minimize-with-grad_loss", make.case(played(steps, "if"), features=["minimize"])
    huge = [{"of": 0, "square": [3e38, 1.0, 1.0, 1.0]}]
    steps = [call("minimize", {"loss": huge}, both[:1])] * 3
    yield "minimize-beyond-float32", make.case(played(steps, "f"), features=["minimize"])


def at_the_largest_scale(s: Steps) -> list[Document]:
    """Steps whose gradients are a number again once they are divided; the scale cannot grow."""
    s.scale = 2.0**120
    return s.many("fffffiff")


def without_variables(s: Steps) -> list[Document]:
    """A step of gradients alone, and two of lists of two lengths, between usual ones."""
    lists: list[Any] = [[], [[{"variable": 0}]], [[{"variable": 1}, {"variable": 0}]]]
    events = s.many("f")
    for count, more in zip((2, 2, 1), lists, strict=True):
        events.append(
            call("apply", [given("float32", [*shape], s.gradient(shape)) for shape in s.shapes[-count:]], *more)
        )
    return [*events, *s.many("f")]


def refused(make: Maker) -> Iterator[Case]:
    """Arguments that are out of range or unknown."""
    for entry in wrapper_spec.refusals(make.wrapper, make.edition):
        given: Document = dict(entry["given"])
        inner = "inner_optimizer" in given or "optimizer" in given
        described = make.described({"class_name": "SGD", "config": SGD}, given)
        if inner or "loss_scale" in given:
            described["config"].update(given)
        case = make.case(lambda s: [])
        yield (
            f"refused-{slug(named(given))}",
            {**case, "features": [*case["features"], "errors"], "optimizer": described},
        )
    if make.edition == "keras3":
        nothing = dict.fromkeys(["clipnorm", "weight_decay", "loss_scale_factor", "gradient_accumulation_steps"])
        yield (
            "arguments-at-their-defaults",
            make.case(lambda s: s.many("ff"), given={**USUAL, **nothing, "use_ema": False, "dynamic": True}),
        )
        without = {**USUAL, "initial_scale": None}
        yield (
            "fails-at-the-first-step-initial_scale=none",
            make.case(lambda s: [attempt(s.apply()), attempt(s.apply())], given=without, features=["errors"]),
        )
        for steps in (None, "often"):
            given = {**USUAL, "dynamic_growth_steps": steps}
            case = make.case(
                lambda s: [attempt(s.apply()), *s.many("i"), attempt(s.apply())], given=given, features=["errors"]
            )
            yield f"fails-at-the-first-step-dynamic_growth_steps={str(steps).lower()}", case
        for given in ({"dynamic": True}, {"dynamic": 1}, {"clipnorm": None}, {"use_ema": False}, {"name": "scaler"}):
            yield f"taken-{slug(given)}", make.case(lambda s: s.many("f"), given={**USUAL, **given})


def named(given: Document) -> Document:
    """The arguments of a refusal as a slug can show them."""
    return {
        name: f"{value['class_name']}({slug(value['config'])})" if isinstance(value, dict) else value
        for name, value in given.items()
    }


def combinations(make: Maker) -> Iterator[Case]:
    """Configurations that hold every pair of options around loss scaling at least once, six steps each."""
    from allpairspy import AllPairs

    levels: list[list[tuple[str, Any]]] = [
        [("sgd", SGD), ("adam", None)],
        [("", USUAL), ("every", {"initial_scale": 3.0, "dynamic_growth_steps": 1})],
        [("", "ffifff"), ("twice", "finmff"), ("never", "ffffff")],
        [("", ()), ("none-first", (0,)), ("none-last", (1,))],
        [("", None), ("rows", [1, 0, 1])],
        [("", {}), *((kind, {kind: 0.5}) for kind in CLIPS)],
        [("", None), ("non-negative", CONSTRAINTS["non-negative"])],
        [("", {}), ("exponential", {"learning_rate": EXPONENTIAL})],
        [("", []), ("set", [{"set": {"learning_rate": 0.03}}])],
    ]
    if make.unscales:
        levels[1].append(("fixed", {"dynamic": False, "initial_scale": 8.0}))
    optional: dict[str, list[tuple[str, Any]]] = {
        "weight_decay": [("", {}), ("decay", {"weight_decay": 0.5})],
        "use_ema": [("", {}), ("ema", EMA), ("ema-2", {**EMA, "ema_overwrite_frequency": 2})],
        "gradient_accumulation_steps": [("", {}), ("every-2", {"gradient_accumulation_steps": 2})],
        "loss_scale_factor": [("", {}), ("factor", {"loss_scale_factor": 8.0})],
        "decay": [("", {}), ("decayed", {"decay": 0.5})],
    }
    more = [options for name, options in optional.items() if name in make.takes]
    for chosen in AllPairs([*levels, *more]):
        (
            (first, own),
            (two, given),
            (three, pattern),
            (four, without),
            (five, rows),
            clip,
            (six, constraint),
            rate,
            (
                seven,
                events,
            ),
            *others,
        ) = chosen
        config = {key: value for _, option in (clip, rate, *others) for key, value in option.items()}
        inner = {"class_name": "Adam", "config": {"learning_rate": 0.1, **config}} if own is None else None
        names = [first, two, three, four, five, clip[0], six, rate[0], seven, *(name for name, _ in others)]
        features = ["sparse"] * bool(rows) + ["none"] * bool(without) + ["constraints"] * bool(constraint)
        features += ["learning_rate"] * bool(events)

        def played(
            s: Steps,
            pattern: str = pattern,
            without: Sequence[int] = without,
            rows: Any = rows,
            events: list[Document] = events,
        ) -> list[Document]:
            steps = [attempt(event) for event in s.many(pattern)]
            if rows:
                steps[1] = attempt(s.rows(rows))
                steps[4] = attempt(s.rows(rows[:1]))
            if without:
                for i in (0, 3):
                    steps[i]["attempt"]["apply"][without[0]] = None
            return [*steps[:3], *(attempt(event) for event in events), *steps[3:]]

        flags = ["combination", *["constraint"] * bool(constraint), *["duplicate-indices"] * bool(rows)]
        case = make.case(
            played, config if own else {}, given, features, flags, constraints=[constraint, constraint], inner=inner
        )
        yield "combined-" + "+".join(filter(None, names)), case


def experimental_cases(make: MakerV1) -> Iterator[Case]:
    """TF 2.4's experimental wrapper: every kind of scale, and some of the life of one."""
    scales: dict[str, Any] = {
        "dynamic": "dynamic",
        "8": 8,
        "8.0": 8.0,
        "0.5": 0.5,
        "true": True,
        "fixed": {"class_name": "FixedLossScale", "config": {"loss_scale_value": 8.0}},
        "fixed-1": {"class_name": "FixedLossScale", "config": {"loss_scale_value": 1}},
        "of-defaults": {"class_name": "DynamicLossScale", "config": {}},
        "of-3-after-1": {
            "class_name": "DynamicLossScale",
            "config": {"initial_loss_scale": 3.0, "increment_period": 1},
        },
        "of-8-after-2.5": {
            "class_name": "DynamicLossScale",
            "config": {"initial_loss_scale": 8, "increment_period": 2.5},
        },
    }
    names = ("dynamic", "initial_scale", "dynamic_growth_steps", "loss_scale", "dynamic_counter", "learning_rate")
    seen = look(*names)
    for name, scale in scales.items():
        yield (
            f"loss_scale={name}",
            make.case(played(seen, "ffif", seen), given={"loss_scale": scale}, shapes=ONE),
        )
    yield "grows-after-2", make.case(lambda s: s.many("ffifffnmfiff"))
    yield "none-of-all", make.case(lambda s: [attempt(s.apply(without=[0, 1])), s.apply()], features=["none"])
    yield "set-learning_rate", make.case(lambda s: [*s.many("f"), {"set": {"learning_rate": 0.5}}, *s.many("f")])
    yield "rows+duplicates", make.case(lambda s: [s.rows([1, 1])], None, None, ["sparse"], ["duplicate-indices"])
    inside = make.described({"class_name": "SGD", "config": SGD}, {"loss_scale": 8.0})
    yield "nested", make.case(lambda s: s.many("f"), inner=inside, flags=["nested"])
    yield from refused(make)
