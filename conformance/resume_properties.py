"""Properties of handing over: another optimizer, made of the config, goes on in its place. See properties.py."""

from __future__ import annotations

from collections.abc import Sequence

from goldenstep.golden.codec import unflat
from goldenstep.spec import serialization

from .drawn_calls import Asked
from .lives import Life
from .properties import Broken, But, Document, Step, Subject, equals_the_reference, keeping, same
from .strategies import Drawing, Shape

KERAS_2 = ("tf2.9", "tf2.12", "tf2.15")


@keeping(
    "P-68",
    Drawing(steps=(2, 4), fixed=("schedule_decay",)),  # E-062, as below
    but=[But("as shipped the product of its momenta is lost, or is not carried on", ("Nadam",), KERAS_2)],
)
def another_optimizer_goes_on(subject: Subject, case: Document) -> None:
    """After any step, an optimizer made of the config that takes over the state goes on as the first would have."""
    expected = subject.play(case)
    for way in serialization.ways_of_resuming(case["edition"]):
        for after in range(1, len(case["events"])) if way != "config" else ():
            events = [*case["events"][:after], {"resume": way}, *case["events"][after:]]
            steps = subject.run({**case, "events": events})["steps"]
            same_variables(case, expected, [*steps[:after], *steps[after + 1 :]], f"{way} after step {after}")


@keeping("P-69", Drawing(fixed=("schedule_decay",)))  # E-062: Nadam's config forgets it
def a_config_makes_the_same_optimizer(subject: Subject, case: Document) -> None:
    """An optimizer made of the config of another one, before the first step, takes the steps of that one."""
    steps = subject.run({**case, "events": [{"resume": "config"}, *case["events"]]})["steps"]
    same_variables(case, subject.play(case), steps[1:], "from the config")


def same_variables(case: Document, expected: Sequence[Step], got: Sequence[Document], how: str) -> None:
    """Broken unless the recorded steps have the expected variables; names of the state may differ."""
    if len(got) != len(expected):
        raise Broken(f"{how}: {len(got)} steps, expected {len(expected)}")
    for number, (step, values) in enumerate(zip(expected, got, strict=True), 1):
        for variable, wanted, flat in zip(case["variables"], step.variables, values["variables"], strict=True):
            found = unflat(flat, wanted.dtype, wanted.shape)
            same(wanted, found, f"{how}: step {number}, {variable['name']}")


@keeping("P-104", Asked("config"))
def a_config_of_anything_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Whatever arguments are given or set, null, 0 and of other types among them, the config is the reference's."""
    equals_the_reference(subject, case)


@keeping("P-105", Asked("weights"))
def weights_of_any_dtype_are_those_of_the_reference(subject: Subject, case: Document) -> None:
    """Whatever the dtypes, the state is given to the last bit and taken as by the reference, before and after steps."""
    equals_the_reference(subject, case)


SHAPES: tuple[Shape, ...] = ((3,), (2, 3), (), (3, 2))


@keeping(
    "P-106",
    Life(
        kinds=("apply", "apply", "apply", "resume", "resume", "sparse", "rate", "none", "assign", "iterations"),
        events=(3, 8),
        drawing=Drawing(shapes=SHAPES, variables=(1, 3), edges=True),
        begins=(1.0, 0.0),
        seeded=True,
        scheduled=False,
    ),
)
def whoever_takes_over_lives_on_as_in_the_reference(subject: Subject, case: Document) -> None:
    """A life in which one optimizer takes over from another, again and again, is that of the reference."""
    equals_the_reference(subject, case)
