"""Carry an optimizer from one edition to another: its config, and its state slot by slot.

    convert("old.h5", "new.keras", "converted.keras")

`new.keras` is a file of the target edition with the same model and the same class of optimizer; it brings the model,
and gets the config and the state. Nothing about a pair of editions is listed here: which array is which slot follows
from the layouts that the specification gives for both, and whether both go on alike from running them side by side.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from goldenstep import spec
from goldenstep.spec import serialization
from goldenstep.spec.layout import Owner, layout

from ..variable import Variable
from . import files
from .checkpoint import SCALE
from .errors import FileFormatError
from .saved import SavedOptimizer

Document = dict[str, Any]
STEPS = 6
SAME_BUT_ROUNDING = 1e-4
LOST_WHEN_RESTORED = "E-027"
REFUSALS = (ArithmeticError, AttributeError, LookupError, NotImplementedError, TypeError, ValueError)
"""What an optimizer raises whose arguments make no sense, when it is made or in its first step."""


class ConversionError(ValueError):
    """An optimizer can't be carried over; the message names what can't."""


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What was done: what was carried, started anew for want of a source, or dropped for want of a place.

    difference   largest difference between a step of both editions, relative to the step: 0 is to the bit
    """

    source: str
    target: str
    optimizer: str
    carried: list[str]
    started: list[str]
    dropped: list[str]
    difference: float


def convert(
    source: Path | str,
    base: Path | str,
    output: Path | str,
    source_edition: str | None = None,
    target_edition: str | None = None,
    optimizer: str | None = None,
    config: Document | None = None,
) -> Conversion:
    """Write `base` with the optimizer of `source` in it to `output`.

    A checkpoint and a `.weights.h5` hold no config: `source_edition`, `optimizer` and `config` say what they don't,
    and `target_edition` what `base` doesn't. Raises ConversionError, and writes nothing, for what can't be carried: an
    argument that the target has not, state that is not in the file, or that the target does not restore, another
    update rule. A bad file is a FileFormatError.
    """
    try:
        return _convert(Path(source), Path(base), Path(output), source_edition, target_edition, optimizer, config)
    except (ConversionError, FileFormatError):
        raise
    except REFUSALS as error:
        raise ConversionError(f"{source}: an optimizer that can't be made or can't step: {error}") from error


def _convert(
    source: Path,
    base: Path,
    output: Path,
    source_edition: str | None,
    target_edition: str | None,
    optimizer: str | None,
    config: Document | None,
) -> Conversion:
    old, new = files.read(source), files.read(base)
    for saved, path in ((old, source), (new, base)):
        _refuse_wrapped(saved, path)
    editions = edition_of(old, source_edition, source), edition_of(new, target_edition, base)
    name = class_of(old, optimizer) or class_of(new, optimizer)
    if name is None:
        raise ConversionError(f"{source} does not say of which class its optimizer is: say so")
    for edition in editions:
        if name not in spec.available(edition):
            raise ConversionError(f"{edition} has no {name}")
    own = arguments_of(name, editions[0], {**_config(old), **(config or {})}, old)
    own = {**own, "name": _config(old).get("name")} if _config(old).get("name") else own
    taken = carried_arguments(name, *editions, own)
    if new.config and "name" in new.config["config"]:
        taken["name"] = new.config["config"]["name"]
    owners = owners_of(name, editions[0], own, old) or owners_of(name, editions[1], taken, new)
    if not owners and _depends_on_rank(name):
        raise ConversionError(
            f"the state of {name} depends on the rank of each variable, and {source} does not show the variables: "
            "a checkpoint does"
        )
    before = [Variable(np.zeros(o.shape, o.dtype), o.name) for o in owners]
    after = [Variable(np.zeros(o.shape, o.dtype), n) for o, n in zip(owners, _names(new, owners), strict=True)]
    one = made(name, editions[0], own)
    if not old.weights:
        raise ConversionError(f"{source} holds no state of an optimizer")
    files.put(old, one, before)
    two = made(name, editions[1], taken)
    carried, started, dropped = carry(one, two, before, after)
    difference = compared(name, editions, own, taken, one, two, before, after)
    if difference > SAME_BUT_ROUNDING:
        unsaved = [symbol for symbol in hidden(name, editions[0]) if f"_{symbol}" not in old.beside]
        lost = [f"{symbol} is not in the file" for symbol in unsaved]
        lost += [f"{slot} of {editions[0]} has no place in {editions[1]}" for slot in dropped]
        raise ConversionError(
            f"{name} of {editions[0]} can't be carried to {editions[1]}, which does not go on alike: the same "
            f"gradients give steps that differ by up to {difference:.1%}. {'; '.join(lost) or 'Their rules differ'}; "
            f"see: goldenstep diff {editions[0]} {editions[1]} --optimizer {name}"
        )
    loses = spec.errata()[LOST_WHEN_RESTORED]
    if name in loses["optimizers"] and editions[1] in loses["editions"]:
        raise ConversionError(
            f"{name} of {editions[1]} does not go on from a file, whoever wrote it: {loses['title']} ({loses['id']})"
        )
    result = files.saved_from(two, after)
    files.write(output, _named_alike(result, new), base)
    return Conversion(*editions, name, carried, started, dropped, difference)


