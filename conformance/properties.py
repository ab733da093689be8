"""Properties of an optimizer that hold whatever the numbers: each a plain function with an id and a sentence.

    registered()["P-18"].check(Subject(implementation), case)      raises Broken if the case breaks it

A property says for which editions and optimizers it holds; `but` names the others, each with the reason.  The case is
all that a property is given: what it compares the case with, it makes of the case itself, so that one case as JSON
is enough to see it broken again (replay.py).  life_properties.py has those of whole lives and of schedules,
resume_properties.py those of handing over.

Numbers are compared to the bit, but for the sign of zero, unless a property says how far they may be apart.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from goldenstep import spec
from goldenstep.golden.codec import array, flat, gradient, unflat
from goldenstep.golden.compare import expected_layout, full_config
from goldenstep.golden.drawing import FEATURES
from goldenstep.spec.layout import Entry

from .answers import NoAnswerError, UnsupportedError, misshapen
from .drawn_calls import Asked, called_optimizers
from .exposure import exposed
from .implementations import Implementation
from .lives import Calls, Life, in_release, lives, schedule_lives
from .strategies import AVERAGING, CLIPPING, NAMES, PIPELINE, VECTORS, Drawing, arguments_of, cases, needed
from .variations import Varied, names, variations
from .verdict import Asking, Verdict, fails, judge

Document = dict[str, Any]
Array = np.ndarray
Change = Callable[[Array], Array]
Drawn = Drawing | Life | Calls | Varied | Asked


class Broken(AssertionError):  # noqa: N818
    """A case breaks a property; the message says where."""


class Inapplicable(Exception):  # noqa: N818
    """A case has nothing that a property speaks about."""


@dataclass(frozen=True)
class But:
    """Where a property does not hold, and why."""

    because: str
    optimizers: Sequence[str]
    editions: Sequence[str] = tuple(spec.editions())


@dataclass(frozen=True)
class Property:
    """A property: its sentence, where it holds, what cases it is judged on, and the check."""

    id: str
    sentence: str
    check: Callable[[Subject, Document], None]
    drawing: Drawn
    optimizers: Sequence[str]
    editions: Sequence[str]
    but: Sequence[But]

    def holds_for(self, edition: str) -> list[str]:
        """The optimizers of an edition, or the schedules, wrappers or kinds of cases, that have this property."""
        if edition not in self.editions:
            return []
        if isinstance(self.drawing, Calls):
            return [name for name in in_release(edition) if name in self.drawing.names]
        if isinstance(self.drawing, Varied):
            return list(names(self.drawing.kind, edition))
        excepted = {name for but in self.but if edition in but.editions for name in but.optimizers}
        needs = set(self.drawing.needs) if isinstance(self.drawing, Drawing) else set()
        able = [name for name in spec.available(edition) if needs <= set(arguments_of(edition, name))]
        return [name for name in able if name in self.optimizers and name not in excepted]

    def cases(self, edition: str, chosen: tuple[str, ...]) -> st.SearchStrategy[Document]:
        """What it is judged on: cases of these optimizers, or schedules, of an edition."""
        if isinstance(self.drawing, Calls):
            return schedule_lives(edition, chosen, self.drawing)
        if isinstance(self.drawing, Varied):
            return variations(edition, chosen, self.drawing)
        if isinstance(self.drawing, Asked):
            return called_optimizers(edition, chosen, self.drawing)
        if isinstance(self.drawing, Life):
            return lives(edition, chosen, self.drawing)
        return cases(edition, chosen, self.drawing)


PROPERTIES: dict[str, Property] = {}


def registered() -> dict[str, Property]:
    """Every property by its id."""
    importlib.import_module(f"{__package__}.life_properties")
    importlib.import_module(f"{__package__}.resume_properties")
    importlib.import_module(f"{__package__}.varied_properties")
    importlib.import_module(f"{__package__}.corner_properties")
    importlib.import_module(f"{__package__}.remote_properties")
    importlib.import_module(f"{__package__}.overlooked_properties")
    return PROPERTIES


ALL = tuple(spec.optimizers())
LEGACY = tuple(edition for edition in spec.editions() if edition == "tf2.4" or edition.endswith(".legacy"))
NEW = ("tf2.9", "tf2.12", "tf2.15", "keras3")
DECAYING = ("tf2.12", "tf2.15", "keras3")


def without(*names: str, among: Sequence[str] = ALL) -> tuple[str, ...]:
    """All names but these."""
    return tuple(name for name in among if name not in names)


def keeping(identity: str, drawing: Drawn | None = None, **where: Any) -> Callable[[Any], Any]:
    """Register a check as a property; its docstring is the sentence."""

    def register(check: Callable[[Subject, Document], None]) -> Callable[[Subject, Document], None]:
        given = {"optimizers": ALL, "editions": tuple(spec.editions()), "but": (), **where}
        PROPERTIES[identity] = Property(identity, check.__doc__ or "", check, drawing or Drawing(), **given)
        return check

    return register


# ---- what a check works with -------------------------------------------------------------------------------


@dataclass
class Step:
    """Variables and state after a step, the state by kind or slot and by the variable that it belongs to."""

    variables: list[Array]
    state: dict[tuple[str, int | None], Array]

    def slots(self, owner: int | None = None) -> dict[str, Array]:
        """The slots of one variable, without what the pipeline keeps."""
        kept = ("iteration", "learning_rate", "average", "gradient_accumulator")
        return {slot: value for (slot, whose), value in self.state.items() if whose == owner and slot not in kept}


class Subject:
    """The implementation under test, as the checks see it."""

    def __init__(self, implementation: Implementation, errata: str = "shipped", tolerance: int | None = None) -> None:
        self.implementation = implementation
        self.errata = errata
        self.tolerance = tolerance
        self.refused = ""
        self._asked = Asking(implementation)

    def run(self, case: Document) -> Document:
        """The trajectory of a case that must not fail."""
        trajectory = self.answer(case)
        shape = misshapen(case, trajectory)
        if shape:
            raise Broken(str(shape))
        if "error" in trajectory:
            error = trajectory["error"]
            raise Broken(f"{error['type']} at {error['stage']}: {error['message']}")
        return trajectory

    def answer(self, case: Document) -> Document:
        """The trajectory of a case, whether it fails or not."""
        case = featured(case)
        reason = self.implementation.supports(case)
        if not reason and exposed(self.implementation, case) is not None:
            reason = "properties speak about the whole state, and this shows a part of it"
        if reason:
            self.refused = reason
            raise Inapplicable(reason)
        try:
            return self._asked.run(case)
        except UnsupportedError as unsupported:
            self.refused = str(unsupported)
            raise Inapplicable(str(unsupported)) from unsupported
        except NoAnswerError as none:
            raise Broken(f"{none.kind}: {none}") from none

    def play(self, case: Document) -> list[Step]:
        """The steps of a case."""
        entries, steps = expected_layout(case), self.run(case)["steps"]
        return [decoded(case, entries, step) for step in steps]


def featured(case: Document) -> Document:
    """The case with every feature that its config and its events ask for: a check may have changed both."""
    if "optimizer" not in case:
        return case
    features = dict.fromkeys([*case["features"], *needed(case["optimizer"]["config"], case["events"])])
    return {**case, "features": list(features)}


def decoded(case: Document, entries: list[Entry], step: Document) -> Step:
    """A recorded step as arrays; Broken if it does not have the specified parts."""
    if len(step["state"]) != len(entries) or len(step["variables"]) != len(case["variables"]):
        raise Broken(f"the state has {len(step['state'])} entries, expected {len(entries)}")
    try:
        variables = [
            unflat(values, v["value"]["dtype"], tuple(v["value"]["shape"]))
            for values, v in zip(step["variables"], case["variables"], strict=True)
        ]
        state = {
            (entry.slot or entry.kind, entry.owner): unflat(values, entry.dtype, entry.shape)
            for values, entry in zip(step["state"], entries, strict=True)
        }
    except ValueError as error:
        raise Broken(str(error)) from error
    return Step(variables, state)


def same(expected: Array, got: Array, where: str) -> None:
    """Broken unless both arrays hold the same numbers."""
    if not np.array_equal(expected, got, equal_nan=expected.dtype.kind == "f"):
        differ = ~((expected == got) | (np.isnan(expected) & np.isnan(got))) if expected.shape == got.shape else [True]
        element = int(np.argmax(differ))
        pair = [flat(x)[element] if x.size > element else "nothing" for x in (expected, got)]
        raise Broken(f"{where}[{element}]: expected {pair[0]}, got {pair[1]}")


def near(expected: Array, got: Array, allowed: Array | float, where: str) -> None:
    """Broken unless the numbers are at most so far apart; where nothing finite is expected, anything goes."""
    with np.errstate(all="ignore"):
        distance = np.abs(got.astype(np.float64) - expected)
        far = np.isfinite(expected) & ~(distance <= allowed)
    if np.any(far):
        element = int(np.argmax(far))
        raise Broken(f"{where}[{element}]: expected {expected.ravel()[element]:.9g}, got {got.ravel()[element]:.9g}")


def same_steps(
    case: Document,
    expected: Sequence[Step],
    got: Sequence[Step],
    variables: bool = True,
    state: Callable[[str], bool] = lambda kind: True,
    change: Change = lambda x: x,
) -> None:
    """Broken unless both runs have the same variables and the same state, as far as both have it."""
    if len(expected) != len(got):
        raise Broken(f"{len(got)} steps, expected {len(expected)}")
    for number, (one, other) in enumerate(zip(expected, got, strict=True), 1):
        for (kind, owner), value in one.state.items():
            if state(kind) and (kind, owner) in other.state:
                of = f" of {case['variables'][owner]['name']}" if owner is not None else ""
                same(change(value), change(other.state[kind, owner]), f"step {number}, {kind}{of}")
        if variables:
            for v, a, b in zip(case["variables"], one.variables, other.variables, strict=True):
                same(change(a), change(b), f"step {number}, {v['name']}")


def is_slot(kind: str) -> bool:
    """Does the rule keep it, rather than the pipeline?"""
    return kind not in ("iteration", "learning_rate", "average", "gradient_accumulator")


def configured(case: Document, **changes: Any) -> Document:
    """The case with other arguments; None takes an argument away."""
    config = {**case["optimizer"]["config"], **changes}
    config = {name: value for name, value in config.items() if value is not None or name not in changes}
    return {**case, "optimizer": {**case["optimizer"], "config": config}}


def mapped(case: Document, weights: Change = lambda w: w, gradients: Change = lambda g: g) -> Document:
    """The case with a function applied to each first value and to each gradient; shapes may change."""
    arrays = [array(v["value"]) for v in case["variables"]]
    new = [np.asarray(weights(a), a.dtype) for a in arrays]
    variables = [
        {**v, "value": {**v["value"], "shape": list(a.shape), "values": flat(a)}}
        for v, a in zip(case["variables"], new, strict=True)
    ]

    def changed(encoded: Any, like: Array) -> Any:
        value = dense(encoded, like)
        return None if value is None else flat(np.asarray(gradients(value), value.dtype))

    events = [{"apply": [changed(g, a) for g, a in zip(e["apply"], arrays, strict=True)]} for e in case["events"]]
    return {**case, "variables": variables, "events": events}


def dense(encoded: Any, like: Array) -> Array | None:
    """A gradient of a case as an array, or None where there is none."""
    value = gradient(encoded, like)
    if value is not None and not isinstance(value, np.ndarray):
        raise Inapplicable("a sparse gradient")
    return value


def gradients_of(case: Document) -> list[list[Array]]:
    """The gradients of every step, as arrays."""
    arrays = [array(v["value"]) for v in case["variables"]]
    found = [[dense(g, a) for g, a in zip(e["apply"], arrays, strict=True)] for e in case["events"]]
    return [[g for g in step if g is not None] for step in found]


def picked(case: Document, order: Sequence[int]) -> Document:
    """The case with only these of its variables, in this order."""
    events = [{"apply": [event["apply"][i] for i in order]} for event in case["events"]]
    return {**case, "variables": [case["variables"][i] for i in order], "events": events}


def first(case: Document, steps: int) -> Document:
    """The first steps of the case."""
    return {**case, "events": case["events"][:steps]}


def argument(case: Document, name: str) -> Any:
    """The value of an argument, the default if the config does not say."""
    return full_config(case)[name]


def from_zero(case: Document) -> Document:
    """The case with variables that start at 0: what they become is what they were moved by."""
    return mapped(case, weights=np.zeros_like)


def finite(*arrays: Array) -> bool:
    """Are all numbers finite?"""
    return all(bool(np.isfinite(a).all()) for a in arrays)


FULL = ("float32", "float64")
NO_DECAY = (("weight_decay", (0.0,)), ("adam_weight_decay", (0.0,)))
AVERAGED = (("use_ema", (True,)), ("ema_momentum", (0.5, 0.9, 0.99, 0.3)))
UNAVERAGED = without(*AVERAGING, among=PIPELINE)
SIMPLE = without("gradient_accumulation_steps", among=UNAVERAGED)
ONE_BY_ONE = without("clipnorm", "global_clipnorm", among=PIPELINE)
"""Options that treat every element alone."""

ROOTS = "the square root is taken in packets of 8, and otherwise for what is left over"
POWERS = "powers are taken in packets, and otherwise for what is left over"
IN_PACKETS = (
    But(ROOTS, without("SGD", "Adamax"), ("tf2.4",)),
    But(ROOTS, ("Adadelta",), without("tf2.4", among=LEGACY)),
    But(ROOTS, ("RMSprop",), ("tf2.12", "tf2.15")),
    But(POWERS, ("Ftrl",)),
)
ELEMENTWISE = without("Adafactor", "Lamb", "Muon")
ANEW = But("the weights are computed anew from the sums of all gradients", ("Ftrl",))
RECOVERED = But("the weights are taken apart and put together again, with rounding", ("ScheduleFreeAdamW",))
SHIPPED_DECAY = But("as shipped the weights keep only what they should lose (ADAMW-2)", ("AdamW",), ("tf2.9",))


# ---- the implementation as a whole -------------------------------------------------------------------------


@keeping("P-01", Drawing(missing=True, extreme=True, at_zero=True))
def equals_the_reference(subject: Subject, case: Document) -> None:
    """The trajectory is that of the reference: to the bit, within the stated bound, or as a port's tolerance asks."""
    from .pristine import pristine

    case = featured(case)
    record = judge(subject.implementation, case, pristine().run(case), subject.errata, subject.tolerance)
    if record.verdict is Verdict.UNSUPPORTED:
        subject.refused = record.reason
        raise Inapplicable(record.reason)
    if fails(record, subject.errata):
        raise Broken(f"{record.verdict.value}: {record.reason}")


