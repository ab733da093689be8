"""Is a difference a matter of rounding? What a right implementation that rounds elsewhere may miss in one step.

A step is close if its result lies where the rule itself would put it after a few roundings of what goes into it: the
mixed forward-backward stability of numerical analysis (Higham, Accuracy and Stability of Numerical Algorithms, 2002,
section 1.5). Every step starts from the recorded state, so errors never pile up and N does not grow with the steps.

The margin of an element, with u the distance from 1 to the next number of the variable's dtype, is the sum of

    what changes when a hyperparameter moves by u                     each in turn: it is rounded once; a beta or rho
                                                                      moves by u of 1, for 1 - beta is rounded
    what changes when every power beta**t moves by u of 1             1 - beta**t is rounded apart from beta
    what changes when the elements of an array move by N u            gradient, each slot, and the variable as far as
                                                                      the update depends on it, each in turn
    N u of the update, or of what is added to the slot                the operations of the step itself
    one ulp of the variable or slot, before or after (the larger)     the last rounding
    the smallest normal number                                        a flush to zero

The changes are those of the reference, in float64 and from the recorded state; the centre is what was recorded, or what
the reference gives in float64, throughout or with each slot rounded as it is stored (stored_slots.py): where the
release's numbers have overflowed, or were too small for their dtype, these are others, and a port's range is its own
affair. Where a rule is ill-conditioned (1 - beta_2**t at the first steps)
the margin is wide, where a sign or a maximum may flip it contains both, and where an element is not finite there is
none: but what is NaN in one order of operations is infinite in another, so these two are close.
tests/test_closeness.py proves how tight it is.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import marshal
import pkgutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest import mock

import numpy as np

from goldenstep import spec
from goldenstep.golden.codec import array, flat, unflat
from goldenstep.golden.compare import (
    Divergence,
    compare_answers,
    compare_errors,
    expected_layout,
    fed,
    full_config,
    ulps,
    with_layouts,
)
from goldenstep.reference import bits, rules
from goldenstep.spec.layout import Entry

from . import close_schedules
from .answers import misshapen
from .exposure import visible
from .keras_shaped import KerasShaped, reference
from .stored_slots import storing

if TYPE_CHECKING:
    from .verdict import Asking

Document = dict[str, Any]
Array = np.ndarray
PORT = 4
WEIGHT_ULP = 1


class ToleranceError(ValueError):
    """A tolerance is not spelled as it should be; the message says how."""


def ulps_of(tolerance: str) -> int | None:
    """N of `--tolerance`: None for "exact", 4 for "port", N for "ulp:N"; ToleranceError for anything else."""
    kind, _, number = tolerance.partition(":")
    if tolerance in ("exact", "port"):
        return None if tolerance == "exact" else PORT
    if kind == "ulp" and number.isdecimal() and int(number) > 0:
        return int(number)
    raise ToleranceError(f"--tolerance={tolerance}: expected exact, port (the same as ulp:{PORT}) or ulp:N with N > 0.")


@dataclass(frozen=True)
class Closeness:
    """How far a trajectory is from the recorded one: the first element beyond its margin or None, and what was seen.

    `share` is the largest error as a share of its margin; `updates` has each step's number and the length of the
    variables' error relative to the length of their update.
    """

    divergence: Divergence | None
    share: float
    updates: tuple[tuple[int, float], ...]

    def __str__(self) -> str:
        step, worst = max(self.updates, key=lambda update: update[1], default=(0, 0.0))
        update = (
            f"the worst update is off by {worst:.1e} of its length, at step {step}" if self.updates else "a schedule"
        )
        if self.divergence and self.share == float("inf"):
            return f"{self.divergence}; which rounding does not explain"
        if self.divergence:
            return f"{self.divergence}; {self.share:.3g} times what rounding explains, {update}"
        return f"rounding only, at most {self.share:.0%} of the margin; {update}"


@dataclass(frozen=True)
class Margin:
    """The margins of one step: of each variable, and of each entry of the state by name.

    `centres` are what float64 gives, of the same: throughout, and with slots that are stored.
    """

    variables: list[Array]
    state: dict[str, Array]
    moves: list[Array]
    centres: list[tuple[list[Array], dict[str, Array]]]


def judged(
    implementation: Asking, case: Document, expected: Document, got: Document, names: Sequence[str] | None, ulp: int
) -> Closeness | None:
    """How far an implementation that shows these entries of the state is from the recorded trajectory, step by step.

    The error that ends a trajectory is no matter of rounding: `got`, the answer to the case as it is, has the same.
    """
    if "schedule" in case:
        measured = close_schedules.measure(case, expected, got, ulp)
        return Closeness(*measured, ()) if measured else None
    if not measurable(case) or compare_errors(expected.get("error"), got.get("error")):
        return None
    if dict(with_layouts(got)) != dict(with_layouts(visible(case, expected, got, names))):
        return None
    answer = implementation.stepwise(case, expected)
    if answer is None or misshapen(case, answer):
        return None
    return measure(case, expected, answer, ulp, names)


def measurable(case: Document) -> bool:
    """Is it the run of one optimizer that the specification knows?"""
    return "optimizer" in case and case["optimizer"]["class_name"] in spec.optimizers() and "replicas" not in case


def measure(
    case: Document, expected: Document, got: Document, ulp: int, names: Sequence[str] | None = None
) -> Closeness | None:
    """How far `got`, the answer to the fed case, is from the recorded trajectory; None if that can't be measured."""
    if not measurable(case) or "error" in got:
        return None
    allowed = margins(case, expected, ulp)
    if allowed is None or [step["step"] for step in got["steps"]] != list(allowed):
        return None
    expected = visible(case, expected, got, names)
    wanted = {step["step"]: step for step in expected["steps"]}
    layouts = dict(with_layouts(expected))
    share, updates, first = 0.0, [], None
    for (number, made), step in zip(with_layouts(got), got["steps"], strict=True):
        entries = layouts[number]
        if list(map(kind_of, made)) != list(map(kind_of, entries)):
            return None
        margin = allowed[number]
        if first is None and (first := unlike(wanted[number], step)):
            share = float("inf")
        pairs = [
            (entry["name"], entry, e, g, margin.state[key], [state[key] for _, state in margin.centres])
            for key, entry, e, g in zip(keys(entries), entries, wanted[number]["state"], step["state"], strict=True)
        ]
        named = zip(case["variables"], wanted[number]["variables"], step["variables"], margin.variables, strict=True)
        pairs += [
            (v["name"], v["value"], e, g, room, [variables[index] for variables, _ in margin.centres])
            for index, (v, e, g, room) in enumerate(named)
        ]
        for name, like, e, g, room, centres in pairs:
            e, g = (unflat(values, like["dtype"], tuple(like["shape"])) for values in (e, g))
            used = shares(e, g, room)
            for wide in centres:
                used = np.where(np.isnan(wide), used, np.minimum(used, shares(wide, g, room)))
            share = max(share, float(used.max(initial=0)))
            if first is None and np.any(used > 1):
                element = int(np.argmax(used.ravel() > 1))
                place = element if e.ndim else None
                apart = float(ulps(e, g).ravel()[element])
                first = Divergence(number, name, place, flat(e)[element], flat(g)[element], apart)
        updates.append((number, relative(case, wanted[number], step, margin.moves)))
    return Closeness(first, share, tuple(updates))