def hidden(name: str, edition: str) -> list[str]:
    """The slots that an edition keeps outside the optimizer's variables."""
    return [symbol for symbol, slot in spec.optimizers()[name]["slots"].items() if edition in slot.get("hidden_in", ())]


def _config(saved: SavedOptimizer) -> Document:
    return dict(saved.config["config"]) if saved.config else {}


def _refuse_wrapped(saved: SavedOptimizer, path: Path | str) -> None:
    """ConversionError for an optimizer that wraps another: its scale would be lost."""
    own_state = [weight.name for weight in saved.weights if weight.name.endswith("/dynamic_scale")]
    if "inner_optimizer" in _config(saved) or own_state or set(SCALE) & set(saved.beside):
        raise ConversionError(f"{path} holds a LossScaleOptimizer, expected an optimizer that wraps none")


def class_of(saved: SavedOptimizer, optimizer: str | None) -> str | None:
    """The class of a saved optimizer; ConversionError if the reference does not have it."""
    name = saved.config["class_name"].removeprefix("Custom>") if saved.config else optimizer
    if name is not None and name not in spec.optimizers():
        raise ConversionError(f"{name} is none of {', '.join(spec.optimizers())}")
    return name


def edition_of(saved: SavedOptimizer, given: str | None, path: Path | str) -> str:
    """The edition that wrote a file: as it is given, or by the version and the keys of the config."""
    if given is not None:
        if given not in spec.editions():
            raise ConversionError(f"{given}: expected one of {', '.join(spec.editions())}")
        return given
    if saved.version is None or saved.config is None:
        raise ConversionError(
            f"{path} does not say which edition wrote it: expected one of {', '.join(spec.editions())}"
        )
    keys = set(saved.config["config"])
    for edition, document in spec.editions().items():
        version = document["release"].removeprefix("tf").removeprefix("keras")
        written = f"{saved.version}.".startswith(f"{version}.")
        name = saved.config["class_name"].removeprefix("Custom>")
        if written and name in spec.available(edition) and keys <= set(serialization.config_keys(name, edition)):
            return edition
    raise ConversionError(f"{path}: no edition writes version {saved.version} with the keys {sorted(keys)}")


def defaults(name: str, edition: str) -> Document:
    """Every argument that the class takes, with its default."""
    return {argument: entry.get("default") for argument, entry in spec.taken(name, edition).items()}


def arguments_of(name: str, edition: str, config: Document, saved: SavedOptimizer) -> Document:
    """The arguments of a saved optimizer; of a checkpoint the hyperparameters that it has, too."""
    known = defaults(name, edition)
    beside = {key: value[()].item() for key, value in saved.beside.items() if key in known and value.shape == ()}
    given = {**beside, **config}
    constant = serialization.always()
    return {k: shortest(v) for k, v in given.items() if k in known and k not in constant and k != "name"}


def shortest(value: Any) -> Any:
    """The shortest decimal of a number that is a float32; anything else as it is."""
    if isinstance(value, float) and float(np.float32(value)) == value:
        return float(str(np.float32(value)))
    return value


def carried_arguments(name: str, source: str, target: str, own: Document) -> Document:
    """The arguments for the target edition; ConversionError if one that is set does not exist there."""
    theirs, usual = defaults(name, target), defaults(name, source)
    taken = {}
    for key, value in own.items():
        if key in theirs:
            taken[key] = value
        elif key != "name" and value is not None and value != usual[key]:
            raise ConversionError(f"{key}={value} can't be carried: {name} of {target} has no such argument")
    taken.pop("name", None)
    return taken