@keeping("P-02")
def the_state_is_laid_out_as_specified(subject: Subject, case: Document) -> None:
    """Every entry of the state has the specified name, dtype, shape and place, and every call is recorded."""
    expected = [{"name": e.name, "dtype": e.dtype, "shape": list(e.shape)} for e in expected_layout(case)]
    trajectory = subject.run(case)
    for index, (e, g) in enumerate(zip(expected, trajectory["layout"], strict=False)):
        if e != g:
            raise Broken(f"entry {index}: expected {e}, got {g}")
    if len(trajectory["layout"]) != len(expected):
        raise Broken(f"the state has {len(trajectory['layout'])} entries, expected {len(expected)}")
    numbers = [step["step"] for step in trajectory["steps"]]
    if numbers != list(range(1, len(case["events"]) + 1)):
        raise Broken(f"steps {numbers} are recorded of {len(case['events'])}")


@keeping("P-03", Drawing(extreme=True))
def dtypes_and_shapes_are_kept(subject: Subject, case: Document) -> None:
    """After every step, every variable and slot holds as many numbers as at first, each one of its own dtype."""
    trajectory, entries = subject.run(case), expected_layout(case)
    for step in trajectory["steps"]:
        decoded(case, entries, step)
        dtypes = [*(v["value"]["dtype"] for v in case["variables"]), *(entry.dtype for entry in entries)]
        for dtype, numbers in zip(dtypes, [*step["variables"], *step["state"]], strict=True):
            if not held(numbers, dtype):
                raise Broken(f"step {step['step']}: {numbers} are no numbers of {dtype}")


