"""Two implementations at work on the same inputs: equal to the bit, or since when and by how much they differ."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.text import Text

from goldenstep import spec
from goldenstep.golden import files
from goldenstep.golden.codec import unflat
from goldenstep.golden.compare import Divergence, same, ulps

from .answers import UnsupportedError
from .differences import watched
from .explain import grid, heading
from .implementations import Implementation, load
from .selection import Selection, UnknownSelectionError, select

Document = dict[str, Any]
SHOWN_STEPS = (1, 10, 100, 1000)


@dataclass(frozen=True)
class Side:
    """An implementation, and the edition that it follows here."""

    name: str
    implementation: Implementation
    edition: str

    def __str__(self) -> str:
        version = getattr(self.implementation, "version", "")
        return f"{self.name} {version}".rstrip() + f" as {self.edition}"

    def run(self, case: Document) -> Document:
        """The trajectory of a case, taken as one of this side's edition; whatever is raised is its error."""
        try:
            return self.implementation.run({**case, "edition": self.edition})
        except UnsupportedError:
            raise
        except (Exception, SystemExit) as exception:
            error = {"stage": "run", "type": type(exception).__name__, "message": str(exception)[:300]}
            return {"id": case["id"], "layout": [], "steps": [], "error": error}


@dataclass(frozen=True)
class Outcome:
    """What came out of one case: a kind, the first difference, and the distances at each kept step."""

    id: str
    kind: str
    reason: str = ""
    divergence: Divergence | None = None
    distances: tuple[tuple[int, float, float], ...] = ()


def sides(names: Sequence[str], optimizer: str, edition: str | None) -> list[Side]:
    """Two implementations, `name` or `name@edition`; without an edition the newest that both claim, or each its own.

    An edition alone stands for the reference as that edition.
    """
    spelled = [spelled_out(name) for name in names]
    loaded = [load(name, own or edition) for name, own in spelled]
    usable = [
        [e for e in spec.editions() if optimizer in spec.available(e) and e in implementation.editions]
        for implementation in loaded
    ]
    common = [e for e in usable[0] if e in usable[1]]
    chosen = []
    for (name, own), implementation, editions in zip(spelled, loaded, usable, strict=True):
        wanted = own or edition or (common or editions or [""])[-1]
        if wanted not in editions:
            what = f"{optimizer} of {wanted}" if wanted else optimizer
            claimed = ", ".join(editions) or f"none that has {optimizer}"
            raise UnknownSelectionError(f"{name} does not have {what}; the editions that it claims: {claimed}.")
        chosen.append(Side(name, implementation, wanted))
    return chosen


def spelled_out(name: str) -> tuple[str, str]:
    """Implementation and edition in `keras@keras3`, `keras3` or `keras`; the edition is empty if none is given."""
    editions = {edition.lower(): edition for edition in spec.editions()}
    if name.lower() in editions:
        return "reference", editions[name.lower()]
    before, _, after = name.rpartition("@")
    return (before, editions[after.lower()]) if before and after.lower() in editions else (name, "")


def compare_live(
    console: Console, one: Side, two: Side, optimizer: str, everything: bool = False, path: Path | None = None
) -> bool | None:
    """Run the recorded cases' inputs on both and print the difference; is there any? None if nothing could be run.

    With a `path` the comparison is written there as JSON, for `goldenstep report`.
    """
    places = select(files.index(), Selection(editions=[one.edition], optimizers=[optimizer]))
    own = [files.parsed(*place)["case"] for place in places.values() if place[0].stem == optimizer.lower()]
    goldens = [case for case in own if not {"mode", "replicas"} & set(case)]
    outcomes = [outcome(one, two, case) for case in watched(goldens, f"{one.name} and {two.name}")]
    console.print(Text.assemble((optimizer, "bold"), f": {one}, and {two}; {len(outcomes)} cases"))
    kinds = Counter(o.kind for o in outcomes)
    for kind in ("equal to the bit", "refused by both alike", "different", "an error in one", "unsupported"):
        if kinds[kind]:
            console.print(Text(f"  {kinds[kind]:4d} {kind}"))
    unsupported = [o for o in outcomes if o.kind == "unsupported"]
    for reason in dict.fromkeys(o.reason for o in unsupported):
        console.print(Text(f"       ({reason})"))
    if len(unsupported) == len(outcomes):
        return None
    notes = [o.reason for o in outcomes if o.kind != "unsupported" and o.reason]
    if notes:
        console.print(Text(f"  {notes[0]}"))
    differing = [o for o in outcomes if o.kind in ("different", "an error in one")]
    if differing:
        print_differing(console, one, two, differing, everything)
    print_thousand(console, outcomes)
    given = mapping(one, two, goldens, outcomes)
    summary = verdict(one, two, kinds, outcomes, given)
    console.print(Text(f"\n{summary}", style="bold"))
    if path:
        write(path, one, two, optimizer, summary, kinds, outcomes)
    return bool(differing)


