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
from .saved import SavedOptimizer, Weight

Document = dict[str, Any]
Pair = tuple[Any, Any, list[Variable], list[Variable]]
"""An optimizer of the source's edition and one of the target's, and the variables that each trains."""
STEPS = 6
SAME_BUT_ROUNDING = 1e-4
LOST_WHEN_RESTORED = "E-027"
RATE = "learning_rate"
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
    here, there = edition_of(old, source_edition, source), edition_of(new, target_edition, base)
    name = class_of(old, optimizer) or class_of(new, optimizer)
    if name is None:
        raise ConversionError(f"{source} does not say of which class its optimizer is: say so")
    for edition in (here, there):
        if name not in spec.available(edition):
            raise ConversionError(f"{edition} has no {name}")
    own = arguments_of(name, here, {**_config(old), **(config or {})}, old)
    taken = carried_arguments(name, here, there, own)
    own, taken = own | _own_name(old), taken | _own_name(new)
    owners = owners_of(name, here, own, old) or owners_of(name, there, taken, new)
    if not owners and _depends_on_rank(name):
        raise ConversionError(
            f"the state of {name} depends on the rank of each variable, and {source} does not show the variables: "
            "a checkpoint does"
        )
    if not old.weights:
        raise ConversionError(f"{source} holds no state of an optimizer")

    def anew() -> tuple[Any, Any]:
        return made(name, here, own), made(name, there, taken)

    def restored() -> Pair:
        one, two = anew()
        before = [Variable(np.zeros(o.shape, o.dtype), o.name) for o in owners]
        after = [Variable(np.zeros(o.shape, o.dtype), n) for o, n in zip(owners, _names(new, owners), strict=True)]
        files.put(old, one, before)
        return one, two, before, after

    one, two, before, after = restored()
    carried, started, dropped = carry(one, two, before, after)
    copies = restored()
    carry(*copies)
    difference = compared(anew(), copies)
    if difference > SAME_BUT_ROUNDING:
        lost = [f"{slot} is not in the file" for slot in hidden(name, here) if f"_{slot}" not in old.beside]
        raise ConversionError(
            f"{name} of {here} can't be carried to {there}, which does not go on alike: the same gradients give steps "
            f"that differ by up to {difference:.1%}. {'; '.join(lost) or 'Their rules differ'}; "
            f"see: goldenstep diff {here} {there} --optimizer {name}"
        )
    loses = spec.errata()[LOST_WHEN_RESTORED]
    if name in loses["optimizers"] and there in loses["editions"]:
        raise ConversionError(
            f"{name} of {there} does not go on from a file, whoever wrote it: {loses['title']} ({loses['id']})"
        )
    result = files.saved_from(two, after)
    files.write(output, _named_alike(result, new), base)
    return Conversion(here, there, name, carried, started, dropped, difference)


def hidden(name: str, edition: str) -> list[str]:
    """The slots that an edition keeps outside the optimizer's variables."""
    return [symbol for symbol, slot in spec.optimizers()[name]["slots"].items() if edition in slot.get("hidden_in", ())]


def _config(saved: SavedOptimizer) -> Document:
    return dict(saved.config["config"]) if saved.config else {}


def _own_name(saved: SavedOptimizer) -> Document:
    """The optimizer's own name, which stays with its file."""
    return {key: value for key, value in _config(saved).items() if key == "name"}


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
        elif value is not None and value != usual[key]:
            raise ConversionError(f"{key}={value} can't be carried: {name} of {target} has no such argument")
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
    named = list(dict.fromkeys(weight.variable for weight in saved.weights if weight.variable))
    if named:
        return _shown({n: saved.variables[n] for n in named})
    if _depends_on_rank(name):
        return _shown(saved.variables)
    return _counted(name, edition, {**defaults(name, edition), **arguments}, saved.weights)


def _shown(variables: dict[str, np.ndarray]) -> list[Owner]:
    return [Owner(n, a.shape, a.dtype.name) for n, a in variables.items()]


def _counted(name: str, edition: str, config: Document, weights: Sequence[Weight]) -> list[Owner]:
    """As many as have a state of so many arrays; the shape of each is that of the first array that belongs to it."""
    for count in range(len(weights)):  # the iteration is no variable's
        owners = [Owner(f"variable_{i}", (), "float32") for i in range(count)]
        kept = [entry for entry in layout(name, edition, config, owners, name) if not entry.hidden]
        if len(kept) == len(weights):
            pairs = zip(kept, weights, strict=True)
            arrays = {entry.owner: weight.value for entry, weight in reversed(list(pairs)) if entry.owner is not None}
            return _shown({owner.name: arrays[i] for i, owner in enumerate(owners) if i in arrays})
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
    held, wanted = _placed(one, before), _placed(two, after)
    same = [place for place in wanted if place in held]
    for place in same:
        wanted[place].assign(held[place].value)
    public = {id(v) for v in one._state}
    shown = {(kind, i): kind if i is None else f"{kind} of {after[i].name}" for kind, i in wanted}
    started = [shown[place] for place in wanted if place not in held and place != (RATE, None)]
    dropped = {kind for kind, i in held if (kind, i) not in wanted and id(held[kind, i]) in public} - {RATE}
    return [shown[place] for place in same], started, sorted(dropped)