def held(numbers: list[Any], dtype: str) -> bool:
    """Are these numbers of a dtype: the shortest decimals that read back to their bits, or all of their digits?"""
    values = unflat(numbers, dtype, (len(numbers),))
    shortest, exact = flat(values), flat(values.astype(np.float64))
    return all(n in pair or n == "-0" for n, *pair in zip(numbers, shortest, exact, strict=True))


@keeping("P-04", Drawing(missing=True))
def the_iteration_counts_the_calls(subject: Subject, case: Document) -> None:
    """After the nth call the iteration is n."""
    for number, step in enumerate(subject.play(case), 1):
        if step.state["iteration", None] != number:
            raise Broken(f"step {number}: the iteration is {step.state['iteration', None]}")


@keeping("P-05", Drawing(missing=True, extreme=True))
def two_runs_are_equal(subject: Subject, case: Document) -> None:
    """The same case gives the same trajectory again, to the sign of zero."""
    one, other = (subject.answer(case) for _ in range(2))
    if str(one) != str(other):
        steps = zip(one["steps"], other["steps"], strict=False)
        raise Broken(f"step {next((a['step'] for a, b in steps if str(a) != str(b)), None)} differs")


@keeping("P-06")
def inputs_are_left_alone(subject: Subject, case: Document) -> None:
    """Neither the case, nor a gradient or a first value that is handed over, changes."""
    before = copy.deepcopy(case)
    subject.run(case)
    if case != before:
        raise Broken("the case has changed")
    implementation: Any = subject.implementation
    if hasattr(implementation, "construct"):
        begun = [array(v["value"]) for v in case["variables"]]
        kept = [value.copy() for value in begun]
        optimizer = implementation.construct(case)
        variables = [
            implementation.variable(value, v["name"], v.get("constraint"), case["edition"])
            for value, v in zip(begun, case["variables"], strict=True)
        ]
        for gradients in gradients_of(case):
            given = [implementation.tensor(g) for g in gradients]
            copies = [g.copy() for g in gradients]
            optimizer.apply_gradients(list(zip(given, variables, strict=True)))
            for tensor, value in zip(given, copies, strict=True):
                same(value, np.asarray(tensor), "a gradient")
        for first_value, value in zip(begun, kept, strict=True):
            same(value, first_value, "a first value")


@keeping("P-07", Drawing(steps=(2, 4), missing=True))
def the_past_does_not_depend_on_the_future(subject: Subject, case: Document) -> None:
    """The first steps are the same, whether more follow or not."""
    same_steps(case, subject.play(case)[:-1], subject.play(first(case, len(case["events"]) - 1)))


@keeping(
    "P-08",
    Drawing(steps=(2, 4), missing=True),
    but=[But("u_product's count is not among the variables (NADAM-6)", ("Nadam",), ("tf2.9", "tf2.12", "tf2.15"))],
)
def a_resumed_run_goes_on_the_same(subject: Subject, case: Document) -> None:
    """A new optimizer that is given the variables and the state of any step takes the next one just the same."""
    trajectory, entries = subject.run(case), expected_layout(case)
    for before, after, event in zip(trajectory["steps"], trajectory["steps"][1:], case["events"][1:], strict=False):
        resumed = subject.run({**case, "events": [{"load": before}, event]})["steps"]
        same_steps(case, [decoded(case, entries, after)], [decoded(case, entries, step) for step in resumed])


