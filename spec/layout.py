"""The state of an optimizer, worked out from the specification: every entry, in the release's own order."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from goldenstep import spec

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Owner:
    """A variable as far as its state depends on it."""

    name: str
    shape: Shape
    dtype: str
    overwritten: bool = False
    """By its gradient: it has no state but an accumulator, and what is made apart."""


@dataclass(frozen=True)
class Entry:
    """One entry of the state: its kind, its name in the edition, and its first value, a number or "variable".

    The kinds are iteration, learning_rate, average, gradient_accumulator and slot; and wrapper, for a wrapper's own.

    An entry made apart is no slot to the release but a variable by itself: a wrapper names it otherwise, or loses it.
    A hidden entry is not among the optimizer's variables; it is recorded all the same if the oracle can see it.
    """

    kind: str
    name: str
    shape: Shape
    dtype: str
    start: float | str
    slot: str | None = None
    owner: int | None = None
    hidden: bool = False
    recorded: bool = True
    apart: bool = False


def facts(optimizer: str, config: Mapping[str, Any], owner: Owner) -> dict[str, Any]:
    """What a `when` condition may ask about a variable: the config, the `rank`, and for Muon `uses_adam`."""
    known = {**config, "rank": len(owner.shape)}
    if optimizer == "Muon":
        named = [*(config["exclude_layers"] or ()), *(["(?i)embedding"] if config["exclude_embeddings"] else ())]
        known["uses_adam"] = known["rank"] != 2 or any(re.search(word, owner.name) for word in named)
    return known


def layout(
    optimizer: str, edition: str, config: Mapping[str, Any], owners: Sequence[Owner], optimizer_name: str
) -> list[Entry]:
    """The state that `optimizer` makes for `owners` with a full `config`, hidden entries last.

    State that a wrapper makes stands in another name than the optimizer's, or in none: an `optimizer_name` of "".
    """
    names: dict[str, str] = spec.editions()[edition]["names"]
    slots: dict[str, Any] = spec.optimizers()[optimizer]["slots"]

    def named(kind: str, variable: str = "", slot: str = "") -> str:
        path, last = variable.replace("/", names["slash"]), variable.rpartition("/")[2]
        named = names[kind].format(optimizer=optimizer_name, variable=path, last=last, slot=slot)
        return named.removeprefix("/")

    def average(index: int, owner: Owner) -> Entry:
        start = spec.editions()[edition]["average_starts_at"]
        return Entry("average", named("slot", owner.name, "average"), owner.shape, owner.dtype, start, None, index)

    def accumulator(index: int, owner: Owner) -> Entry:
        name = named("slot", owner.name, "gradient_accumulator")
        return Entry("gradient_accumulator", name, owner.shape, owner.dtype, 0, None, index)

    def slot(symbol: str, own_name: str, group: Mapping[str, Any], index: int, owner: Owner) -> Entry:
        document = {**slots[symbol], **group.get("as", {})}
        shape = SHAPES[document["shape"]](owner.shape)
        dtype = owner.dtype if document["dtype"] == "variable" else document["dtype"]
        start = config[document["start"]] if document["start"] in config else document["start"]
        if edition in document.get("start_in_float32", ()):
            start = in_float32(start)
        once = document.get("per") == "optimizer"
        name = named(group.get("named", "optimizer_slot" if once else "slot"), owner.name, own_name)
        apart = bool(group.get("apart"))
        return Entry("slot", name, shape, dtype, start, symbol, None if once else index, apart=apart)

    def hidden(symbol: str, owner: Owner) -> Entry:
        document = slots[symbol]
        dtype = owner.dtype if document["dtype"] == "variable" else document["dtype"]
        recorded = edition in document.get("hidden_in", ())
        return Entry("slot", f"_{symbol}", (), dtype, document["start"], symbol, None, True, recorded)

    entries: list[Entry] = []
    for item in with_averages(spec.state(optimizer, edition)):
        if item == "iteration":
            if scheduled(config.get("learning_rate")) and "current_learning_rate" in names:
                entries.append(Entry("learning_rate", named("current_learning_rate"), (), "float32", 0))
            entries.append(Entry("iteration", named("iteration"), (), "int64", 0))
        elif item == "learning_rate" and not varies(config["learning_rate"]):
            entries.append(Entry("learning_rate", named("learning_rate"), (), "float32", config["learning_rate"]))
        elif item == "average":
            kept = [(i, owner) for i, owner in enumerate(owners) if config.get("use_ema") and not owner.overwritten]
            entries += [average(i, owner) for i, owner in kept]
            if config.get("gradient_accumulation_steps"):
                entries += [accumulator(i, owner) for i, owner in enumerate(owners)]
        elif item != "learning_rate":
            for index, owner in enumerate(owners):
                groups = item if isinstance(item, list) else [item]
                for group in (g for g in groups if g.get("apart") or not owner.overwritten):
                    if spec.holds(group.get("when", {}), facts(optimizer, config, owner)):
                        entries += [slot(symbol, own, group, index, owner) for symbol, own in group["slots"].items()]
    once = {entry.slot: entry for entry in reversed(entries) if entry.slot and entry.owner is None}
    state = [entry for entry in entries if entry.slot not in once or entry is once[entry.slot]]
    for symbol, document in slots.items():
        concealed = edition in document.get("hidden_in", ()) or document.get("hidden")
        if concealed and owners and edition in document.get("editions", [edition]):
            state.append(hidden(symbol, owners[0]))
    return state


def varies(learning_rate: Any) -> bool:
    """Is it no number but a function, as it stands or as JSON has it? Then it is no variable."""
    return callable(learning_rate) or isinstance(learning_rate, dict)


def scheduled(learning_rate: Any) -> bool:
    """Is it a schedule, as it stands or as JSON has it?"""
    return "class_name" in learning_rate if isinstance(learning_rate, dict) else hasattr(learning_rate, "get_config")


def with_averages(items: list[Any]) -> list[Any]:
    """The averages stand after the learning rate, or else the iteration, where the list does not place them."""
    if "average" in items:
        return items
    place = items.index("learning_rate" if "learning_rate" in items else "iteration") + 1
    return [*items[:place], "average", *items[place:]]


def in_float32(number: float) -> float:
    """The float32 nearest to a number."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


SHAPES: dict[str, Callable[[Shape], Shape]] = {
    "variable": lambda shape: shape,
    "rows": lambda shape: shape[:-1],
    "columns": lambda shape: shape[:-2] + shape[-1:],
    "scalar": lambda shape: (),
}
