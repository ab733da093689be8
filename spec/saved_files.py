"""The formats of files that carry an optimizer: the documents of `files/`."""

from __future__ import annotations

from collections.abc import Iterator

from goldenstep import spec
from goldenstep.spec import Document, wrapper


def formats() -> dict[str, Document]:
    """Every format by its name: h5, weights.h5, keras, checkpoint."""
    documents = spec._folder("files")
    return {name: documents[name] for name in ("h5", "weights.h5", "keras", "checkpoint")}


def available(edition: str, optimizer: str) -> dict[str, Document]:
    """What `edition` says of each format in which it can save `optimizer`."""
    found = {name: document["editions"].get(edition) for name, document in formats().items()}
    return {name: entry for name, entry in found.items() if entry and optimizer not in entry.get("cannot_save", ())}


def has_config(format: str) -> bool:
    """Has a file of a format the config of its optimizer?"""
    return format in ("h5", "keras")


def clauses(format: str, edition: str, description: Document, into: bool = False) -> list[str]:
    """Ids of the clauses of a format that speak about an optimizer of an edition; with those of one made otherwise."""
    about = {name for name, _ in classes(description)}
    found = [c for c in formats()[format]["clauses"] if edition in c.get("editions", [edition])]
    found = [c for c in found if into or not c.get("into")]
    return [c["id"] for c in found if c.get("of") is None or c["of"] in about]


def classes(description: Document | None) -> Iterator[tuple[str, Document]]:
    """Class name and config of an optimizer, and of what it wraps, each inside the last."""
    while description:
        name, config = description["class_name"].removeprefix("Custom>"), description["config"]
        yield name, config
        description = config.get("inner_optimizer", config.get("optimizer"))


def omits(format: str, edition: str) -> list[str]:
    """Wrappers of which a file has their own state alone, not that of the optimizers inside."""
    return list(formats()[format]["editions"].get(edition, {}).get("omits", ()))


def arrays(format: str, edition: str, description: Document) -> int | None:
    """How many arrays a file has of an optimizer of whose state a part is omitted; None if it has them all."""
    count = 0
    for name, _ in classes(description):
        if name in wrapper.available(edition):
            count += sum(not entry.get("hidden", False) for entry in wrapper.state(name, edition))
        if name in omits(format, edition):
            return count
    return None


def layout_of_checkpoints(edition: str) -> str:
    """How a checkpoint of `edition` holds the state: "slots", "attributes" or "list"."""
    return str(formats()["checkpoint"]["editions"][edition]["layout"])


def attributes(optimizer: str) -> dict[str, str]:
    """The attribute of a checkpoint of TF 2.9 that holds each kind of slot of an optimizer."""
    document = formats()["checkpoint"]
    return {**document["attributes"].get(optimizer, {}), "average": document["averages"]}