@keeping("P-09", Drawing(missing=True))
def saying_a_default_changes_nothing(subject: Subject, case: Document) -> None:
    """An argument that is given its default is as good as one that is left out."""
    optimizer, edition, expected = case["optimizer"]["class_name"], case["edition"], subject.play(case)
    known = {a["name"] for a in spec.arguments(optimizer, edition)} - {"name"}
    everything = {name: value for name, value in full_config(case).items() if name in known}
    own = {name: everything[name] for name in everything if name in spec.hyperparameters(optimizer, edition)}
    same_steps(case, expected, subject.play(spelled(case, own)))
    features = dict.fromkeys([*case["features"], *(FEATURES[name] for name in everything if name in FEATURES)])
    with contextlib.suppress(Inapplicable):  # who has not all options has nothing to say about their defaults
        same_steps(case, expected, subject.play({**spelled(case, everything), "features": list(features)}))


def spelled(case: Document, config: Document) -> Document:
    """The case with more of its arguments said."""
    return {**case, "optimizer": {**case["optimizer"], "config": {**config, **case["optimizer"]["config"]}}}


# ---- variables, and elements within them -------------------------------------------------------------------


@keeping("P-10", Drawing(variables=(2, 3), pipeline=without("global_clipnorm", among=PIPELINE)))
def the_order_of_variables_does_not_matter(subject: Subject, case: Document) -> None:
    """Variables that are handed over in the reverse order move the same."""
    order = range(len(case["variables"]))[::-1]
    steps = [
        Step(
            [step.variables[i] for i in order],
            {(kind, None if i is None else order[i]): value for (kind, i), value in step.state.items()},
        )
        for step in subject.play(picked(case, order))
    ]
    same_steps(case, subject.play(case), steps)


@keeping("P-11", Drawing(variables=(2, 3), pipeline=without("global_clipnorm", among=PIPELINE)))
def variables_do_not_depend_on_each_other(subject: Subject, case: Document) -> None:
    """A variable moves as it would alone."""
    alone = picked(case, [0])
    together = [Step(step.variables[:1], step.state) for step in subject.play(case)]
    same_steps(alone, subject.play(alone), together)


@keeping("P-12", Drawing(variables=(1, 1), fixed=("exclude_layers", "exclude_embeddings")))
def equal_variables_stay_equal(subject: Subject, case: Document) -> None:
    """Two variables with the same values and the same gradients have the same trajectories."""
    twins = picked(case, [0, 0])
    twins["variables"] = [{**v, "name": name} for v, name in zip(twins["variables"], NAMES, strict=False)]
    for number, step in enumerate(subject.play(twins), 1):
        same(step.variables[0], step.variables[1], f"step {number}, the twin")
        for (one, a), (_, b) in zip(step.slots(0).items(), step.slots(1).items(), strict=True):
            same(a, b, f"step {number}, {one} of the twin")


@keeping("P-13", Drawing(variables=(2, 3), steps=(2, 4), pipeline=SIMPLE))
def without_a_gradient_nothing_moves(subject: Subject, case: Document) -> None:
    """A variable that has no gradient in a step stays as it is, and so do its slots."""
    absent = len(case["variables"]) - 1
    last = {"apply": [*case["events"][-1]["apply"][:-1], None]}
    before, after = subject.play({**case, "events": [*case["events"][:-1], last]})[-2:]
    same(before.variables[absent], after.variables[absent], case["variables"][absent]["name"])
    for slot, value in before.slots(absent).items():
        same(value, after.slots(absent)[slot], slot)


@keeping("P-14", Drawing(variables=(2, 3), shapes=VECTORS, pipeline=ONE_BY_ONE), optimizers=ELEMENTWISE, but=IN_PACKETS)
def variables_may_be_joined(subject: Subject, case: Document) -> None:
    """Vectors move as one vector does that holds them all."""
    arrays = [array(v["value"]) for v in case["variables"]]
    joined = np.concatenate(arrays)
    value = {**case["variables"][0]["value"], "shape": [joined.size], "values": flat(joined)}
    events = [{"apply": [[x for g in event["apply"] for x in g]]} for event in case["events"]]
    one = {**case, "variables": [{"name": NAMES[0], "value": value}], "events": events}
    for number, (apart, together) in enumerate(zip(subject.play(case), subject.play(one), strict=True), 1):
        same(np.concatenate(apart.variables), together.variables[0], f"step {number}, the joined variable")
        for slot, whole in together.slots(0).items():
            parts = [apart.slots(i)[slot] for i in range(len(arrays))]
            same(np.concatenate(parts), whole, f"step {number}, {slot} of the joined variable")


@keeping("P-15", optimizers=without("Adafactor", "Muon"))
def the_shape_does_not_matter(subject: Subject, case: Document) -> None:
    """A variable of any shape moves as the vector of its elements does."""
    flattened = mapped(case, np.ravel, np.ravel)
    same_steps(case, subject.play(case), subject.play(flattened), change=np.ravel)


@keeping("P-16", Drawing(shapes=VECTORS, pipeline=ONE_BY_ONE), optimizers=ELEMENTWISE, but=IN_PACKETS)
def the_place_of_an_element_does_not_matter(subject: Subject, case: Document) -> None:
    """A vector with its elements in the reverse order moves the same."""

    def turned(x: Array) -> Array:
        return x[::-1]

    steps = subject.play(mapped(case, turned, turned))
    for step in steps:
        step.variables = [turned(v) for v in step.variables]
        step.state = {key: value if key[1] is None else turned(value) for key, value in step.state.items()}
    same_steps(case, subject.play(case), steps)


@keeping("P-17", Drawing(pipeline=ONE_BY_ONE), optimizers=ELEMENTWISE)
def elements_do_not_depend_on_each_other(subject: Subject, case: Document) -> None:
    """If the last element of a variable and its gradients are others, the rest moves the same."""

    def changed(x: Array) -> Array:
        y = x.ravel().copy()
        y[-1:] = y[-1:] * x.dtype.type(-0.75)
        return y.reshape(x.shape)

    other = subject.play(mapped(case, changed, changed))
    same_steps(case, subject.play(case), other, state=is_slot, change=lambda x: x.ravel()[:-1])


