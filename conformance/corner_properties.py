"""Properties of lives in the corners of the specification: ends of ranges, late steps, odd shapes. See properties.py.

Each compares with the reference.  A long life that varies in everything (P-54) seldom meets two rare things at once;
these are short, and in each of them what is rare is usual.
"""

from __future__ import annotations

from typing import Any

from .lives import Life
from .properties import Document, Subject, equals_the_reference, keeping
from .strategies import Drawing, Shape

SHORT: tuple[Shape, ...] = ((3,), (), (2, 3), (3, 2), (1,), (9,), (2, 1, 2))
SIDES: tuple[Shape, ...] = (
    (3, 4),
    (4, 3),
    (4, 4),
    (7, 2),
    (2, 7),
    (9, 9),
    (1, 5),
    (5, 1),
    (3, 2, 4),
    (2, 2, 2, 2),
    (33,),
)
LARGE: tuple[Shape, ...] = ((33,), (17, 9), (1100,), (8, 160), (160, 8))
"""Sums of these run in packets, by rows, and in halves of halves."""
BEGINS = (1.0, 0.0, 2.0**-8)
STEPS = ("apply", "apply", "again", "grown", "zeros", "zero", "sparse")


def corners(shapes: tuple[Shape, ...], variables: tuple[int, int] = (1, 2), **more: Any) -> Drawing:
    """Cases of these shapes, their hyperparameters at the ends of their ranges."""
    return Drawing(shapes=shapes, variables=variables, edges=True, corners=True, **more)


@keeping(
    "P-81",
    Life(
        kinds=(*STEPS, "none", "spoiled", "iterations"),
        events=(1, 4),
        drawing=corners(SHORT),
        begins=BEGINS,
        seeded=True,
        scaled=True,
    ),
)
def a_life_in_a_corner_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """With options and gradients at the ends of what they may be, the steps are those of the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-82",
    Life(kinds=STEPS, events=(1, 3), drawing=corners(SIDES), begins=BEGINS[1:], seeded=True),
)
def a_step_of_any_shape_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Tall, wide, square, and of a higher rank: the steps are those of the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-83",
    Life(
        kinds=("apply", "grown"),
        events=(1, 2),
        drawing=corners(LARGE, clipped=True),
        begins=BEGINS[1:],
        seeded=True,
    ),
    optimizers=("SGD", "Adam", "Muon", "Lamb", "Adafactor"),
)
def a_step_of_much_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Of variables so large that sums run in packets the steps are those of the reference."""
    equals_the_reference(subject, case)


LATE = (("beta_1", (0.9, 0.999, 0.9998, 0.99)), ("beta_2", (0.999, 0.9998, 0.99, 0.9)))
"""Betas whose powers are not yet 0 at the steps that are asked for, so that corrections still count."""


@keeping(
    "P-84",
    Life(
        kinds=("apply", "late", "late", "jump", "again", "grown", "zero"),
        events=(3, 6),
        drawing=corners(SHORT, (1, 1), config=LATE),
        begins=BEGINS,
        seeded=True,
        scheduled=False,
    ),
)
def a_late_step_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """After however many steps, the next ones are those of the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-85",
    Life(
        kinds=("apply", "assign", "assign", "assign", "rate", "again", "sparse", "none"),
        events=(3, 8),
        drawing=corners(SHORT),
        begins=BEGINS,
        seeded=True,
    ),
)
def what_is_assigned_counts_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Options that are assigned in between, one beside the other, count as in the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-86",
    Life(
        kinds=("again", "zeros"),
        events=(1, 3),
        drawing=corners(((3,),), (1, 1)),
        begins=BEGINS[1:],
        seeded=True,
        scheduled=False,
        long=1001,
    ),
    optimizers=("Adam",),
)
def a_thousand_steps_are_those_of_the_reference(subject: Subject, case: Document) -> None:
    """Step after step, a thousand of them and then some, the trajectory is that of the reference."""
    equals_the_reference(subject, case)


FAST = (("rho", (0.5, 0.25)), ("beta_1", (0.5, 0.25)), ("beta_2", (0.5, 0.25)), ("centered", (True, True, False)))
"""Means that come to rest within as many steps as the case has."""


@keeping(
    "P-87",
    Life(
        kinds=("again",),
        events=(1, 2),
        drawing=corners(((5,), (2, 2)), (1, 1), config=FAST),
        begins=BEGINS[1:],
        seeded=True,
        long=26,
    ),
    optimizers=("RMSprop", "Adadelta", "Adam", "Adamax", "Nadam"),
)
def a_constant_gradient_is_followed_as_by_the_reference(subject: Subject, case: Document) -> None:
    """Where means have come to rest, and rounding alone moves them, the trajectory is that of the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-88",
    Life(
        kinds=("apply", "apply", "grown", "none", "sparse", "zeros"),
        events=(1, 2),
        drawing=corners(SHORT, (1, 3), clipped=True),
        begins=BEGINS[1:],
        seeded=True,
        scaled=True,
    ),
    optimizers=("SGD", "Adam"),
)
def a_clipped_step_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Whatever is clipped, small or large, to whatever threshold, the steps are those of the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-90",
    Life(
        kinds=("apply", "sparse", "sparse", "sparse"),
        events=(2, 4),
        drawing=corners(((4,), (3, 2), (5, 1), (2, 2, 2))),
        begins=BEGINS,
        seeded=True,
    ),
)
def rows_in_a_corner_move_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Sparse gradients, with options at the ends of what they may be, do what they do in the reference."""
    equals_the_reference(subject, case)


NOTHING = (("epsilon", (0.0, 0.0, 0.01)), ("initial_accumulator_value", (0.0, 0.0, 0.1)))
"""Numbers that keep a divisor from being 0, and don't."""


@keeping(
    "P-93",
    Life(
        kinds=("sparse", "sparse", "zeros", "again"),
        events=(1, 3),
        drawing=corners(((4,), (3, 2)), (1, 1), config=NOTHING),
        begins=BEGINS,
        seeded=True,
        scheduled=False,
    ),
    optimizers=("Adagrad", "RMSprop", "Adadelta", "ScheduleFreeAdamW", "Ftrl"),
)
def a_divisor_of_nothing_counts_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Where a divisor may be 0, rows move as in the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-94",
    Life(
        kinds=("apply", "apply", "grown", "again", "sparse", "far"),
        events=(2, 4),
        drawing=Drawing(shapes=(*SHORT, (5,), (7,), (13,)), variables=(1, 2), digits=True),
        begins=BEGINS[1:],
        seeded=True,
    ),
)
def all_digits_count_as_in_the_reference(subject: Subject, case: Document) -> None:
    """With numbers that no float is near to, and steps that no float holds, the trajectory is that of the reference."""
    equals_the_reference(subject, case)


AVERAGED = (("use_ema", (True, False)),)


@keeping(
    "P-102",
    Life(
        kinds=("apply", "some", "some", "none", "sparse", "again", "rate", "finalize"),
        events=(2, 6),
        drawing=corners(SHORT, (1, 3), clipped=True, config=AVERAGED),
        begins=BEGINS[1:],
        seeded=True,
        overwriting=True,
    ),
    editions=("keras3",),
)
def gradients_overwrite_as_in_the_reference(subject: Subject, case: Document) -> None:
    """A variable with overwrite_with_gradient takes its gradients, and the others move, as in the reference."""
    equals_the_reference(subject, case)