def kind_of(entry: Document) -> tuple[Any, ...]:
    """What an entry is, but for its name: state that is made to be loaded may have another, see `named`."""
    return entry["dtype"], tuple(entry["shape"])


def unlike(expected: Document, got: Document) -> Divergence | None:
    """Where the error of a step, what its call returned, or the warnings are not those that were recorded.

    Where an array of the state or of the variables was returned, it is to be the one that was got.
    """
    difference = compare_errors(expected.get("error"), got.get("error"))
    difference = difference or compare_answers(translated(expected, got), got)
    return dataclasses.replace(difference, step=got["step"]) if difference else None


def translated(expected: Document, got: Document) -> Document:
    """A recorded step that returned what was got in the place of its own state and variables."""
    own = [pair for kind in ("variables", "state") for pair in zip(expected[kind], got[kind], strict=True)]

    def walk(node: Any, found: Any) -> Any:
        if isinstance(node, list) and isinstance(found, list) and len(node) == len(found):
            return found if (node, found) in own else [walk(n, f) for n, f in zip(node, found, strict=True)]
        if isinstance(node, dict) and isinstance(found, dict):
            return {key: walk(n, found.get(key)) for key, n in node.items()}
        return node

    if "returned" not in expected:
        return expected
    return {**expected, "returned": walk(expected["returned"], got.get("returned"))}