# ---- the rules ---------------------------------------------------------------------------------------------

IDLE = Drawing(
    dtypes=FULL,
    config=NO_DECAY,
    fixed=("l2_shrinkage_regularization_strength",),
    pipeline=without("ema_overwrite_frequency", "weight_decay", among=PIPELINE),
)


@keeping("P-18", IDLE, but=(ANEW, RECOVERED))
def without_slope_weights_stay(subject: Subject, case: Document) -> None:
    """Where all gradients have been 0, and weights don't decay, the variables stay where they are."""
    for number, step in enumerate(subject.play(mapped(case, gradients=np.zeros_like)), 1):
        for variable, value in zip(case["variables"], step.variables, strict=True):
            same(array(variable["value"]), value, f"step {number}, {variable['name']}")


@keeping("P-19", IDLE, optimizers=without("Adafactor"))
def without_slope_slots_stay(subject: Subject, case: Document) -> None:
    """Where all gradients have been 0, every slot of a variable has its first value, unless FTRL divides 0 by 0."""
    if case["optimizer"]["class_name"] == "Ftrl" and argument(case, "initial_accumulator_value") == 0:
        raise Inapplicable("the divisor is 0")
    starts = {(e.slot, e.owner): e.start for e in expected_layout(case) if e.kind == "slot" and e.owner is not None}
    for number, step in enumerate(subject.play(mapped(case, gradients=np.zeros_like)), 1):
        for (slot, owner), start in starts.items():
            value = step.state[str(slot), owner]
            assert owner is not None
            begun = array(case["variables"][owner]["value"]) if start == "variable" else np.full_like(value, start)
            same(begun, value, f"step {number}, {slot}")


@keeping("P-20")
def left_and_right_are_alike(subject: Subject, case: Document) -> None:
    """With all weights and gradients negated, the weights are negated and no slot changes but for its sign."""
    mirrored = subject.play(mapped(case, np.negative, np.negative))
    for step in mirrored:
        step.variables = [-v for v in step.variables]
    kept = subject.play(case)
    same_steps(case, kept, mirrored, state=lambda kind: False)
    same_steps(case, kept, mirrored, variables=False, change=np.abs)


W, G = -1, 2
"""The units of the variables are halved, those of the gradients taken four times."""


@keeping(
    "P-21",
    Drawing(dtypes=FULL, fixed=("learning_rate_power",)),
    but=[
        But("the Newton-Schulz iteration adds 1e-7 to a norm", ("Muon",), ("keras3",)),
        But("epsilon stands for squares of gradients and of weights at once", ("Adadelta",)),
    ],
)
def units_may_be_chosen(subject: Subject, case: Document) -> None:
    """With weights, gradients and every argument in other units, by powers of two, the weights are the same."""
    optimizer, edition = case["optimizer"]["class_name"], case["edition"]
    scaled = {
        name: value * 2.0**power
        for name, value in full_config(case).items()
        if isinstance(value, float)
        and name in arguments_of(edition, optimizer)
        and (power := exponent(optimizer, edition, name, case))
    }
    other = configured(mapped(case, lambda w: w * w.dtype.type(2.0**W), lambda g: g * g.dtype.type(2.0**G)), **scaled)
    steps = subject.play(other)
    for step in steps:
        step.variables = [v * v.dtype.type(2.0**-W) for v in step.variables]
    same_steps(case, subject.play(case), steps, state=lambda kind: False)


def exponent(optimizer: str, edition: str, name: str, case: Document) -> int:
    """The power of two that an argument is multiplied by in the other units."""
    rate = {"SGD": W - G, "Lamb": 0, "Adafactor": 0}.get(optimizer, W)
    if name in CLIPPING or name in ("beta", "l1_regularization_strength"):
        return G
    if name in ("learning_rate", "lr"):
        return rate
    if name == "weight_decay":
        return -rate
    if name in ("initial_accumulator_value", "epsilon_1"):
        return 2 * G
    if name in ("l2_regularization_strength", "l2_shrinkage_regularization_strength"):
        return G - W
    if name == "epsilon_2":
        return W
    if name == "epsilon":
        if optimizer == "RMSprop":
            outside = edition == "tf2.9" or (edition in LEGACY and argument(case, "momentum") == 0)
        else:
            outside = optimizer != "Adagrad" or edition in LEGACY
        return G if outside else 2 * G
    return 0


@keeping(
    "P-22",
    Drawing(
        dtypes=FULL,
        config=(("learning_rate", (0.0,)),),
        fixed=("centered",),
        pipeline=without("ema_overwrite_frequency", among=PIPELINE),
    ),
    but=[
        RECOVERED,
        SHIPPED_DECAY,
        But("the learning rate is a divisor", ("Ftrl",)),
    ],
)
def a_learning_rate_of_0_moves_nothing(subject: Subject, case: Document) -> None:
    """With a learning rate of 0 the variables stay where they are; the decay of weights is scaled by it, too."""
    for number, step in enumerate(subject.play(case), 1):
        for variable, value in zip(case["variables"], step.variables, strict=True):
            same(array(variable["value"]), value, f"step {number}, {variable['name']}")


FIRST_STEP = Drawing(
    steps=(1, 1), dtypes=FULL, config=NO_DECAY, fixed=("centered",), pipeline=(*CLIPPING, "loss_scale_factor", "decay")
)


@keeping("P-23", FIRST_STEP, optimizers=without("Muon"))
def the_first_step_goes_downhill(subject: Subject, case: Document) -> None:
    """A weight that starts at 0 is moved against its first gradient, or not at all."""
    (step,), (gradients,) = subject.play(from_zero(case)), gradients_of(case)
    for variable, w, g in zip(case["variables"], step.variables, gradients, strict=True):
        if not np.all(np.sign(w) * np.sign(g) <= 0):
            raise Broken(f"{variable['name']} has moved to {flat(w)} with gradient {flat(g)}")


@keeping(
    "P-24",
    Drawing(missing=True),
    optimizers=without("SGD", "Lion"),
    but=[But("as shipped v loses the square of a for good (RMSPROP-7)", ("RMSprop",), ("tf2.9",))],
)
def means_of_squares_are_not_negative(subject: Subject, case: Document) -> None:
    """Slots in squared units, and the largest gradient of Adamax, are never below 0."""
    slots = spec.optimizers()[case["optimizer"]["class_name"]]["slots"]
    squares = {name for name, slot in slots.items() if str(slot["unit"]).startswith("squared") or name == "u"}
    for number, step in enumerate(subject.play(case), 1):
        for (slot, _), value in step.state.items():
            if slot in squares and np.any(value < 0):
                raise Broken(f"step {number}, {slot}: {flat(value)}")


