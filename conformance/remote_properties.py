"""Properties of lives remote from the usual: far steps, many variables, several dtypes. See properties.py.

Each compares with the reference, like those in the corners (corner_properties.py), where one thing is rare; here it is
a whole setting that the others don't come to.
"""

from __future__ import annotations

from .corner_properties import BEGINS
from .life_properties import RELEASES
from .lives import Calls, Life
from .properties import Document, Subject, equals_the_reference, keeping
from .strategies import Drawing, Shape
from .variations import Varied

NEARLY_1 = (1 - 2.0**-23, 1 - 2.0**-24, 0.9998)
SLOW = (("beta_1", NEARLY_1), ("beta_2", NEARLY_1))
"""Betas whose powers are not yet 0 where float32 comes to its end; float32 holds them."""
COUNTED = ("SGD", "Adam", "AdamW", "Adamax", "Nadam", "Lamb", "Adafactor", "ScheduleFreeAdamW")
"""Optimizers to whose steps their number counts; SGD's do where the rate decays."""


@keeping(
    "P-95",
    Life(
        kinds=("beyond", "beyond", "late", "late", "far"),
        events=(3, 5),
        drawing=Drawing(
            shapes=((3,), (2, 3), (4,)),
            variables=(1, 1),
            pipeline=("decay", "weight_decay"),
            config=SLOW,
            dtypes=("float64", "float32"),
        ),
        begins=BEGINS[:2],
        seeded=True,
        scheduled=False,
    ),
    optimizers=COUNTED,
)
def a_far_step_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """After more steps than float32 or int32 can count, with means that remember them, steps are the reference's."""
    equals_the_reference(subject, case)


@keeping(
    "P-96",
    Life(
        kinds=("apply", "apply", "grown", "sparse", "iterations", "none"),
        events=(1, 3),
        drawing=Drawing(shapes=((3,), (2, 3), (4,)), variables=(2, 3), edges=True),
        begins=BEGINS[:1],
        seeded=True,
        scheduled=False,
        mixed=True,
    ),
    optimizers=("SGD", "Adam", "AdamW", "Nadam", "RMSprop", "Adafactor"),
)
def variables_of_several_dtypes_step_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Where every other variable has another dtype, each steps, or is refused, as in the reference."""
    equals_the_reference(subject, case)


TOGETHER = (("global_clipnorm", (0.4731943, 0.4731943, None)),)


@keeping(
    "P-97",
    Life(
        kinds=("apply", "apply", "none", "order", "twice"),
        events=(2, 3),
        drawing=Drawing(
            shapes=((3,), (2,), (), (2, 3)),
            variables=(5, 9),
            pipeline=(),
            config=TOGETHER,
            dtypes=("float64", "float32"),
        ),
        begins=(1.0,),
        seeded=True,
        scheduled=False,
    ),
    optimizers=("SGD",),
)
def many_variables_step_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Of many variables, clipped together or not, the steps are those of the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-130",
    Life(
        kinds=("twice", "twice", "apply", "none"),
        events=(1, 4),
        drawing=Drawing(shapes=((3,), (2,)), variables=(2, 3), pipeline=("use_ema", "gradient_accumulation_steps")),
        begins=(1.0,),
        seeded=True,
        scheduled=False,
    ),
)
def variables_that_stand_twice_step_as_in_the_reference(subject: Subject, case: Document) -> None:
    """A variable that stands twice in a step, the first one too, has the state and steps of the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-98",
    Life(
        kinds=("apply", "apply", "nothing", "nothing", "far", "iterations", "none"),
        events=(3, 7),
        drawing=Drawing(shapes=((3,), (2,), ()), variables=(1, 2), digits=True, dtypes=("float64", "float32")),
        begins=BEGINS[:2],
        seeded=True,
        rated=True,
    ),
    optimizers=("SGD", "AdamW"),
)
def a_rate_that_varies_does_so_as_in_the_reference(subject: Subject, case: Document) -> None:
    """A schedule as learning rate, of whatever numbers and dtype, is asked and counts as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-99", Calls(("int64", "float64", "int32"), wide=True), editions=RELEASES)
def a_schedule_of_all_digits_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Of float64, and at steps that float32 does not hold, a schedule gives what that of the reference does."""
    equals_the_reference(subject, case)


AVERAGED = (("use_ema", (True,)), ("ema_momentum", (0.75, 0.99, 0.3)), ("ema_overwrite_frequency", (None, 1, 2)))
MATRICES: tuple[Shape, ...] = ((2, 3), (4,), (3, 2))


@keeping(
    "P-100",
    Life(
        kinds=("apply", "assign", "assign", "sparse", "finalize", "none", "iterations"),
        events=(3, 7),
        drawing=Drawing(shapes=MATRICES, variables=(1, 2), config=AVERAGED, needs=("use_ema",)),
        begins=BEGINS[:1],
        seeded=True,
    ),
    optimizers=("SGD", "Adam", "Adagrad"),
)
def what_is_averaged_is_averaged_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Where averages are kept, and written back, whatever is assigned counts as in the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-103",
    Life(
        kinds=("apply",),
        events=(1, 1),
        drawing=Drawing(shapes=((2, 450), (1, 800), (500, 2)), variables=(1, 1), pipeline=()),
        begins=BEGINS[1:2],
        seeded=True,
        scheduled=False,
    ),
    optimizers=("Muon",),
)
def long_sides_are_cut_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Where a matrix has more columns than a product takes at once, the step is that of the reference."""
    equals_the_reference(subject, case)


@keeping("P-101", Varied("remote", each=True))
def what_is_remote_from_the_usual_goes_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Rates of 0, a counter that goes back, rows of each dtype, divisors of nothing: all go as in the reference."""
    equals_the_reference(subject, case)


DECAYING = (("weight_decay", (0.5, 0.1, None)),)


@keeping(
    "P-107",
    Life(
        kinds=("some", "some", "order", "none", "apply", "sparse", "exclude", "assign"),
        events=(2, 6),
        drawing=Drawing(shapes=((3,), (2, 3), (), (3,)), variables=(2, 3), config=DECAYING, edges=True),
        begins=BEGINS[:2],
        seeded=True,
        late=True,
        namesakes=True,
    ),
)
def variables_that_come_late_are_told_apart_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Variables of one name, some of which come late or in another order, each keep their own state and decay."""
    equals_the_reference(subject, case)