def shares(expected: Array, got: Array, margin: Array) -> Array:
    """Error of each element as a share of its margin; infinite where one is no number and the other is."""
    with np.errstate(all="ignore"):
        error = np.abs(expected.astype(np.float64) - got.astype(np.float64))
        share = np.where(error == 0, 0.0, error / margin)
    nan, infinite = np.isnan(expected) | np.isnan(got), ~np.isfinite(expected) & ~np.isfinite(got)
    alike = (expected == got) | (nan & infinite) | np.isinf(margin)
    return np.where(alike, 0.0, np.where(np.isnan(share), np.inf, share))


def relative(case: Document, expected: Document, got: Document, moves: list[Array]) -> float:
    """Length of the error of all variables over the length of their update; infinite if only the update is 0."""
    error = length = 0.0
    for variable, e, g, move in zip(case["variables"], expected["variables"], got["variables"], moves, strict=True):
        like = variable["value"]["dtype"], tuple(variable["value"]["shape"])
        with np.errstate(all="ignore"):
            difference = unflat(e, *like).astype(np.float64) - unflat(g, *like).astype(np.float64)
            error += float(np.nansum(difference**2))
            length += float(np.nansum(np.where(np.isfinite(move), move, 0.0) ** 2))
    return float(np.sqrt(error / length)) if length else 0.0 if error == 0 else float("inf")


# ---- the margins ------------------------------------------------------------------------------------------


def margins(case: Document, expected: Document, ulp: int) -> dict[int, Margin] | None:
    """The margin of every kept step that can be fed; None if the state can't be, for its layout changes on the way."""
    eps = max((float(np.finfo(v["value"]["dtype"]).eps) for v in case["variables"]), default=0.0)
    step = max(eps, float(np.finfo(np.float32).eps))  # in float64 a change by u would drown in the rounding
    double = in_float64(fed(case, expected))
    failing = frozenset(
        step["step"] for step in expected["steps"] if "error" in step and step["step"] in double["keep"]
    )
    base = played(double, failing)
    for other in (vectors_in_float64, dict):  # Muon takes no matrix of float64
        if base is None:
            double = other(fed(case, expected))
            base = played(double, failing)
    if base is None:
        return None
    names = {number: keys(entries) for number, entries in with_layouts(expected)}
    base = named(base, names)
    changes = {
        number: tuple({name: np.zeros_like(x) for name, x in part.items()} for part in parts)
        for number, parts in base.items()
    }
    units = units_of(case, expected, eps)
    common = max((float(np.finfo(role.dtype).eps) for role in expected_layout(case) if shared(role)), default=0.0)
    for vary, weight, feeds in variations(double, names):
        shares = step * (weight or ulp) * np.array([1.0, -1.0])
        sides = [named(side, names) for share in shares if (side := vary(double, share, failing))]
        for number, parts in changes.items():
            for which, part in enumerate(parts):
                for name, total in part.items():
                    moved_to = [side[number][which][name] for side in sides]
                    total += largest(base[number][which][name], moved_to) * (
                        max(common * feeds, units[which][name]) / step
                    )
    arithmetic = tuple({name: ulp * unit for name, unit in part.items()} for part in units)
    wide = [base]
    if stored := with_stored_slots(case, expected, double, failing, names):
        wide.append(stored)
        nudged = [with_stored_slots(case, expected, double, failing, names, nudge) for nudge in (1.0, -1.0)]
        for number, parts in changes.items():
            for which, part in enumerate(parts):
                for name, total in part.items():
                    total += largest(stored[number][which][name], [n[number][which][name] for n in nudged if n])
    return dict(with_roundings(case, expected, wide, changes, arithmetic))


def named(played: dict[int, Parts], names: dict[int, list[str]]) -> dict[int, Parts]:
    """The same with the recorded names of the state; of one made anew on the way they may be others when it is fed."""
    return {n: (moves, dict(zip(names[n], state.values(), strict=True))) for n, (moves, state) in played.items()}


def shared(role: Entry) -> bool:
    """Is it a slot of all variables together, and so of a dtype that is coarser than some variable's? Nadam has one."""
    return role.owner is None and role.kind == "slot"


