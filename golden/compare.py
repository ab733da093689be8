"""Compare an expected trajectory with the one that was got: to the bit, or within the stated bound."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from goldenstep import spec
from goldenstep.spec import wrapper as wrapper_spec
from goldenstep.spec.layout import Entry, Owner, facts, layout

from .codec import array, flat, unflat

Document = dict[str, Any]


@dataclass(frozen=True)
class Divergence:
    """The first place where two trajectories part."""

    step: int | None
    where: str
    element: int | None
    expected: Any
    got: Any
    ulp: float | None

    def __str__(self) -> str:
        place = f"step {self.step}, {self.where}" if self.step is not None else self.where
        place += f"[{self.element}]" if self.element is not None else ""
        distance = f", {self.ulp:g} ulp" if self.ulp is not None else ""
        return f"{place}: expected {self.expected}, got {self.got}{distance}"


@dataclass
class Comparison:
    """Result: the first divergence or None, whether all bits were equal, and the worst distance inside a bound."""

    divergence: Divergence | None = None
    exact: bool = True
    worst_ulp: float = 0.0
    compared: int = field(default=0)


def full_config(case: Document) -> Document:
    """The case's config with every default of its edition filled in; of a wrapper, that of what it wraps."""
    optimizer, edition = unwrapped(case), case["edition"]
    arguments = spec.arguments(optimizer["class_name"], edition)
    defaults = {a["name"]: a.get("default") for a in arguments if a["name"] != "**kwargs"}
    return {**defaults, **optimizer["config"]}


def unwrapped(case: Document) -> Document:
    """The optimizer of a case, or the one that its wrappers wrap."""
    found = wrapper_spec.innermost(case["optimizer"])
    assert found is not None, f"{case['id']}: expected one optimizer inside"
    return found


def owners(case: Document) -> list[Owner]:
    """The case's variables as far as the state depends on them."""
    return [
        Owner(v["name"], tuple(v["value"]["shape"]), v["value"]["dtype"], v.get("overwrite_with_gradient", False))
        for v in case["variables"]
    ]


def bounds(case: Document) -> list[Document | None]:
    """Per variable: the stated bound of its rule and dtype, or None where it is exact."""
    if (
        {"schedule", "file", "calls", "replicas"} & set(case)
        or "source" in case["optimizer"]
        or not wrapper_spec.innermost(case["optimizer"])
    ):
        return []
    name, edition, config = unwrapped(case)["class_name"], case["edition"], full_config(case)
    return [
        spec.bound(
            name, edition, spec.variant(name, facts(name, config, owner)), owner.dtype, case.get("mode", "eager")
        )
        for owner in owners(case)
    ]


def expected_layout(case: Document) -> list[Entry]:
    """What the specification says the state of this case looks like."""
    optimizer, edition, config = unwrapped(case)["class_name"], case["edition"], full_config(case)
    name = config.get("name") or spec.editions()[edition]["optimizer_names"].get(optimizer, optimizer)
    entries = [entry for entry in layout(optimizer, edition, config, owners(case), name) if entry.recorded]
    if case["optimizer"]["class_name"] == optimizer:
        return entries
    wrapper, fixed = case["optimizer"]["class_name"], case["optimizer"]["config"].get("dynamic") is False
    own = [] if fixed else wrapper_spec.state(wrapper, edition)
    outer = [Entry("wrapper", entry["name"], (), entry["dtype"], 0, hidden="hidden" in entry) for entry in own]
    inner = [entry for entry in entries if not entry.hidden]
    return [*(e for e in outer if not e.hidden), *inner, *(e for e in outer if e.hidden)]


def fed(case: Document, trajectory: Document) -> Document:
    """The case with the recorded state loaded before every kept step, so that errors don't pile up.

    Used where a bound is stated: each step then starts from the oracle's own bits.
    """
    gradients = list(unrolled(case["events"]))
    known = {step["step"]: step for step in trajectory["steps"]}
    events: list[Document] = []
    for step in sorted(known):
        if step == 1:
            events.append(gradients[0])
        elif step - 1 in known:
            events += [{"load": known[step - 1]}, gradients[step - 1]]
    keep = [step for step in sorted(known) if step == 1 or step - 1 in known]
    return {**case, "events": events, "keep": keep}


def unrolled(events: list[Document]) -> Iterator[Document]:
    """The events with every repetition written out."""
    for event in events:
        if "repeat" in event:
            for _ in range(event["repeat"]):
                yield from unrolled(event["events"])
        else:
            yield event