@keeping("P-25", Drawing(config=(("amsgrad", (True,)),)), optimizers=("Adagrad", "Ftrl", "Adam", "AdamW"))
def sums_and_maxima_do_not_shrink(subject: Subject, case: Document) -> None:
    """The sum of squares of Adagrad and FTRL, and AMSGrad's maximum, never become less."""
    steps = subject.play(case)
    for number, (before, after) in enumerate(itertools.pairwise(steps), 2):
        for key in [key for key in after.state if key[0] in ("a", "accumulator", "vhat")]:
            if np.any(after.state[key] < before.state[key]):
                raise Broken(f"step {number}, {key[0]}: {flat(after.state[key])} after {flat(before.state[key])}")


MEANS = ("Adam", "AdamW", "Adamax", "Nadam", "Lamb", "Lion")


@keeping("P-26", Drawing(dtypes=FULL, pipeline=("weight_decay", "decay")), optimizers=MEANS)
def a_mean_stays_within_what_it_has_seen(subject: Subject, case: Document) -> None:
    """The mean of gradients is never larger than the largest gradient so far, but for rounding."""
    largest = [np.zeros_like(g) for g in gradients_of(case)[0]]
    for number, (step, gradients) in enumerate(zip(subject.play(case), gradients_of(case), strict=True), 1):
        largest = [np.maximum(m, np.abs(g)) for m, g in zip(largest, gradients, strict=True)]
        for owner, most in enumerate(largest):
            if np.any(np.abs(step.state["m", owner]) > most * (1 + 16 * np.finfo(most.dtype).eps)):
                raise Broken(
                    f"step {number}, m: {flat(step.state['m', owner])} after gradients of at most {flat(most)}"
                )


GROWING = Drawing(steps=(2, 4), fixed=("amsgrad",), pipeline=without(*CLIPPING, among=PIPELINE))


@keeping("P-27", GROWING, optimizers=("Adam", "AdamW"))
def amsgrad_is_idle_while_gradients_grow(subject: Subject, case: Document) -> None:
    """Where every gradient is twice the one before, amsgrad changes nothing."""

    def larger(times: int) -> Document:
        event: Document = mapped(case, gradients=lambda g: g * g.dtype.type(2.0**times))["events"][0]
        return event

    growing = {**case, "events": [larger(times) for times in range(len(case["events"]))]}
    expected = subject.play(configured(growing, amsgrad=False))
    same_steps(case, expected, subject.play(configured(growing, amsgrad=True)))


@keeping("P-28", Drawing(config=(("momentum", (0.0,)),), fixed=("nesterov",)), optimizers=("SGD",))
def nesterov_is_idle_without_momentum(subject: Subject, case: Document) -> None:
    """With a momentum of 0, nesterov changes nothing while gradients are finite."""
    same_steps(case, subject.play(case), subject.play(configured(case, nesterov=True)))


@keeping("P-29", Drawing(steps=(1, 1), dtypes=FULL, pipeline=()), optimizers=("Lion",))
def lion_moves_by_one_size(subject: Subject, case: Document) -> None:
    """Every weight moves by the learning rate, or not at all."""
    (step,) = subject.play(from_zero(case))
    rate = np.float32(argument(case, "learning_rate"))
    for w in step.variables:
        same(np.where(w == 0, w.dtype.type(0), w.dtype.type(rate)), np.abs(w), "size of the step")


@keeping(
    "P-30",
    Drawing(steps=(1, 1), dtypes=FULL, config=NO_DECAY, fixed=("epsilon",), pipeline=()),
    optimizers=("Adam", "AdamW", "Adamax"),
)
def the_first_step_has_the_size_of_the_learning_rate(subject: Subject, case: Document) -> None:
    """Where the gradient is not small, the first step of Adam is as long as the learning rate, to one per cent."""
    (step,), (gradients,) = subject.play(from_zero(case)), gradients_of(case)
    rate = float(argument(case, "learning_rate"))
    for w, g in zip(step.variables, gradients, strict=True):
        near(np.where(np.abs(g) > 2e-3, rate, np.nan), np.abs(w), 0.01 * rate, "size of the step")


@keeping("P-31", Drawing(config=(("momentum", (0.0,)),), pipeline=()), optimizers=("SGD",))
def sgd_is_one_product_and_one_difference(subject: Subject, case: Document) -> None:
    """Without momentum, a step is the weight less the product of gradient and learning rate."""
    weights = [array(v["value"]) for v in case["variables"]]
    for number, (step, gradients) in enumerate(zip(subject.play(case), gradients_of(case), strict=True), 1):
        for index, (w, g) in enumerate(zip(weights, gradients, strict=True)):
            update = g * w.dtype.type(np.float32(argument(case, "learning_rate")))
            weights[index], where = w - update, f"step {number}, {case['variables'][index]['name']}"
            if subject.tolerance is None:
                same(weights[index], step.variables[index], where)
            else:
                units = subject.tolerance * float(np.finfo(w.dtype).eps) * number
                near(weights[index], step.variables[index], units * (np.abs(w) + np.abs(update)), where)


@keeping(
    "P-32",
    Drawing(
        dtypes=FULL,
        fixed=("initial_accumulator_value",),
        config=(("l1_regularization_strength", (2.0**100,)),),
        pipeline=(),
    ),
    optimizers=("Ftrl",),
)
def a_large_l1_makes_every_weight_0(subject: Subject, case: Document) -> None:
    """Where the sum of gradients is below l1_regularization_strength, the weight is 0."""
    for number, step in enumerate(subject.play(case), 1):
        for w in step.variables:
            same(np.zeros_like(w), w, f"step {number}, a weight")


@keeping("P-33", optimizers=("AdamW",), editions=DECAYING)
def adamw_is_adam_with_a_decay(subject: Subject, case: Document) -> None:
    """AdamW moves as Adam does with the same weight_decay."""
    adam = configured(case, weight_decay=argument(case, "weight_decay"))
    adam["optimizer"]["class_name"] = "Adam"
    same_steps(case, subject.play(case), subject.play(adam))


MUON_OF_VECTORS = Drawing(shapes=VECTORS, fixed=("adam_lr_ratio", "exclude_layers"))


