"""Properties of whatever else can be asked: wrappers, methods, configs, files of the state ... See properties.py.

Each compares with the reference, on variations of the cases that are made from the specification (variations.py).
"""

from __future__ import annotations

from .properties import Document, Subject, equals_the_reference, keeping
from .variations import Varied


@keeping("P-70", Varied("wrappers", disturbed=True))
def a_wrapper_does_what_the_reference_does(subject: Subject, case: Document) -> None:
    """A loss scale moves, and optimizers inside others step, as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-71", Varied("methods"))
def a_method_does_what_that_of_the_reference_does(subject: Subject, case: Document) -> None:
    """Every method and attribute gives and changes what it does in the reference, minimize and its kin included."""
    equals_the_reference(subject, case)


@keeping("P-72", Varied("own", disturbed=True))
def an_own_optimizer_is_served_as_by_the_reference(subject: Subject, case: Document) -> None:
    """An optimizer of one's own finds the base class of the reference around it."""
    equals_the_reference(subject, case)


@keeping("P-73", Varied("config"))
def a_config_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Configs are given and taken, and arguments refused, as by the reference."""
    equals_the_reference(subject, case)


@keeping("P-74", Varied("identifiers"))
def an_identifier_stands_for_what_it_does_in_the_reference(subject: Subject, case: Document) -> None:
    """get, serialize and deserialize give what they give in the reference."""
    equals_the_reference(subject, case)


@keeping("P-75", Varied("weights"))
def the_state_leaves_as_from_the_reference(subject: Subject, case: Document) -> None:
    """The state is given, taken and refused, as a list and in a store, as by the reference."""
    equals_the_reference(subject, case)


@keeping("P-76", Varied("resume", disturbed=True))
def a_resumed_run_goes_on_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Whatever way the state is handed over, the run goes on as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-77", Varied("lived", disturbed=True))
def a_varied_life_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Lives that were thought of, with other numbers and options, and crossed, are those of the reference."""
    equals_the_reference(subject, case)


@keeping("P-78", Varied("refused", joined=False))
def what_the_reference_refuses_is_refused(subject: Subject, case: Document) -> None:
    """Arguments and gradients that the reference refuses are refused, by an error of the same type at the same time."""
    equals_the_reference(subject, case)


@keeping("P-79", Varied("replicas"))
def replicas_step_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Several replicas sum their gradients, and keep their state, as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-80", Varied("graph", numbers=False, each=True))
def a_graph_steps_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Inside a graph, the made cases, whose bounds are stated, go as in the graph mode of the reference."""
    equals_the_reference(subject, case)


@keeping("P-89", Varied("wrappers", each=True))
def each_case_of_a_wrapper_is_that_of_the_reference(subject: Subject, case: Document) -> None:
    """Whatever was thought of for a wrapper, with other numbers, goes as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-91", Varied("uncommon", each=True))
def what_is_seldom_met_goes_as_in_the_reference(subject: Subject, case: Document) -> None:
    """Weights and rows that are not finite, options taken back, far steps: all go as in the reference."""
    equals_the_reference(subject, case)


@keeping("P-108", Varied("wrapped", each=True))
def a_wrapper_is_described_and_handed_over_as_by_the_reference(subject: Subject, case: Document) -> None:
    """Configs, identifiers, weights and resumptions of wrappers are those of the reference, each of them."""
    equals_the_reference(subject, case)