def compare(case: Document, expected: Document, got: Document) -> Comparison:
    """The comparison of a case's recorded (or computed) trajectory with an implementation's."""
    if "calls" in case:
        from . import serialization_compare

        return serialization_compare.compare(case, expected, got)
    if "schedule" in case:
        from . import schedule_compare

        return schedule_compare.compare(case, expected, got)
    if "file" in case:
        from . import file_compare

        return file_compare.compare(case, expected, got)
    result = Comparison()
    result.divergence = _first_divergence(case, expected, got, result)
    return result


def _first_divergence(case: Document, expected: Document, got: Document, result: Comparison) -> Divergence | None:
    if "error" in expected or "error" in got:
        difference = compare_errors(expected.get("error"), got.get("error"))
        if difference:
            return difference
    stated = bounds(case)
    wanted = {step["step"]: step for step in expected["steps"]}
    steps = [step["step"] for step in got["steps"]]
    required = [s for s in wanted if not any(stated) or s == 1 or s - 1 in wanted]
    if steps not in (required, list(wanted)):
        return Divergence(None, "recorded steps", None, required, steps, None)
    layouts = dict(with_layouts(expected))
    for number, present in with_layouts(got):
        if present != layouts[number]:
            return _compare_layouts(layouts[number], present)
    for step in got["steps"]:
        before, entries = wanted.get(step["step"] - 1), layouts[step["step"]]
        divergence = _compare_step(case, stated, wanted[step["step"]], step, before, entries, result)
        if divergence:
            return divergence
    return None


def with_layouts(trajectory: Document) -> Iterator[tuple[int, list[Document]]]:
    """The number of every kept step, with the layout that its state has."""
    layout = trajectory["layout"]
    for step in trajectory["steps"]:
        layout = step.get("layout", layout)
        yield step["step"], layout


def compare_errors(expected: Document | None, got: Document | None) -> Divergence | None:
    """Where an error is raised, and its type; None if they are the same, or there is none."""

    def shown(error: Document | None) -> str:
        return f"{error['type']} at {error['stage']}: {error['message']}" if error else "no error"

    same = expected and got and (expected["stage"], expected["type"]) == (got["stage"], got["type"])
    return None if same or not (expected or got) else Divergence(None, "error", None, shown(expected), shown(got), None)


def _compare_layouts(expected: list[Document], got: list[Document]) -> Divergence:
    for index in range(max(len(expected), len(got))):
        e, g = (entries[index] if index < len(entries) else None for entries in (expected, got))
        if e != g:
            counted = e and g and e["name"] != g["name"] and e["name"] == without_number(g["name"])
            hint = " (does the name count earlier optimizers? see clear_session in docs/modules.md)" if counted else ""
            return Divergence(None, f"layout of the state, entry {index}{hint}", None, e, g, None)
    raise AssertionError("layouts are equal")


def without_number(name: str) -> str:
    """The name of a piece of state without the number of its optimizer: `adam/iteration` for `adam_7/iteration`."""
    return re.sub(r"^([^/]*?)_\d+/", r"\1/", name)


def _compare_step(
    case: Document,
    stated: list[Document | None],
    expected: Document,
    got: Document,
    before: Document | None,
    entries: list[Document],
    result: Comparison,
) -> Divergence | None:
    """The error first, then the state, then the variables: a slot that parts is the cause, the weight the effect."""
    if "error" in expected or "error" in got:
        difference = compare_errors(expected.get("error"), got.get("error"))
        if difference:
            return dataclasses.replace(difference, step=got["step"])
    difference = compare_answers(expected, got)
    if difference:
        return difference
    roles = aligned(expected_layout(case), entries) if any(stated) else []
    result.compared += sum(map(len, [*expected["state"], *expected["variables"]]))
    for index, entry in enumerate(entries):
        if same(expected["state"][index], got["state"][index]):
            continue
        role = roles[index] if roles else None
        bound = (stated[role.owner] if role and role.owner is not None else None) or {}
        e, g = (unflat(side["state"][index], entry["dtype"], tuple(entry["shape"])) for side in (expected, got))
        allowed = bound.get("slots_ulp", {}).get(role.slot, 0) if role else 0
        if bound and role and role.kind == "average" and role.owner is not None:
            allowed = bound["update_ulp"]
            distance = average_ulps(e, g, *_old_and_new(case, expected, before, role.owner))
        elif allowed and "scale" in bound and role and role.owner is not None:
            scale, _ = scales(case, bound["scale"], role.owner, roles, expected, before)
            distance = scaled_ulps(e, g, scale)
        else:
            distance = ulps(e, g)
        divergence = _compare_arrays(got["step"], entry["name"], e, g, distance, allowed, result)
        if divergence:
            return divergence
    stated = stated or [None] * len(case["variables"])
    for index, variable in enumerate(case["variables"] * case.get("replicas", 1)):
        if same(expected["variables"][index], got["variables"][index]):
            continue
        start = array(variable["value"])
        e, g = (unflat(side["variables"][index], start.dtype, start.shape) for side in (expected, got))
        bound = stated[index % len(stated)] or {}
        if "scale" in bound:
            _, scale = scales(case, bound["scale"], index, roles, expected, before)
            distance = update_ulps(e, g, scale)
        elif bound:
            distance = update_ulps(e, g, _update(*_old_and_new(case, expected, before, index)))
        else:
            distance = ulps(e, g)
        divergence = _compare_arrays(got["step"], variable["name"], e, g, distance, bound.get("update_ulp", 0), result)
        if divergence:
            return divergence
    return None


