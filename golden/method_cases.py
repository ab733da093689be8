"""Cases about an optimizer's other methods and attributes: what they return, raise and change.

Slots, weights and variables made and read, hyperparameters read as attributes, `iterations`, state given back,
`apply_gradients` and what it returns, `minimize` and `compute_gradients` with a loss as function or value. Every call
may fail, and the run goes on. They have a file of their own for each edition.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from goldenstep import spec

from .drawing import Document, normal
from .method_cases_keras2 import keras_2_topics
from .method_cases_keras3 import built_by_itself, exclusion, keras_3_topics
from .method_cases_v2 import PRIVATE, legacy_topics, private_topics
from .method_events import KERAS_2, LEGACY, SHAPES, Calls, Events, attempt
from .minimize_cases import minimizing


def method_cases(edition: str) -> Iterator[Document]:
    """All cases of an edition."""
    if edition in LEGACY:
        optimizers = ["Adam", "SGD", *(["Nadam", "RMSprop"] if edition in ("tf2.4", "tf2.9.legacy") else [])]
    else:
        optimizers = ["Adam", "SGD", *(["AdamW"] if edition != "tf2.9" else [])]
    for optimizer in optimizers:
        topics = (
            legacy_topics(optimizer)
            if edition in LEGACY
            else keras_2_topics(optimizer, edition)
            if edition in KERAS_2
            else keras_3_topics(optimizer)
        )
        for topic in [*topics, *(minimizing(optimizer, edition) if optimizer in ("Adam", "SGD") else ())]:
            yield finished(edition, optimizer, *topic)
    for optimizer in PRIVATE if edition in LEGACY else ():
        for topic in private_topics(optimizer):
            yield finished(edition, optimizer, *topic)
    if edition == "keras3":
        for optimizer, topics in [
            *((name, exclusion()) for name in ("Adam", "SGD", "Muon")),
            *((name, built_by_itself()) for name in ("Nadam", "Adafactor")),
        ]:
            for topic in topics:
                yield finished(edition, optimizer, *topic)


def finished(edition: str, optimizer: str, slug: str, topic: str, config: Document, events: Events) -> Document:
    """A case in its final form, with the clauses of its topic."""
    stream = random.Random(f"{optimizer} {slug}")
    variables = [
        {"name": name, "value": {"dtype": "float32", "shape": list(shape), "values": normal(stream, shape, "float32")}}
        for name, shape in SHAPES.items()
    ]
    feature = "minimize" if topic in ("minimize", "compute_gradients") else "methods"
    stated = [c["id"] for c in spec.editions()[edition]["clauses"] if topic in c.get("topics", ())]
    return {
        "id": f"{edition}/{optimizer.lower()}/method-{slug}",
        "edition": edition,
        "clauses": stated,
        "features": [feature],
        "flags": ["called"],
        "optimizer": {"class_name": optimizer, "config": {"learning_rate": 0.1, **config}},
        "variables": variables,
        "events": [event if "attempt" in event else attempt(event) for event in events(Calls(stream))],
    }