def with_stored_slots(
    case: Document,
    expected: Document,
    double: Document,
    failing: frozenset[int],
    names: dict[int, list[str]],
    nudge: float = 0.0,
) -> dict[int, Parts] | None:
    """What the reference makes of a fed case in float64 if slots are kept in the variables' dtype, where one is less.

    A denormal number of float16 is moved by `nudge` times the distance to the next.
    """
    dtypes = {variable["value"]["dtype"] for variable in case["variables"]}
    if dtypes <= {"float64"} or (nudge and "float16" not in dtypes):
        return None
    played_with: dict[str, dict[int, Parts]] = {}
    for dtype in sorted(dtypes):
        with storing(dtype, nudge if dtype == "float16" else 0.0):
            if (found := played(double, failing)) is None:
                return None
            played_with[dtype] = named(found, names)
    layouts = dict(with_layouts(expected))
    of_variables = [variable["value"]["dtype"] for variable in case["variables"]]
    first = next(iter(played_with.values()))
    return {
        number: (
            {name: played_with[of_variables[int(name)]][number][0][name] for name in moves},
            {
                name: played_with.get(entry["dtype"], first)[number][1][name]
                for name, entry in zip(keys(layouts[number]), layouts[number], strict=True)
            },
        )
        for number, (moves, _) in first.items()
    }


def units_of(case: Document, expected: Document, coarsest: float) -> tuple[dict[str, float], dict[str, float]]:
    """u of each variable, by its index, and of each entry of the state: a case may have variables of two dtypes."""

    def unit(dtype: str) -> float:
        return float(np.finfo(dtype).eps) if np.dtype(dtype).kind == "f" else coarsest

    variables = {str(index): unit(v["value"]["dtype"]) for index, v in enumerate(case["variables"])}
    layouts = [layout for _, layout in with_layouts(expected)]
    return variables, {key: unit(e["dtype"]) for layout in layouts for key, e in zip(keys(layout), layout, strict=True)}


Parts = tuple[dict[str, Array], ...]


def with_roundings(
    case: Document,
    expected: Document,
    wide: list[dict[int, Parts]],
    changes: dict[int, Parts],
    arithmetic: tuple[dict[str, float], ...],
) -> Iterator[tuple[int, Margin]]:
    """To the changes come the roundings of the step's own operations, and the last rounding of each element."""
    base = wide[0]
    roles = expected_layout(case)
    averages = {e.name: e.owner for e in roles if e.kind == "average" and e.owner is not None}
    starts = first_state(case, roles)
    layouts, before = dict(with_layouts(expected)), dict[str, list[Any]]()
    for step in expected["steps"]:
        number = step["step"]
        named = {"variables": step["variables"], **dict(zip(keys(layouts[number]), step["state"], strict=True))}
        if number not in base:
            before = named
            continue
        moves, wide_state = base[number]
        variables: list[Array] = []
        centres: list[tuple[list[Array], dict[str, Array]]] = [([], parts[number][1]) for parts in wide]
        for index, (variable, values) in enumerate(zip(case["variables"], step["variables"], strict=True)):
            new = unflat(values, variable["value"]["dtype"], tuple(variable["value"]["shape"]))
            move = moves[str(index)]
            start = before["variables"][index] if before else variable["value"]["values"]
            with np.errstate(all="ignore"):
                for (found, _), parts in zip(centres, wide, strict=True):
                    found.append(unflat(start, "float64", new.shape) + parts[number][0][str(index)])
            seen = rounded(np.where(np.isfinite(new), new, centres[0][0][-1]), new.dtype)
            variables.append(
                changes[number][0][str(index)]
                + arithmetic[0][str(index)] * finite(np.abs(move))
                + last(seen, seen - finite(move))
            )
        state = {}
        for name, entry, values in zip(keys(layouts[number]), layouts[number], step["state"], strict=True):
            like = entry["dtype"], tuple(entry["shape"])
            value = unflat(values, *like)
            old = unflat(before[name], *like) if name in before else starts.get(name, np.zeros_like(value))
            seen = rounded(np.where(np.isfinite(value), value, wide_state[name]), value.dtype)
            state[name] = changes[number][1][name] + last(seen, old)
            if value.dtype.kind == "f":
                with np.errstate(all="ignore"):
                    state[name] += arithmetic[1][name] * finite(np.abs(wide_state[name] - old))
            if name in averages:
                state[name] += variables[averages[name]]
        before = named
        yield number, Margin(variables, state, list(moves.values()), centres)