def compare_answers(expected: Document, got: Document) -> Divergence | None:
    """What a call returned, to the bit, and the kinds of warnings that it gave."""
    if not {"returned", "warned"} & (expected.keys() | got.keys()):
        return None
    kinds = [sorted({warning["category"] for warning in side.get("warned", ())}) for side in (expected, got)]
    pairs: dict[str, list[Any]] = {
        "returned": [side.get("returned", "nothing") for side in (expected, got)],
        "warnings": kinds,
    }
    for where, (wanted, found) in pairs.items():
        if json.dumps(wanted) != json.dumps(found):
            return Divergence(got["step"], where, None, wanted, found, None)
    return None


def aligned(roles: list[Entry], entries: list[Document]) -> list[Entry]:
    """What each entry of a layout is; variables that have had no gradient may have no entries."""
    if len(roles) == len(entries):
        return roles
    by_name = {role.name: role for role in roles}
    return [by_name.get(entry["name"], roles[0]) for entry in entries]


def same(expected: list[Any], got: list[Any]) -> bool:
    """Are the encoded numbers the same, the signs of zeros included?"""
    return expected == got and (0 not in expected or str(expected) == str(got))


def scales(
    case: Document, kind: str, owner: int, roles: list[Entry], expected: Document, before: Document | None
) -> tuple[np.ndarray, np.ndarray]:
    """Where sums may cancel, a bound counts in ulp of what was summed: the scale of the slot, and of the variable.

    A slot's symbol stands for the larger of its old and new size; "terms" for the largest term of FTRL's sums.
    """
    start = array(case["variables"][owner]["value"])

    def old_and_new(slot: str) -> tuple[np.ndarray, np.ndarray]:
        index = next(i for i, role in enumerate(roles) if role.slot == slot and role.owner == owner)
        new = unflat(expected["state"][index], start.dtype, start.shape)
        old = (
            unflat(before["state"][index], start.dtype, start.shape)
            if before and index < len(before["state"])
            else np.full_like(new, roles[index].start)
        )
        return old, new

    if kind != "terms":
        scale = np.maximum(*map(np.abs, old_and_new(kind)))
        return scale, scale
    weights, _ = _old_and_new(case, expected, before, owner)
    config = full_config(case)
    config["learning_rate"] = rate_at(config["learning_rate"], expected["step"])
    return ftrl_terms(weights, *old_and_new("linear"), *old_and_new("accumulator"), config)


def rate_at(learning_rate: Any, step: int) -> float:
    """The rate of a step, from 1: of a function the number it gives then, of a schedule the first."""
    if not isinstance(learning_rate, dict):
        return float(learning_rate)
    numbers = learning_rate.get("callable") or [learning_rate["config"]["initial_learning_rate"]]
    return float(numbers[min(step, len(numbers)) - 1])


