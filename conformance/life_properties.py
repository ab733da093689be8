"""Properties of whole lives: whatever is called in whatever order, and of schedules. See properties.py.

Here the live comparison with the reference runs over everything that a case can hold; the others need no reference.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from goldenstep import spec
from goldenstep.golden import schedule_cases
from goldenstep.golden.codec import array, flat

from .lives import Calls, Life
from .properties import (
    LEGACY,
    SIMPLE,
    Array,
    Broken,
    But,
    Document,
    Inapplicable,
    Step,
    Subject,
    configured,
    equals_the_reference,
    is_slot,
    keeping,
    near,
    same,
    same_steps,
    without,
)
from .strategies import Drawing

RELEASES = tuple(edition for edition in spec.editions() if edition not in LEGACY or edition == "tf2.4")
SUMMED = (*LEGACY, "tf2.12", "tf2.15")
"""Editions that sum the rows of one index before they do anything else."""


# ---- against the reference -----------------------------------------------------------------------------------


@keeping("P-54", Life())
def a_life_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Whatever happens to the optimizer, in any order, the trajectory is that of the reference."""
    equals_the_reference(subject, case)


@keeping("P-55", Calls(), editions=RELEASES)
def a_schedule_gives_what_the_reference_gives(subject: Subject, case: Document) -> None:
    """A schedule gives the numbers, dtypes and errors of the reference at every step."""
    equals_the_reference(subject, case)


EVERY_DTYPE = ("int64", "float64", "float32", "int32", "float16", "int", "float")


@keeping("P-92", Calls(EVERY_DTYPE, everywhere=True), editions=RELEASES)
def a_schedule_everywhere_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Before step 0, at and beside its boundaries, and far beyond, of any arguments, a schedule is the reference's."""
    equals_the_reference(subject, case)


@keeping("P-66", Life(kinds=("again", "again", "again", "again", "sparse", "iterations"), events=(4, 16)))
def a_steady_life_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Where the same gradients come again and again, the trajectory is that of the reference."""
    equals_the_reference(subject, case)


@keeping("P-67", Life(kinds=("sparse", "sparse", "sparse", "sparse", "apply", "rate", "none"), events=(2, 10)))
def a_life_of_rows_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Where most gradients are sparse, the trajectory is that of the reference."""
    equals_the_reference(subject, case)


# ---- lives that need no reference ----------------------------------------------------------------------------


@keeping("P-56", Life())
def a_life_can_be_lived_again(subject: Subject, case: Document) -> None:
    """Whatever happens, it happens the same again, and the case is left as it was."""
    before = copy.deepcopy(case)
    one, other = (subject.answer(case) for _ in range(2))
    if case != before:
        raise Broken("the case has changed")
    if str(one) != str(other):
        steps = zip(one["steps"], other["steps"], strict=False)
        raise Broken(f"step {next((a['step'] for a, b in steps if str(a) != str(b)), None)} differs")


@keeping("P-57", Life(kinds=("apply", "zero", "zeros", "again", "grown", "sparse"), scheduled=False))
def saying_what_is_changes_nothing(subject: Subject, case: Document) -> None:
    """To set the learning rate and the counter of steps to what they are, before a step, changes nothing."""
    if case["optimizer"]["config"].get("gradient_accumulation_steps"):
        raise Inapplicable("the counter can't be assigned")
    rate = configured(case)["optimizer"]["config"].get("lr", rate_of(case))
    said: list[Document] = [case["events"][0]]
    for number, event in enumerate(case["events"][1:], 1):
        said += [{"set": {"learning_rate": rate}}, {"set_iterations": number}, event]
    expected = lived(subject, case)
    steps = subject.play({**case, "events": said})
    same_steps(case, expected, [steps[0], *steps[3::3]])


def rate_of(case: Document) -> Any:
    """The learning rate of a case, as its variable holds it."""
    optimizer, edition = case["optimizer"]["class_name"], case["edition"]
    default = spec.hyperparameters(optimizer, edition)["learning_rate"]["default"]
    return case["optimizer"]["config"].get("learning_rate", default)


def lived(subject: Subject, case: Document) -> list[Step]:
    """The steps of a case; Inapplicable if the implementation refuses one."""
    if "error" in subject.answer(case):
        raise Inapplicable("it raises")
    return subject.play(case)