def made(name: str, edition: str, arguments: Document) -> Any:
    """The reference's optimizer; a schedule among the arguments is made of its class name and config."""
    from ..editions import namespace

    given = dict(arguments)
    rate = given.get("learning_rate")
    if isinstance(rate, dict):
        schedules = namespace(spec.editions()[edition]["release"]).schedules
        schedule = getattr(schedules, rate["class_name"], None)
        if schedule is None:
            raise ConversionError(f"the schedule {rate['class_name']} can't be carried: {edition} has none")
        given["learning_rate"] = schedule(**{k: v for k, v in rate["config"].items() if k != "name"})
    try:
        return getattr(namespace(edition), name)(**given)
    except (TypeError, ValueError) as error:
        raise ConversionError(f"{name} of {edition} refuses the config: {error}") from error


def owners_of(name: str, edition: str, arguments: Document, saved: SavedOptimizer) -> list[Owner]:
    """The variables that the saved state belongs to, as far as it shows them."""
    if any(weight.variable for weight in saved.weights):
        names = list(dict.fromkeys(weight.variable for weight in saved.weights if weight.variable))
        arrays = {n: saved.variables[n] for n in names if n in saved.variables}
        return [Owner(n, a.shape, a.dtype.name) for n, a in arrays.items()]
    config = {**defaults(name, edition), **arguments}
    if _depends_on_rank(name):
        return [Owner(n, a.shape, a.dtype.name) for n, a in saved.variables.items()]
    for count in range(len(saved.weights) + 1):
        entries = layout(name, edition, config, [Owner(f"v{i}", (1,), "float32") for i in range(count)], name)
        kept = [entry for entry in entries if not entry.hidden]
        if count and len(kept) == len(saved.weights):
            pairs = [(e.owner, w.value) for e, w in zip(kept, saved.weights, strict=True) if e.owner is not None]
            first = dict(reversed(pairs))
            return [Owner(f"variable_{i}", first[i].shape, first[i].dtype.name) for i in range(count) if i in first]
    return []


def _depends_on_rank(name: str) -> bool:
    """Has a variable of another rank another state?"""
    return any({"rank", "uses_adam"} & set(variant["when"]) for variant in spec.optimizers()[name]["variants"])


def _names(new: SavedOptimizer, owners: Sequence[Owner]) -> list[str]:
    """The names of the variables in the target's file, as far as it has them."""
    found = list(dict.fromkeys(weight.variable for weight in new.weights if weight.variable))
    return found if len(found) == len(owners) else [owner.name for owner in owners]


def carry(
    one: Any, two: Any, before: Sequence[Variable], after: Sequence[Variable]
) -> tuple[list[str], list[str], list[str]]:
    """Give every array of the target's state the value of the same slot; those carried, started and dropped."""
    built(two, after)
    position = {id(v): i for variables in (before, after) for i, v in enumerate(variables)}
    held = {(kind, position.get(owner)): variable for (kind, owner), variable in one._slots.items()}
    held["learning_rate", None] = held.get(("learning_rate", None)) or _rate(one)
    carried, started, used = [], [], set()
    for (kind, owner), variable in two._slots.items():
        key = kind, position.get(owner)
        value = held.get(key)
        shown = kind if owner is None else f"{kind} of {after[position[owner]].name}"
        if value is None or value.shape != variable.shape:
            started.append(shown)
            continue
        variable.assign(value.value)
        carried.append(shown)
        used.add(key)
    rate = _rate(two)
    if rate is not None and held["learning_rate", None] is not None:
        rate.assign(held["learning_rate", None].value)
    public = {id(v) for v in one._state}
    dropped = sorted({str(kind) for (kind, o), v in held.items() if (kind, o) not in used and id(v) in public})
    without_rate = [[name for name in names if name != "learning_rate"] for names in (started, dropped)]
    return carried, without_rate[0], without_rate[1]


def _rate(optimizer: Any) -> Variable | None:
    """The variable that holds the learning rate, where there is one."""
    rate = optimizer.__dict__.get("_learning_rate")
    return rate if isinstance(rate, Variable) else None