def mapping(one: Side, two: Side, cases: Sequence[Document], outcomes: Sequence[Outcome]) -> Document:
    """The arguments that, given to both, make all cases equal that ask for no error; empty if there are none.

    What is tried are the defaults of the first side's edition: each alone, and all of them together.
    """
    differing = [case for case, o in zip(cases, outcomes, strict=True) if o.kind == "different" and o.distances]
    if not differing:
        return {}
    name = differing[0]["optimizer"]["class_name"]
    defaults = {
        argument: entry["default"]
        for argument, entry in spec.hyperparameters(name, one.edition).items()
        if isinstance(entry["default"], int | float) and argument in spec.hyperparameters(name, two.edition)
    }
    for given in [*({argument: value} for argument, value in defaults.items()), defaults]:
        if all(weights_equal(one, two, written_out(case, given)) for case in differing):
            return given
    return {}


def written_out(case: Document, given: Document) -> Document:
    """The case with these arguments given, unless it gives them itself."""
    optimizer = {**case["optimizer"], "config": {**given, **case["optimizer"]["config"]}}
    return {**case, "optimizer": optimizer}


def weights_equal(one: Side, two: Side, case: Document) -> bool:
    """Do both compute the same variables?"""
    try:
        answers = one.run(case), two.run(case)
    except UnsupportedError:
        return False
    if any("error" in answer or not answer["steps"] for answer in answers):
        return False
    return first_difference(case, *answers, None) is None


def verdict(one: Side, two: Side, kinds: Counter[str], outcomes: Sequence[Outcome], given: Document) -> str:
    """The answer in a sentence: equal, equal under a mapping, or different, since when and by how much."""
    if not kinds["different"] and not kinds["an error in one"]:
        return "equal to the bit"
    steps = [o.divergence.step for o in outcomes if o.divergence and o.divergence.step is not None]
    count = kinds["different"] + kinds["an error in one"]
    since = f"different in {count} of {len(outcomes)} cases" + (f", since step {min(steps)}" if steps else "")
    if given:
        arguments = ", ".join(f"{name}={value!r}" for name, value in given.items())
        return f"equal under this mapping: {arguments} given to both; without it {since}"
    long = next((o for o in outcomes if o.id.endswith("/thousand-steps")), None)
    shown = [(step, relative) for step, _, relative in (long.distances if long else ()) if step in SHOWN_STEPS]
    if not shown:
        return since
    if not any(relative for _, relative in shown):
        return f"{since}; without options equal for {shown[-1][0]:,} steps"
    apart = ", ".join(f"{number(relative)} after {step:,}" for step, relative in shown)
    return f"{since}; without options the weights are apart, relative to the largest, by {apart} steps"


def write(
    path: Path,
    one: Side,
    two: Side,
    optimizer: str,
    summary: str,
    kinds: Counter[str],
    outcomes: Sequence[Outcome],
) -> None:
    """Write the comparison as JSON: what is printed, and the curve of every case that differs."""
    from .report_file import number as plain

    cases = [
        {
            "id": o.id,
            "kind": o.kind,
            "curve": [[step, plain(ulp), plain(relative)] for step, ulp, relative in o.distances],
        }
        for o in outcomes
        if o.kind == "different"
    ]
    document = {
        "comparison": 1,
        "optimizer": optimizer,
        "one": str(one),
        "two": str(two),
        "verdict": summary,
        "counts": dict(sorted(kinds.items())),
        "cases": cases,
    }
    spec.validate(document, "comparison", str(path))
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def print_differing(console: Console, one: Side, two: Side, differing: Sequence[Outcome], everything: bool) -> None:
    """The cases that differ, and since when."""
    first = Counter(o.divergence.step for o in differing if o.divergence and o.divergence.step is not None)
    if first:
        since = ", ".join(f"step {step} in {count}" for step, count in sorted(first.items()))
        console.print(Text(f"  different since {since}"))
    heading(console, "First difference of each case")
    rows = []
    for o in differing if everything else differing[:10]:
        d = o.divergence
        assert d is not None
        where = d.where + (f"[{d.element}]" if d.element is not None else "")
        ulp = number(d.ulp) if d.ulp is not None else "-"
        rows.append([o.id.rpartition("/")[2], d.step if d.step is not None else "-", where, d.expected, d.got, ulp])
    labels = ["1", "2"] if one.name == two.name else [one.name, two.name]
    console.print(grid(["case", "step", "where", *labels, "ulp"], rows, right=[1, 5]))
    if not everything and len(differing) > 10:
        console.print(Text(f"... and {len(differing) - 10} more: --all shows them"))