def first_state(case: Document, roles: list[Entry]) -> dict[str, Array]:
    """What the entries of the state begin with, by name."""
    found = {}
    for name, role in zip(keys([{"name": role.name} for role in roles]), roles, strict=True):
        if role.start != "variable":
            found[name] = np.full(role.shape, role.start, role.dtype)
        elif role.owner is not None:
            found[name] = array(case["variables"][role.owner]["value"])
    return found


def rounded(x: Array, dtype: np.dtype) -> Array:
    """The numbers in a dtype."""
    with np.errstate(all="ignore"):
        return np.asarray(x).astype(dtype)


def keys(layout: list[Document]) -> list[str]:
    """The name of each entry of a layout, with a number where several have one name."""
    names = [entry["name"] for entry in layout]
    return [f"{name} {names[:i].count(name)}" if names.count(name) > 1 else name for i, name in enumerate(names)]


def last(value: Array, old: Array) -> Array:
    """One ulp of a value or of what it was before, whichever is larger, and the smallest normal number."""
    if value.dtype.kind != "f":
        return np.zeros(value.shape)
    with np.errstate(all="ignore"):
        larger = np.maximum(np.abs(value), np.abs(finite(old))).astype(value.dtype)
        return finite(np.spacing(larger)).astype(np.float64) + float(np.finfo(value.dtype).tiny)


def largest(base: Array, others: list[Array]) -> Array:
    """The largest change of each element; infinite where a small one decides whether there is a number at all."""
    with np.errstate(all="ignore"):
        apart = [np.where(np.isfinite(o) != np.isfinite(base), np.inf, finite(np.abs(o - base))) for o in others]
        return np.asarray(np.maximum.reduce([np.zeros_like(base), *apart]))


def finite(x: Array) -> Array:
    """The elements, and 0 for those that are no number."""
    return np.where(np.isfinite(x), x, 0.0)


@functools.cache
def judge_of_margins() -> KerasShaped:
    """The reference."""
    return reference()


def played(case: Document, failing: frozenset[int]) -> dict[int, Parts] | None:
    """What the reference makes of a fed case in float64: by step, the moves of the variables, and the state by name.

    None if other steps end in an error than the recorded ones.
    """
    trajectory = judge_of_margins().run(case)
    if "error" in trajectory or failing != {step["step"] for step in trajectory["steps"] if "error" in step}:
        return None
    layouts = dict(with_layouts(trajectory))
    before = {event["load"]["step"] + 1: event["load"]["variables"] for event in case["events"] if "load" in event}
    first = [v["value"]["values"] for v in case["variables"]]
    shapes = [tuple(v["value"]["shape"]) for v in case["variables"]]
    found: dict[int, Parts] = {}
    for step in trajectory["steps"]:
        old = before.get(step["step"], first)
        with np.errstate(all="ignore"):
            moves = {
                str(i): unflat(new, "float64", shape) - unflat(start, "float64", shape)
                for i, (new, start, shape) in enumerate(zip(step["variables"], old, shapes, strict=True))
            }
        layout = layouts[step["step"]]
        entries = zip(keys(layout), layout, step["state"], strict=True)
        state = {key: unflat(values, "float64", tuple(e["shape"])) for key, e, values in entries}
        found[step["step"]] = moves, state
    return found


def in_float64(case: Document) -> Document:
    """The case with variables and gradients of float64."""

    def widened(node: Any) -> Any:
        if isinstance(node, list):
            return [widened(x) for x in node]
        if not isinstance(node, dict):
            return node
        inner = {key: widened(value) for key, value in node.items() if key != "load"}
        kept = {"load": node["load"]} if "load" in node else {}
        return {**inner, **kept, **({"dtype": "float64"} if "values" in node and "dtype" in node else {})}

    return {**case, "variables": widened(case["variables"]), "events": widened(case["events"])}


def vectors_in_float64(case: Document) -> Document:
    """The case with every variable that is no matrix in float64."""
    values = [variable["value"] for variable in case["variables"]]
    wide = [value if len(value["shape"]) == 2 else {**value, "dtype": "float64"} for value in values]
    variables = [{**v, "value": value} for v, value in zip(case["variables"], wide, strict=True)]
    return {**case, "variables": variables}


Vary = Callable[[Document, float, frozenset[int]], dict[int, Parts] | None]