@keeping("P-34", MUON_OF_VECTORS, optimizers=("Muon",), editions=("keras3",))
def muon_of_vectors_is_adam(subject: Subject, case: Document) -> None:
    """Muon moves what is no matrix as Adam does, with its own betas and weight decay."""
    names = {"adam_beta_1": "beta_1", "adam_beta_2": "beta_2", "adam_weight_decay": "weight_decay"}
    own = {adam: argument(case, muon) for muon, adam in names.items()}
    shared = {
        name: value for name, value in case["optimizer"]["config"].items() if name in arguments_of("keras3", "Adam")
    }
    config = {**shared, **own, "learning_rate": argument(case, "learning_rate")}
    adam = {**case, "optimizer": {"class_name": "Adam", "config": config}}
    same_steps(case, subject.play(case), subject.play(adam))


@keeping("P-35", Drawing(fixed=("relative_step",)), optimizers=("Adafactor",))
def relative_step_is_idle(subject: Subject, case: Document) -> None:
    """As shipped, relative_step changes nothing (ADAFACTOR-5)."""
    same_steps(case, subject.play(case), subject.play(configured(case, relative_step=False)))


# ---- the pipeline ------------------------------------------------------------------------------------------


@keeping(
    "P-36",
    Drawing(pipeline=without("weight_decay", among=PIPELINE)),
    optimizers=without("AdamW", "Muon"),
    editions=DECAYING,
)
def a_decay_of_0_is_none(subject: Subject, case: Document) -> None:
    """weight_decay = 0 is as good as none."""
    same_steps(case, subject.play(case), subject.play(configured(case, weight_decay=0.0)))


DECAYS = (("weight_decay", (0.1, 0.5)), ("adam_weight_decay", (0.1, 0.5)))


@keeping(
    "P-37",
    Drawing(config=DECAYS, needs=("weight_decay",), pipeline=SIMPLE),
    editions=(*DECAYING, "tf2.9"),
    but=[But(ANEW.because, ("Ftrl",), DECAYING)],
)
def the_decay_stays_out_of_the_slots(subject: Subject, case: Document) -> None:
    """The slots are the same whether weights decay or not."""
    adam = {"adam_weight_decay": 0.0} if case["optimizer"]["class_name"] == "Muon" else {}
    firm = configured(case, weight_decay=0.0, **adam)
    same_steps(case, subject.play(firm), subject.play(case), variables=False, state=is_slot)


@keeping(
    "P-38",
    Drawing(dtypes=FULL, config=(*DECAYS, ("learning_rate", (1.0, 0.1))), pipeline=SIMPLE),
    optimizers=without("Muon"),
    editions=DECAYING,
    but=(ANEW, RECOVERED),
)
def a_decay_takes_its_share(subject: Subject, case: Document) -> None:
    """Where all gradients are 0, every step takes the share learning_rate * weight_decay of each weight."""
    weights = [array(v["value"]) for v in case["variables"]]
    share = argument(case, "weight_decay") * argument(case, "learning_rate")
    for number, step in enumerate(subject.play(mapped(case, gradients=np.zeros_like)), 1):
        for before, after in zip(weights, step.variables, strict=True):
            allowed = 3 * np.finfo(before.dtype).eps * np.abs(before) + 2.0**-22 * share * np.abs(before)
            near(before.astype(np.float64) * (1 - share), after, allowed, f"step {number}, a weight")
        weights = step.variables


CLIPPED = without(*CLIPPING, "gradient_accumulation_steps", "loss_scale_factor", among=PIPELINE)


@keeping("P-39", Drawing(config=(("clipvalue", (0.5, 1.25)),), pipeline=CLIPPED))
def clipping_by_value_comes_first(subject: Subject, case: Document) -> None:
    """clipvalue is as good as gradients that were cut to that range beforehand."""
    limit = (
        argument(case, "clipvalue") if "clipvalue" in full_config(case) else case["optimizer"]["config"]["clipvalue"]
    )
    beforehand = mapped(case, gradients=lambda g: np.clip(g, -g.dtype.type(limit), g.dtype.type(limit)))
    same_steps(case, subject.play(configured(beforehand, clipvalue=None)), subject.play(case))


SEEN_THROUGH_SGD = (("learning_rate", (1.0,)), ("momentum", (0.0,)))


def first_steps(subject: Subject, case: Document) -> Iterator[tuple[Array, Array]]:
    """The step that each variable takes from 0 and its gradient, in float64."""
    (step,), (gradients,) = subject.play(from_zero(case)), gradients_of(case)
    for w, g in zip(step.variables, gradients, strict=True):
        yield -w.astype(np.float64), g.astype(np.float64)


@keeping(
    "P-40",
    Drawing(steps=(1, 1), dtypes=FULL, pipeline=(), config=(*SEEN_THROUGH_SGD, ("clipnorm", (0.5, 1.3)))),
    optimizers=("SGD",),
)
def each_norm_is_clipped(subject: Subject, case: Document) -> None:
    """clipnorm shortens each gradient to that norm if it is longer, keeps its direction, and leaves shorter ones."""
    limit = case["optimizer"]["config"]["clipnorm"]
    for clipped, g in first_steps(subject, case):
        scale = limit / max(float(np.linalg.norm(g)), limit)
        near(g * scale, clipped, 1e-5 * np.abs(g) * scale, "the clipped gradient")


@keeping(
    "P-41",
    Drawing(steps=(1, 1), dtypes=FULL, pipeline=(), config=(*SEEN_THROUGH_SGD, ("global_clipnorm", (0.5, 1.3)))),
    optimizers=("SGD",),
)
def the_norm_of_all_is_clipped(subject: Subject, case: Document) -> None:
    """global_clipnorm scales all gradients by one factor, down to that norm of them all together."""
    pairs, limit = list(first_steps(subject, case)), case["optimizer"]["config"]["global_clipnorm"]
    norm = float(np.linalg.norm([np.linalg.norm(g) for _, g in pairs]))
    for clipped, g in pairs:
        near(g * (limit / max(norm, limit)), clipped, 1e-5 * np.abs(g), "the clipped gradient")


@keeping("P-42", Drawing(dtypes=FULL, pipeline=without(*CLIPPING, "loss_scale_factor", among=PIPELINE)))
def a_wide_clip_changes_nothing(subject: Subject, case: Document) -> None:
    """A threshold that no gradient reaches, and that is a power of two, changes nothing."""
    expected = subject.play(case)
    for name in CLIPPING:
        same_steps(case, expected, subject.play(configured(case, **{name: 2.0**20})))