def ftrl_terms(
    w: np.ndarray,
    linear: np.ndarray,
    new_linear: np.ndarray,
    accumulator: np.ndarray,
    new_accumulator: np.ndarray,
    config: Document,
) -> tuple[np.ndarray, np.ndarray]:
    """Size of the largest term in FTRL's sum for linear, and the same over the divisor for w.

    With shrinkage TF 2.4, the only edition that needs it, keeps linear multiplied by the learning rate.
    """
    lr, l2, beta = (float(config[name]) for name in ("learning_rate", "l2_regularization_strength", "beta"))
    rate = 1.0 if config["l2_shrinkage_regularization_strength"] > 0 else lr
    with np.errstate(all="ignore"):
        root = np.maximum(accumulator, new_accumulator).astype(np.float64) ** -float(config["learning_rate_power"])
        divisor = (root + 2 * l2 * lr + beta) / rate
        largest = np.maximum.reduce([np.abs(linear), np.abs(new_linear), np.abs(w) * root / rate])
        return largest.astype(w.dtype), (largest / divisor).astype(w.dtype)


def _old_and_new(
    case: Document, expected: Document, before: Document | None, owner: int
) -> tuple[np.ndarray, np.ndarray]:
    """A variable before and after a step."""
    start = array(case["variables"][owner]["value"])
    old, new = before["variables"][owner] if before else None, expected["variables"][owner]
    return start if old is None else unflat(old, start.dtype, start.shape), unflat(new, start.dtype, start.shape)


def _update(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Size of the update of each element."""
    with np.errstate(all="ignore"):
        return np.abs(new.astype(np.float64) - old.astype(np.float64)).astype(new.dtype)


def _compare_arrays(
    step: int,
    where: str,
    expected: np.ndarray,
    got: np.ndarray,
    distance: np.ndarray,
    allowed: float,
    result: Comparison,
) -> Divergence | None:
    if not np.any(ulps(expected, got)):
        return None
    result.exact = False
    if not np.any(distance > allowed):
        result.worst_ulp = max(result.worst_ulp, float(distance.max()))
        return None
    element = int(np.argmax(distance.ravel() > allowed))
    pair = flat(expected)[element], flat(got)[element]
    return Divergence(step, where, element if expected.ndim else None, *pair, float(distance.ravel()[element]))


def ulps(expected: np.ndarray, got: np.ndarray) -> np.ndarray:
    """Distance in units in the last place; 0 for equal bits and for two NaNs, infinite for NaN against a number."""
    if expected.dtype.kind != "f":
        return np.abs(expected.astype(np.float64) - got.astype(np.float64))
    e, g = _ordered(expected), _ordered(got)
    far = np.abs(e.astype(np.float64) - g.astype(np.float64))
    distance = np.where(far < 2.0**62, np.abs(e - g).astype(np.float64), far)
    nan = np.isnan(expected) != np.isnan(got)
    return np.where(nan, np.inf, np.where(np.isnan(expected), 0.0, distance))


def _ordered(x: np.ndarray) -> np.ndarray:
    """The float's bits as int64 numbers that grow with the float; -0.0 lies one below 0.0."""
    kind = np.dtype(f"i{x.dtype.itemsize}")
    bits = np.ascontiguousarray(x).reshape(x.shape).view(kind).astype(np.int64)
    with np.errstate(over="ignore"):
        return np.where(bits < 0, np.int64(np.iinfo(kind).min) - bits - 1, bits)


def scaled_ulps(expected: np.ndarray, got: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Error in units in the last place of `scale`; 0 where the bits are equal, infinite where one is no number."""
    return _in_ulps(expected, got, scale, np.zeros(expected.shape))


def update_ulps(expected: np.ndarray, got: np.ndarray, update: np.ndarray) -> np.ndarray:
    """Error in ulp of the update, less the one ulp of the weight that the weight's own rounding may take."""
    with np.errstate(all="ignore"):
        return _in_ulps(expected, got, update, np.spacing(np.abs(expected)).astype(np.float64))


def average_ulps(expected: np.ndarray, got: np.ndarray, old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Error of a moving average in ulp of the update that it follows, less one ulp each of average and weight."""
    with np.errstate(all="ignore"):
        slack = np.spacing(np.abs(expected)).astype(np.float64) + np.spacing(np.abs(new)).astype(np.float64)
    return _in_ulps(expected, got, _update(old, new), slack)


def _in_ulps(expected: np.ndarray, got: np.ndarray, scale: np.ndarray, slack: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        error = np.abs(expected.astype(np.float64) - got.astype(np.float64))
        excess = np.maximum(error - slack, 0) / np.spacing(scale).astype(np.float64)
    return np.where(ulps(expected, got) == 0, 0.0, np.where(np.isfinite(excess), excess, np.inf))