@keeping(
    "P-58", Life(kinds=("apply", "some", "again"), scheduled=False, drawing=Drawing(variables=(2, 3), pipeline=SIMPLE))
)
def no_gradient_is_not_being_given(subject: Subject, case: Document) -> None:
    """A variable whose gradient is null moves as if it were not given: not at all."""
    if not any("attempt" in event for event in case["events"]):
        raise Inapplicable("all variables are always given")
    everyone = range(len(case["variables"]))
    nulls = []
    for event in case["events"]:
        inner = event.get("attempt", event)
        given = dict(zip(inner.get("of", everyone), inner["apply"], strict=True))
        nulls.append({"apply": [given.get(i) for i in everyone]})
    same_steps(case, subject.play(case), subject.play({**case, "events": nulls}))


# ---- rows ----------------------------------------------------------------------------------------------------

UNCLIPPED = Life(
    kinds=("sparse", "sparse", "apply"),
    drawing=Drawing(
        pipeline=without("clipvalue", "clipnorm", "global_clipnorm", among=SIMPLE), shapes=((5, 2), (3, 2), (4,))
    ),
    scheduled=False,
)


def sparse_of(case: Document) -> list[Document]:
    """Every sparse gradient of the case; Inapplicable if there is none."""
    found = [g for event in case["events"] for g in event["apply"] if isinstance(g, dict) and "indices" in g]
    if not found:
        raise Inapplicable("no sparse gradient")
    return found


def with_rows(case: Document, change: Any) -> Document:
    """The case with another form of every sparse gradient."""
    events = [
        {"apply": [change(g) if isinstance(g, dict) and "indices" in g else g for g in event["apply"]]}
        for event in case["events"]
    ]
    return {**case, "events": events}


def rows(indices: Sequence[int], values: Array) -> Document:
    """A sparse gradient as a case has it."""
    tensor = {"dtype": values.dtype.name, "shape": list(values.shape), "values": flat(values)}
    return {"indices": list(indices), "values": tensor}


ROOTS_OF_ROWS = ("tf2.12", "tf2.15")


@keeping(
    "P-59",
    UNCLIPPED,
    but=[
        But("the rows' reciprocal roots are estimated in packets, and exact in the rest", ("RMSprop",), ROOTS_OF_ROWS)
    ],
)
def the_order_of_rows_does_not_matter(subject: Subject, case: Document) -> None:
    """Rows of different indices may come in any order."""
    found = sparse_of(case)
    if any(len(set(g["indices"])) < len(g["indices"]) for g in found):
        raise Inapplicable("an index stands twice")
    turned = with_rows(case, lambda g: rows(g["indices"][::-1], array(g["values"])[::-1]))
    same_steps(case, lived(subject, case), subject.play(turned))


@keeping(
    "P-60",
    UNCLIPPED,
    editions=SUMMED,
    but=[But("without momentum each row is subtracted, one after the other (ResourceScatterAdd)", ("SGD",), LEGACY)],
)
def rows_of_one_index_are_summed(subject: Subject, case: Document) -> None:
    """Rows of the same index are as good as one row, their sum."""
    found = sparse_of(case)
    if all(len(set(g["indices"])) == len(g["indices"]) for g in found):
        raise Inapplicable("no index stands twice")

    def summed(g: Document) -> Document:
        sums: dict[int, Array] = {}
        for index, row in zip(g["indices"], array(g["values"]), strict=True):
            sums[index] = sums.get(index, np.zeros_like(row)) + row
        return rows(list(sums), np.stack([np.asarray(row) for row in sums.values()]) if sums else array(g["values"]))

    with np.errstate(over="ignore", invalid="ignore"):
        same_steps(case, lived(subject, case), subject.play(with_rows(case, summed)))


@keeping(
    "P-61",
    UNCLIPPED,
    editions=LEGACY,
    but=[But("its means fade in all rows, whatever rows are given", ("Adam", "Nadam", "RMSprop"))],
)
def rows_that_are_not_named_stay(subject: Subject, case: Document) -> None:
    """A row that a sparse gradient does not name stays as it is, and so does its part of every slot."""
    sparse_of(case)
    steps = lived(subject, case)
    for number, (before, after, event) in enumerate(zip(steps, steps[1:], case["events"][1:], strict=False), 2):
        for owner, g in enumerate(event["apply"]):
            if isinstance(g, dict):
                others = sorted(set(range(len(after.variables[owner]))) - set(g["indices"]))
                same(before.variables[owner][others], after.variables[owner][others], f"step {number}, a row")
                for slot, value in before.slots(owner).items():
                    same(value[others], after.slots(owner)[slot][others], f"step {number}, a row of {slot}")


# ---- schedules -----------------------------------------------------------------------------------------------

FALLING = ("CosineDecay", "ExponentialDecay", "InverseTimeDecay", "PolynomialDecay")