@keeping("P-43", Drawing(dtypes=FULL, config=AVERAGED, pipeline=SIMPLE), editions=NEW)
def an_average_stays_within_what_it_has_seen(subject: Subject, case: Document) -> None:
    """An average of weights lies between the least and the greatest that the weight has been, but for rounding."""
    steps, starts = subject.play(case), [array(v["value"]) for v in case["variables"]]
    for number in range(1, len(steps) + 1):
        for owner, start in enumerate(starts):
            seen = np.stack([start, *(step.variables[owner] for step in steps[:number])]).astype(np.float64)
            if not finite(seen):
                continue
            slack = 4 * number * np.finfo(start.dtype).eps * np.abs(seen).max(axis=0)
            average = steps[number - 1].state["average", owner].astype(np.float64)
            middle, reach = (seen.max(axis=0) + seen.min(axis=0)) / 2, (seen.max(axis=0) - seen.min(axis=0)) / 2
            near(middle, average, reach + slack, f"step {number}, average")


@keeping("P-44", Drawing(config=AVERAGED, pipeline=UNAVERAGED), editions=NEW)
def averaging_does_not_touch_the_weights(subject: Subject, case: Document) -> None:
    """With an average that is never written back, variables and slots are the same as without."""
    plain = configured(case, use_ema=None, ema_momentum=None)
    same_steps(case, subject.play(plain), subject.play(case))


@keeping("P-45", Drawing(dtypes=FULL, config=(("use_ema", (True,)), ("ema_momentum", (0.0,)))), editions=NEW)
def an_average_without_memory_is_the_weight(subject: Subject, case: Document) -> None:
    """With ema_momentum = 0 the average is the variable."""
    for number, step in enumerate(subject.play(case), 1):
        for owner, w in enumerate(step.variables):
            if finite(w):
                same(w, step.state["average", owner], f"step {number}, average")


@keeping(
    "P-46", Drawing(dtypes=FULL, config=(("use_ema", (True,)), ("ema_momentum", (1.0,))), pipeline=SIMPLE), editions=NEW
)
def an_average_that_forgets_nothing_stays(subject: Subject, case: Document) -> None:
    """With ema_momentum = 1 the average stays at its first value: the first weights, in keras3 those after a step."""
    steps = subject.play(case)
    for owner, variable in enumerate(case["variables"]):
        begun = steps[0].variables[owner] if case["edition"] == "keras3" else array(variable["value"])
        for number, step in enumerate(steps, 1):
            if finite(*(s.variables[owner] for s in steps[:number])):
                same(begun, step.state["average", owner], f"step {number}, average")


@keeping(
    "P-47",
    Drawing(steps=(2, 4), config=(*AVERAGED, ("ema_overwrite_frequency", (2, 3))), pipeline=SIMPLE),
    editions=NEW,
)
def averages_are_written_back_in_time(subject: Subject, case: Document) -> None:
    """After every ema_overwrite_frequency steps the variables are their averages; until then they are untouched."""
    every = case["optimizer"]["config"]["ema_overwrite_frequency"]
    steps = subject.play(case)
    for number in range(every, len(steps) + 1, every):
        for owner, w in enumerate(steps[number - 1].variables):
            same(steps[number - 1].state["average", owner], w, f"step {number}, {case['variables'][owner]['name']}")
    untouched = first(configured(case, ema_overwrite_frequency=10**6), every - 1)
    same_steps(case, subject.play(untouched), steps[: every - 1])


KERAS3 = ("keras3",)


@keeping("P-48", Drawing(pipeline=SIMPLE), editions=KERAS3)
def equal_gradients_accumulate_to_one(subject: Subject, case: Document) -> None:
    """With gradient_accumulation_steps = 2, two calls with the same gradients do what one call does without."""
    doubled = {**case, "events": [event for event in case["events"] for _ in range(2)]}
    accumulated = configured(doubled, gradient_accumulation_steps=2)
    if subject.tolerance is not None:  # a sum that is stored is rounded, a gradient that is used at once need not be
        equals_the_reference(subject, accumulated)
    else:
        same_steps(case, subject.play(case), subject.play(accumulated)[1::2], state=is_slot)


@keeping(
    "P-49", Drawing(pipeline=SIMPLE, steps=(2, 4), config=(("gradient_accumulation_steps", (2, 3)),)), editions=KERAS3
)
def between_updates_nothing_moves(subject: Subject, case: Document) -> None:
    """A call that only accumulates leaves variables and slots as they are."""
    every = case["optimizer"]["config"]["gradient_accumulation_steps"]
    steps = subject.play(case)
    for number, step in enumerate(steps, 1):
        if number == 1:
            for variable, w in zip(case["variables"], step.variables, strict=True):
                same(array(variable["value"]), w, f"step 1, {variable['name']}")
        elif number % every:
            same_steps(case, [steps[number - 2]], [step], state=is_slot)


@keeping("P-50", Drawing(pipeline=without("loss_scale_factor", among=PIPELINE)), editions=KERAS3)
def a_scaled_loss_is_scaled_back(subject: Subject, case: Document) -> None:
    """Gradients times 8 with loss_scale_factor = 8 do what they do without."""
    scaled = configured(mapped(case, gradients=lambda g: g * g.dtype.type(8)), loss_scale_factor=8.0)
    same_steps(case, subject.play(case), subject.play(scaled))


DECAYED = (("decay", (0.5, 2.0)),)


@keeping("P-51", Drawing(steps=(1, 1), config=DECAYED), editions=LEGACY)
def decay_begins_with_the_second_step(subject: Subject, case: Document) -> None:
    """`decay` does not change the first step."""
    same_steps(case, subject.play(configured(case, decay=None)), subject.play(case))


@keeping("P-52", Drawing(config=DECAYED), editions=LEGACY, optimizers=("Nadam",))
def nadam_takes_decay_and_does_not_use_it(subject: Subject, case: Document) -> None:
    """`decay` does not change any step of Nadam, as shipped."""
    same_steps(case, subject.play(configured(case, decay=None)), subject.play(case))


@keeping(
    "P-53",
    Drawing(config=(("lr", (0.3, 0.01)),)),
    editions=LEGACY,
    but=[But("as shipped it takes `lr` and does not use it", ("Ftrl",))],
)
def lr_is_the_learning_rate(subject: Subject, case: Document) -> None:
    """`lr` stands for learning_rate, and counts if both are given."""
    rate = case["optimizer"]["config"]["lr"]
    same_steps(case, subject.play(configured(case, lr=None, learning_rate=rate)), subject.play(case))