def variations(case: Document, names: dict[int, list[str]]) -> Iterator[tuple[Vary, int, bool]]:
    """Each input of a step in turn: what comes out if it is larger by a share, its ulps, 0 for N, and if a slot that
    all variables share is made of it.
    """
    roles = expected_layout(case)
    known = keys([{"name": role.name} for role in roles])
    rates = [role.name for role in roles if role.kind == "learning_rate"]
    own = spec.hyperparameters(case["optimizer"]["class_name"], case["edition"])
    for name, value in full_config(case).items():
        if isinstance(value, float) and (value or below_one(own.get(name, {}))):
            decays = below_one(own.get(name, {}))
            yield changed(with_hyperparameter, name, value, rates if name == "learning_rate" else [], names), 1, decays
    yield with_powers, 1, True
    yield changed(with_gradients), 0, False
    yield changed(with_variables), 0, False
    for kind, slot in dict.fromkeys((role.kind, role.slot) for role in roles):
        if kind not in ("iteration", "learning_rate"):
            of_kind = [role for role in roles if (role.kind, role.slot) == (kind, slot)]
            kin = [key for key, role in zip(known, roles, strict=True) if role in of_kind]
            yield changed(with_state, kin, names), 0, any(map(shared, of_kind))


def changed(change: Callable[..., Document], *given: Any) -> Vary:
    """What comes out of a changed copy of a case."""
    return lambda case, share, failing: played(change(*given, marshal.loads(marshal.dumps(case)), share), failing)


def with_powers(case: Document, share: float, failing: frozenset[int]) -> dict[int, Parts] | None:
    """What comes out if every power of the rules is larger: 1 - beta**t is rounded apart from beta's other uses."""
    modules = [
        importlib.import_module(f"{rules.__name__}.{found.name}") for found in pkgutil.iter_modules(rules.__path__)
    ]
    with contextlib.ExitStack() as stack:
        for module in modules:
            if hasattr(module, "power"):
                stack.enter_context(mock.patch.object(module, "power", lambda b, t: bits.power(b, t) + share))
        return played(case, failing)


def with_hyperparameter(
    name: str, value: float, rates: list[str], names: dict[int, list[str]], case: Document, share: float
) -> Document:
    """Another value of a hyperparameter, also where it is part of the state."""
    own = spec.hyperparameters(case["optimizer"]["class_name"], case["edition"])
    case["optimizer"]["config"][name] = value + share * (1 if below_one(own.get(name, {})) else value)
    for state, index in loaded(case, rates, names):
        state[index] = [x * (1 + share) for x in state[index]]
    return case


def below_one(argument: Document) -> bool:
    """Is it a decay of a running mean, whose difference from 1 is the weight of what is new?"""
    return bool(argument.get("exclusiveMaximum") == 1)


def loaded(case: Document, kin: list[str], names: dict[int, list[str]]) -> Iterator[tuple[list[Any], int]]:
    """Where the entries of these names stand in the state that is loaded before every step."""
    for event in case["events"]:
        if "load" in event:
            present = names[event["load"]["step"]]
            yield from ((event["load"]["state"], present.index(name)) for name in kin if name in present)


def with_gradients(case: Document, share: float) -> Document:
    """Other gradients."""
    for event in case["events"]:
        gradients = event.get("attempt", event).get("apply", [])
        for index, gradient in enumerate(gradients):
            if isinstance(gradient, list):
                gradients[index] = moved(gradient, share)
            elif gradient is not None:
                tensor = gradient["values"] if "indices" in gradient else gradient
                tensor["values"] = moved(tensor["values"], share)
    return case


def with_variables(case: Document, share: float) -> Document:
    """Other variables, before every step."""
    for variable in case["variables"]:
        variable["value"]["values"] = moved(variable["value"]["values"], share)
    for event in case["events"]:
        if "load" in event:
            event["load"]["variables"] = [moved(values, share) for values in event["load"]["variables"]]
    return case


def with_state(kin: list[str], names: dict[int, list[str]], case: Document, share: float) -> Document:
    """Another slot, average or sum of gradients, before every step."""
    for state, index in loaded(case, kin, names):
        state[index] = moved(state[index], share)
    return case


def moved(values: list[Any], share: float) -> list[Any]:
    """Each number larger or smaller by a share of itself; which, a generator decides that is the same every time."""
    numbers = unflat(values, "float64", (len(values),))
    signs = np.random.default_rng(len(values)).choice([-1.0, 1.0], len(values))
    return flat(numbers * (1 + share * signs))