def called(subject: Subject, case: Document) -> tuple[Document, Array, Array]:
    """The full config, the steps, and what the schedule gave, in float64; Inapplicable if it refuses something."""
    trajectory = subject.answer(case)
    if "error" in trajectory or any("values" not in group for group in trajectory["values"]):
        raise Inapplicable("refused")
    config = schedule_cases.full(case["edition"], case["schedule"]["class_name"], case["schedule"]["config"])
    values = [x for group in trajectory["values"] for x in group["values"]]
    if any(isinstance(x, str) for x in values):
        raise Inapplicable("not finite")
    return config, np.array(case["steps"]["values"], np.float64), np.array(values, np.float64)


@keeping("P-62", Calls(("int64", "float64"), FALLING), editions=RELEASES)
def a_schedule_only_falls(subject: Subject, case: Document) -> None:
    """A rate that decays never grows after its warmup, and never leaves what it starts and ends at."""
    config, steps, values = called(subject, case)
    decays = config.get("decay_rate", 1.0)
    exponential = case["schedule"]["class_name"] == "ExponentialDecay"
    if config.get("cycle") or (exponential and decays > 1) or config.get("power", 1) < 0:
        raise Inapplicable("not a decay")
    first = config["warmup_target"] if config.get("warmup_target") is not None else config["initial_learning_rate"]
    last = config.get("end_learning_rate", 0.0)
    if not isinstance(first, float) or first < last:
        raise Inapplicable("it rises")
    warmup = config.get("warmup_steps") or 0
    falling = values[steps >= warmup] if config.get("warmup_target") is not None else values
    slack = 1e-5 * max(abs(first), 1e-3)
    if np.any(np.diff(falling) > slack):
        raise Broken(f"it grows: {falling.tolist()} at {steps.tolist()}")
    near(np.clip(falling, last - slack, first + slack), falling, 0.0, "a rate")


@keeping("P-63", Calls(("int64", "float64"), (*FALLING, "CosineDecayRestarts")), editions=RELEASES)
def a_schedule_begins_at_its_first_rate(subject: Subject, case: Document) -> None:
    """At step 0 the rate is initial_learning_rate; after the last step it changes no more, if it never restarts."""
    config, steps, values = called(subject, case)
    first = config["initial_learning_rate"]
    if not isinstance(first, float) or config.get("power") == 0 or config.get("warmup_target") is not None:
        raise Inapplicable("it begins elsewhere")
    start = values[steps == 0]
    slack = 1e-6 * max(abs(first), config.get("end_learning_rate", 0.0))
    near(np.full_like(start, np.float32(first)), start, slack, "the first rate")
    if case["schedule"]["class_name"] in ("CosineDecay", "PolynomialDecay") and not config.get("cycle"):
        end = config["decay_steps"] + (config.get("warmup_steps") or 0)
        late = values[steps >= end]
        same(np.full_like(late, late[-1]), late, "a rate after the end")


@keeping("P-64", Calls(("int64",), ("PiecewiseConstantDecay",)), editions=RELEASES)
def pieces_are_constant(subject: Subject, case: Document) -> None:
    """Up to a boundary, it included, the rate is the value of that piece, to the bit."""
    config, steps, values = called(subject, case)
    pieces = np.searchsorted(np.array(config["boundaries"]), steps, side="left")
    expected = np.array(config["values"], np.float64)[pieces]
    same(expected.astype(np.float32), values.astype(np.float32), "a rate")


@keeping(
    "P-65",
    Life(
        kinds=("apply", "again", "zeros"),
        drawing=Drawing(
            dtypes=("float32",),
            pipeline=without("decay", among=SIMPLE),
            config=(("learning_rate", (0.125,)),),
        ),
        scheduled=False,
    ),
    optimizers=without("Muon"),
    but=[But("as shipped it refuses a schedule", ("Nadam",), LEGACY)],
)
def a_schedule_is_the_numbers_that_it_gives(subject: Subject, case: Document) -> None:
    """A schedule as learning rate moves as the numbers do that it gives for 0, 1, 2 ..., each set before its step."""
    config = case["optimizer"]["config"]
    if config.get("lr") is not None:
        raise Inapplicable("lr")
    values = [0.125, 0.5, 0.0625, 1.0]
    schedule = {"class_name": "PiecewiseConstantDecay", "config": {"boundaries": [0, 1, 2], "values": values}}
    numbers: list[Document] = []
    for number, event in enumerate(case["events"]):
        numbers += [{"set": {"learning_rate": values[min(number, 3)]}}, event]
    expected = subject.play(first_applied({**case, "events": numbers}))
    got = subject.play(configured(case, learning_rate=schedule))
    same_steps(case, expected, got, state=is_slot)


def first_applied(case: Document) -> Document:
    """The case without its first event: the first rate is that of the config."""
    return {**case, "events": case["events"][1:], "keep": list(range(1, len(case["events"]), 2))}
