"""Properties of what longer lists of options hide: one variant of a rule at a time. See properties.py.

Each compares with the reference, like those in the corners (corner_properties.py).
"""

from __future__ import annotations

from .corner_properties import BEGINS
from .life_properties import RELEASES
from .lives import Calls, Life
from .properties import LEGACY, Document, Subject, equals_the_reference, keeping
from .strategies import Drawing
from .variations import Varied

ASKING = ("momentum", "l2_shrinkage_regularization_strength", "learning_rate_power", "rms_rate")
"""Numbers that ask for another rule as soon as they are not the default."""


@keeping(
    "P-120",
    Life(
        kinds=("sparse", "sparse", "apply", "again"),
        events=(2, 3),
        drawing=Drawing(shapes=((5, 1), (3, 2), (4,), (9,)), variables=(1, 2), digits=True, fixed=ASKING),
        begins=BEGINS[1:],
        seeded=True,
        scheduled=False,
    ),
    optimizers=("SGD", "RMSprop", "Ftrl", "Muon"),
)
def a_variant_of_all_digits_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Where no number asks for another rule, all digits of the others count as in the reference."""
    equals_the_reference(subject, case)


@keeping(
    "P-121",
    Life(
        kinds=("none", "none", "apply", "sparse"),
        events=(3, 5),
        drawing=Drawing(shapes=((3,), (2, 3)), variables=(2, 2), pipeline=()),
        begins=BEGINS[:1],
        seeded=True,
        scheduled=False,
        mixed=True,
    ),
    optimizers=("Nadam",),
    editions=LEGACY,
)
def variables_of_two_dtypes_take_turns_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Where now one variable, now the other, of another dtype, has no gradient, each step is the reference's."""
    equals_the_reference(subject, case)


@keeping("P-122", Varied("overlooked", each=True))
def what_a_longer_list_hides_goes_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Each variant with all digits of its own, rows of one number, options at an end: all go as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-131", Varied("escaped", numbers=False, each=True))
def what_others_missed_goes_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Ends of a dtype, zeros of both signs, variables in turn, a rate that is replaced: all go as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-133", Varied("extreme", numbers=False, each=True))
def what_leaves_its_dtype_goes_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Squares that overflow or vanish, rows of zeros, far counts, options that are 0: all go as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-123", Varied("rewrapped", each=True))
def what_is_wrapped_again_goes_on_as_in_the_reference(subject: Subject, case: Document) -> None:
    """A wrapper that takes over the state of another one, of one optimizer or of three, goes on as the reference's."""
    equals_the_reference(subject, case)


@keeping("P-134", Varied("restored", numbers=False, each=True))
def what_a_checkpoint_holds_goes_on_as_in_the_reference(subject: Subject, case: Document) -> None:
    """An optimizer restored from a checkpoint, made with the same arguments or others, goes on as the reference's."""
    equals_the_reference(subject, case)


@keeping("P-132", Varied("edges", numbers=False, each=True), editions=RELEASES)
def the_edges_of_a_schedule_are_those_of_the_reference(subject: Subject, case: Document) -> None:
    """Later waves, boundaries between steps and beyond 32 bits, a warm-up to where it starts: as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-124", Calls(("int64", "float32"), ("PiecewiseConstantDecay",), infinite=True), editions=RELEASES)
def an_infinite_piece_counts_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Where a value is infinite in float32, it and the others are what the reference gives."""
    equals_the_reference(subject, case)


CLIPPED = (("clipnorm", (0.4731943,)),)


@keeping(
    "P-125",
    Life(
        kinds=("apply",),
        events=(1, 1),
        drawing=Drawing(shapes=((8200,), (2, 4130)), variables=(1, 1), pipeline=(), config=CLIPPED),
        begins=BEGINS[1:2],
        seeded=True,
        scheduled=False,
    ),
    optimizers=("SGD", "Lamb"),
)
def the_longest_sums_are_halved_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Where a sum is so long that it is cut in two, the step is that of the reference."""
    equals_the_reference(subject, case)