def print_thousand(console: Console, outcomes: Sequence[Outcome]) -> None:
    """How far the variables are apart as the steps go on."""
    long = next((o for o in outcomes if o.id.endswith("/thousand-steps")), None)
    if long is None or not long.distances:
        return
    heading(console, "Variables of the case `thousand-steps`")
    rows = [
        [f"{step:,}", number(ulp) if ulp else "equal", number(relative) if ulp else "equal"]
        for step, ulp, relative in long.distances
        if step in SHOWN_STEPS
    ]
    console.print(grid(["after steps", "largest ulp", "relative to the largest weight"], rows, right=[0, 1, 2]))


def number(value: float) -> str:
    """A distance: whole where it is small, two digits else."""
    return f"{value:g}" if value == int(min(value, 1e9)) and value < 1e6 else f"{value:.2g}"


def outcome(one: Side, two: Side, case: Document) -> Outcome:
    """Run a case on both, and find where they part."""
    for side in (one, two):
        reason = side.implementation.supports({**case, "edition": side.edition})
        if reason:
            return Outcome(case["id"], "unsupported", f"{side.name}: {reason}")
    try:
        first, second = one.run(case), two.run(case)
    except UnsupportedError as unsupported:
        return Outcome(case["id"], "unsupported", str(unsupported))
    ends = kind_of(first.get("error")), kind_of(second.get("error"))
    if ends[0] != ends[1]:
        kind = "an error in one" if "no error" in ends else "different"
        return Outcome(case["id"], kind, "", Divergence(None, "error", None, *ends, None))
    if "error" in first and not first["steps"]:
        return Outcome(case["id"], "refused by both alike")
    layouts = dict(layout_of_steps(first)), dict(layout_of_steps(second))
    note = not_alike(*layouts)
    divergence = first_difference(case, first, second, None if note else layouts[0])
    apart = tuple((s["step"], *distance(case, s, t)) for s, t in zip(first["steps"], second["steps"], strict=False))
    return Outcome(case["id"], "different" if divergence else "equal to the bit", note, divergence, apart)


def layout_of_steps(trajectory: Document) -> Iterator[tuple[int, list[Document]]]:
    """Each kept step and the layout of its state: a step that says nothing of it has the one before it."""
    layout = trajectory["layout"]
    for step in trajectory["steps"]:
        layout = step.get("layout", layout)
        yield step["step"], layout


def not_alike(one: dict[int, list[Document]], two: dict[int, list[Document]]) -> str:
    """Why the states can't be compared entry by entry; empty if they can: names, dtypes and shapes agree."""
    pairs = ((one[step], two[step]) for step in one if step in two)
    for a, b in (entries for pair in pairs for entries in itertools.zip_longest(*pair)):
        if a != b:
            named = " and ".join(f"{entry['name']} {entry['dtype']}" if entry else "nothing" for entry in (a, b))
            return f"the states are not laid out alike ({named}): only the variables are compared"
    return ""


def first_difference(
    case: Document, one: Document, two: Document, layouts: dict[int, list[Document]] | None
) -> Divergence | None:
    """The first step and element whose bits differ: in a step errors first, then the state, then the variables."""
    steps = [s["step"] for s in one["steps"]], [s["step"] for s in two["steps"]]
    if steps[0] != steps[1]:
        return Divergence(None, "recorded steps", None, *steps, None)
    variables = [{"name": v["name"], **v["value"]} for v in case["variables"]]
    for first, second in zip(one["steps"], two["steps"], strict=True):
        number = first["step"]
        errors = kind_of(first.get("error")), kind_of(second.get("error"))
        if errors[0] != errors[1]:
            return Divergence(number, "error", None, *errors, None)
        state = [*zip(layouts[number], first["state"], second["state"], strict=True)] if layouts else []
        for entry, a, b in [*state, *zip(variables, first["variables"], second["variables"], strict=True)]:
            if not same(a, b):
                arrays = (unflat(values, entry["dtype"], tuple(entry["shape"])) for values in (a, b))
                far = ulps(*arrays).ravel()
                if far.any():
                    element = int(np.argmax(far > 0))
                    shown = element if entry["shape"] else None
                    return Divergence(number, entry["name"], shown, a[element], b[element], float(far[element]))
    return None


def kind_of(error: Document | None) -> str:
    """An error as far as two implementations must agree on it."""
    return f"{error['type']} at {error['stage']}" if error else "no error"


def distance(case: Document, one: Document, two: Document) -> tuple[float, float]:
    """Largest ulp of a variable's element, and largest difference relative to the variable's largest weight."""
    worst = relative = 0.0
    for v, *values in zip(case["variables"], one["variables"], two["variables"], strict=True):
        a, b = (unflat(x, v["value"]["dtype"], tuple(v["value"]["shape"])) for x in values)
        far = ulps(a, b)
        if far.any():
            worst = max(worst, float(far.max()))
            with np.errstate(all="ignore"):
                apart = np.abs(a.astype(np.float64) - b.astype(np.float64))[far > 0].max()
                share = float(apart / np.abs(a.astype(np.float64)).max())
            relative = max(relative, share if np.isfinite(share) else np.inf)
    return worst, relative