def built(optimizer: Any, variables: Sequence[Variable]) -> None:
    """Make the state for the variables."""
    if hasattr(optimizer, "_create_all_weights"):
        optimizer._create_all_weights(variables)
    else:
        optimizer.build(variables)


# ---- how alike two editions are -------------------------------------------------------------------------------


def compared(
    name: str,
    editions: tuple[str, str],
    own: Document,
    taken: Document,
    one: Any,
    two: Any,
    before: Sequence[Variable],
    after: Sequence[Variable],
) -> float:
    """The largest relative difference between the steps of both: from the carried state, and from a new one.

    Both train copies; from a new state with gradients from 1e-8 to 100, so that it shows where an epsilon stands.
    """
    from copy import deepcopy

    rng = np.random.default_rng(0)
    sizes = np.float32(10.0 ** rng.uniform(-8, 2, 64)) * rng.choice(np.array([-1, 1], np.float32), 64)
    starts = [np.zeros((8, 8), np.float32), rng.normal(0, 3, (8, 8)).astype(np.float32)]
    fresh = [made(name, edition, arguments) for edition, arguments in zip(editions, (own, taken), strict=True)]
    fresh_variables = [[Variable(start, f"probe_{i}") for i, start in enumerate(starts)] for _ in fresh]
    streams = [[sizes.reshape(8, 8) * np.float32(rng.uniform(0.5, 1.5)) for _ in starts] for _ in range(STEPS)]
    of_new = _difference(fresh, fresh_variables, streams)
    pair = [deepcopy((one, list(before))), deepcopy((two, list(after)))]
    rebound = [_rebound(optimizer, old, new) for (optimizer, new), old in zip(pair, (before, after), strict=True)]
    gradients = [[np.asarray(rng.normal(0, 1, v.shape), v.dtype) for v in before] for _ in range(STEPS)]
    of_carried = _difference(rebound, [variables for _, variables in pair], gradients) if before else 0.0
    return max(of_new, of_carried)


def _rebound(optimizer: Any, old: Sequence[Variable], new: Sequence[Variable]) -> Any:
    """A copy of an optimizer knows its variables by identity: let it know their copies."""
    now = {id(a): id(b) for a, b in zip(old, new, strict=True)}
    optimizer._slots = {(kind, now.get(owner, owner)): variable for (kind, owner), variable in optimizer._slots.items()}
    optimizer._refused = {now.get(owner, owner) for owner in optimizer._refused}
    optimizer._plans, optimizer._sparse_plans = {}, {}
    optimizer._choose_rules(list(new))
    return optimizer


def _difference(
    optimizers: Sequence[Any], variables: Sequence[list[Variable]], streams: list[list[np.ndarray]]
) -> float:
    """The largest difference of a step, relative to the step, beyond the rounding of the weights."""
    worst = 0.0
    for gradients in streams:
        old = [[v.value for v in own] for own in variables]
        for optimizer, own in zip(optimizers, variables, strict=True):
            optimizer.apply_gradients(list(zip(gradients, own, strict=True)))
        for a, b, first, second in zip(*variables, *old, strict=True):
            if np.array_equal(a.value, b.value, equal_nan=True):
                continue
            with np.errstate(all="ignore"):
                steps = np.float64(a.value) - np.float64(first), np.float64(b.value) - np.float64(second)
                slack = 8 * np.spacing(np.maximum(np.abs(a.value), np.abs(b.value))).astype(np.float64)
                excess = np.maximum(np.abs(steps[0] - steps[1]) - slack, 0)
                relative = np.where(excess > 0, excess / np.maximum(np.abs(steps[0]), np.abs(steps[1])), 0)
            worst = max(worst, float(np.nan_to_num(relative, nan=np.inf).max()), float(np.finfo(np.float32).tiny))
    return worst


def _named_alike(result: SavedOptimizer, new: SavedOptimizer) -> SavedOptimizer:
    """The weights with the names that the target's file has for them, if it has as many."""
    if len(new.weights) != len(result.weights):
        return result
    by_slot: dict[Any, str] = {(w.slot, w.variable): w.name for w in new.weights if w.slot}
    names = [by_slot.get((w.slot, w.variable), old.name) for w, old in zip(result.weights, new.weights, strict=True)]
    pairs = zip(result.weights, names, strict=True)
    return dataclasses.replace(result, weights=[dataclasses.replace(w, name=name) for w, name in pairs])
