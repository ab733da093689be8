"""The formats of files that carry an optimizer: the documents of `files/`."""

from __future__ import annotations

from goldenstep import spec
from goldenstep.spec import Document


def formats() -> dict[str, Document]:
    """Every format by its name: h5, weights.h5, keras, checkpoint."""
    documents = spec._folder("files")
    return {name: documents[name] for name in ("h5", "weights.h5", "keras", "checkpoint")}


def available(edition: str, optimizer: str) -> dict[str, Document]:
    """What `edition` says of each format in which it can save `optimizer`."""
    found = {name: document["editions"].get(edition) for name, document in formats().items()}
    return {name: entry for name, entry in found.items() if entry and optimizer not in entry.get("cannot_save", ())}


def clauses(format: str, edition: str) -> list[str]:
    """Ids of the clauses of a format that speak about an edition."""
    return [c["id"] for c in formats()[format]["clauses"] if edition in c.get("editions", [edition])]


def layout_of_checkpoints(edition: str) -> str:
    """How a checkpoint of `edition` holds the state: "slots", "attributes" or "list"."""
    return str(formats()["checkpoint"]["editions"][edition]["layout"])


def attributes(optimizer: str) -> dict[str, str]:
    """The attribute of a checkpoint of TF 2.9 that holds each kind of slot of an optimizer."""
    document = formats()["checkpoint"]
    return {**document["attributes"].get(optimizer, {}), "average": document["averages"]}