def _placed(optimizer: Any, variables: Sequence[Variable]) -> dict[tuple[str, int | None], Variable]:
    """The state by slot and number of the variable, with the learning rate where a variable holds it."""
    numbers = {id(variable): number for number, variable in enumerate(variables)}
    found = {(kind, numbers.get(owner)): held for (kind, owner), held in optimizer._slots.items()}
    rate = optimizer.__dict__.get("_learning_rate")
    return found | ({(RATE, None): rate} if isinstance(rate, Variable) else {})


def built(optimizer: Any, variables: Sequence[Variable]) -> None:
    """Make the state for the variables."""
    if hasattr(optimizer, "_create_all_weights"):
        optimizer._create_all_weights(variables)
    else:
        optimizer.build(variables)


# ---- how alike two editions are -------------------------------------------------------------------------------


def compared(new: tuple[Any, Any], restored: Pair) -> float:
    """The largest relative difference between the steps of both: from a new state, and from the carried one."""
    probe = probes()
    starts = np.zeros_like(probe), np.flip(probe)
    ours, theirs = ([Variable(start, f"probe_{i}") for i, start in enumerate(starts)] for _ in new)
    streams = [[probe * factor for _ in starts] for factor in np.linspace(0.5, 1.5, STEPS, dtype=np.float32)]
    found = _differences(*new, ours, theirs, streams)
    *_, variables = restored
    rng = np.random.default_rng(0)
    gradients = [[np.asarray(rng.standard_normal(v.shape), v.dtype) for v in variables] for _ in range(STEPS)]
    return max([*found, *(_differences(*restored, gradients) if variables else [])])


def probes() -> np.ndarray:
    """A matrix of gradients from 1e-8 to 100, every other one negative: they show where an epsilon stands."""
    sizes = np.geomspace(1e-8, 100, 64, dtype=np.float32).reshape(8, 8)
    sizes[:, ::2] *= -1
    return sizes


def _differences(
    one: Any, two: Any, ours: Sequence[Variable], theirs: Sequence[Variable], streams: Sequence[Sequence[np.ndarray]]
) -> list[float]:
    """How much each step of each variable differs."""
    found = []
    for gradients in streams:
        old = [(a.value, b.value) for a, b in zip(ours, theirs, strict=True)]
        one.apply_gradients(list(zip(gradients, ours, strict=True)))
        two.apply_gradients(list(zip(gradients, theirs, strict=True)))
        steps = zip(old, ours, theirs, strict=True)
        found += [difference_of_steps(first, a.value, second, b.value) for (first, second), a, b in steps]
    return found


def difference_of_steps(first: np.ndarray, a: np.ndarray, second: np.ndarray, b: np.ndarray) -> float:
    """How much the steps from `first` to `a` and from `second` to `b` differ, relative to the larger one.

    Up to 8 units in the last place of the weights are their rounding: the smallest number, and not 0, which is for
    weights that are equal. A number is infinitely far from what is none.
    """
    alike = (a == b) | (np.isnan(a) & np.isnan(b))
    if alike.all():
        return 0.0
    with np.errstate(all="ignore"):
        steps = np.float64(a) - np.float64(first), np.float64(b) - np.float64(second)
        rounding = 8 * np.spacing(np.maximum(np.abs(a), np.abs(b))).astype(np.float64)
        excess = np.maximum(np.abs(np.subtract(*steps)) - rounding, 0)
        relative = np.where(alike | (excess == 0), 0, excess / np.maximum(*np.abs(steps)))
    return max(float(np.nan_to_num(relative, nan=np.inf).max()), float(np.finfo(np.float32).tiny))


def _named_alike(result: SavedOptimizer, new: SavedOptimizer) -> SavedOptimizer:
    """The weights with the names that the target's file has for them, if it has as many."""
    if len(new.weights) != len(result.weights):
        return result
    by_slot: dict[Any, str] = {(w.slot, w.variable): w.name for w in new.weights if w.slot}
    names = [by_slot.get((w.slot, w.variable), old.name) for w, old in zip(result.weights, new.weights, strict=True)]
    pairs = zip(result.weights, names, strict=True)
    return dataclasses.replace(result, weights=[dataclasses.replace(w, name=name) for w, name in pairs])
