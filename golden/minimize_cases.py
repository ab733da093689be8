"""Cases about minimize and compute_gradients: a loss as function or value, and what has no gradient."""

from __future__ import annotations

from collections.abc import Iterator

from .drawing import Document
from .method_events import BIAS, BOTH, KERAS_2, KERAS_3, KERNEL, LEGACY, Calls, Topic, call, scalar


def function(s: Calls, *of: int, square: bool = True) -> Document:
    """A loss as a function."""
    return {"loss": s.loss(*of, square=square)}


def value(s: Calls, *of: int, square: bool = True) -> Document:
    """A loss as a value on a tape."""
    return {"loss_on_tape": s.loss(*of, square=square)}


def minimizing(optimizer: str, edition: str) -> Iterator[Topic]:
    """minimize and compute_gradients: slug, topic, config, events."""
    given: Document = {"momentum": 0.5} if optimizer == "SGD" else {}
    compute = "_compute_gradients" if edition in LEGACY else "compute_gradients"
    if edition in KERAS_3:
        yield (
            "minimize",
            "minimize",
            given,
            lambda s: [call("minimize", function(s, 0), BOTH), call("compute_gradients", function(s, 0), BOTH)],
        )
        return
    for method, name in (("minimize", "minimize"), (compute, "compute_gradients")):
        yield from losses(method, name, given, edition)
    if edition in LEGACY:
        yield (
            "minimize-with-grad_loss",
            "minimize",
            given,
            lambda s: [
                call("minimize", function(s, 0, 1), BOTH, scalar(0.5, kind="tensor")),
                call("minimize", function(s, 0, 1), BOTH, grad_loss=scalar(2.0, kind="tensor"), name="named"),
            ],
        )
        yield (
            "minimize-a-value-with-grad_loss",
            "minimize",
            given,
            lambda s: [call("minimize", value(s, 0, 1), BOTH, scalar(2.0, kind="tensor"), tape=OF_THE_LOSS)],
        )
    if edition in KERAS_2:
        yield (
            "aggregate_gradients",
            "compute_gradients",
            given,
            lambda s: [call("aggregate_gradients", s.pairs()), s.apply()],
        )
    clipped: Document = {**given, "clipnorm": 0.5}
    yield "minimize+clipnorm=0.5", "minimize", clipped, lambda s: [call("minimize", function(s, 0, 1), BOTH)]


OF_THE_LOSS: Document = {"tape": "of the loss"}


def losses(method: str, name: str, given: Document, edition: str) -> Iterator[Topic]:
    """A method with losses of every kind."""
    yield (
        f"{name}-a-function",
        name,
        given,
        lambda s: [
            call(method, function(s, 0, 1), BOTH),
            call(method, function(s, 1, 0), [BIAS, KERNEL]),
            call(method, function(s, 0, 1, square=False), {"function": BOTH}),
            call(method, loss=function(s, 0, 1), var_list=[BIAS]),
            call(method, function(s, 0, 1), BOTH, tape={"tape": "new"}),
            call(method, function(s, 0, 0), [KERNEL]),
        ],
    )
    yield (
        f"{name}-a-value",
        name,
        given,
        lambda s: [
            call(method, value(s, 0, 1), BOTH, tape=OF_THE_LOSS),
            call(method, value(s, 0, 1, square=False), BOTH, tape=OF_THE_LOSS),
            call(method, value(s, 0, 1), BOTH),
            call(method, value(s, 0, 1), {"function": BOTH}, tape=OF_THE_LOSS),
            call(method, value(s, 0, 1), BOTH, tape={"tape": "new"}),
        ],
    )
    yield (
        f"{name}-without-gradients",
        name,
        given,
        lambda s: [
            call(method, function(s, 0), BOTH),
            call(method, function(s, 0), [BIAS]),
            call(method, function(s, 0), []),
            call(method, function(s, 0)),
            call(method, function(s, 1), BOTH),
            call(method, 1.0, BOTH),
            call(method, function(s, 0), None),
            *([call(method, function(s, 0, 1), KERNEL)] if edition in LEGACY else []),
        ],
    )
