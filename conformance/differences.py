"""What differs between two editions (specification, rules, and errors of the reference), or two golden folders."""

from __future__ import annotations

import itertools
import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from goldenstep import spec
from goldenstep.golden import cases, files
from goldenstep.golden.compare import compare

from .explain import (
    Rule,
    grid,
    heading,
    in_graph,
    name_of,
    place,
    prepared,
    print_change,
    rule_changes,
    rules_of,
    shown,
    state_of,
    type_of,
)
from .keras_shaped import reference

Document = dict[str, Any]
Row = list[str]
Item = TypeVar("Item")


def watched(items: Sequence[Item], what: str) -> Iterator[Item]:
    """The items, with a bar on the terminal's standard error while they last; nothing is shown elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield from progress.track(items, description=what)


# ---- two editions ----------------------------------------------------------------------------------------------


def diff_editions(console: Console, one: str, two: str, only: str | None = None) -> bool:
    """Print what differs between two editions, for all optimizers or one; is there anything?"""
    has = [spec.available(edition) for edition in (one, two)]
    names = [name for name in dict.fromkeys([*has[0], *has[1]]) if only in (None, name)]
    both = [name for name in names if name in has[0] and name in has[1]]
    console.print(Text.assemble((f"{one} -> {two}", "bold")))
    found = [diff_pipelines(console, one, two)]

    errors = error_rows(both, one, two)
    heading(console, "Optimizers")
    rows = [overview(name, one, two, errors) for name in names]
    console.print(grid(["optimizer", "rules", "own arguments", "state", "errors"], rows))
    found += [any(row[1:] != ["same bits", "same", "same", "same"] for row in rows)]
    for name in both:
        details(console, name, one, two)

    if errors:
        heading(console, "Errors, where the reference of the two does not raise the same")
        shared = [
            [what, *outcome, "all" if len(who) == len(both) > 1 else ", ".join(who)] for what, outcome, who in errors
        ]
        console.print(grid(["given", one, two, "optimizers"], shared))
    return any(found)


def diff_pipelines(console: Console, one: str, two: str) -> bool:
    """What the editions' documents say of all their optimizers."""
    about = [spec.editions()[edition] for edition in (one, two)]
    heading(console, "Around the rule")
    example = next(name for name in spec.available(one) if name in spec.available(two))
    for edition, document in zip((one, two), about, strict=True):
        console.print(Text(f"  {edition}, {document['title']}: {place(type_of(example, edition))}"))
        for line in document["summary"]:
            console.print(Text(f"    {line}"))
    facts = [dict(facts_of(document)) for document in about]
    rows = [[name, *(f.get(name, "-") for f in facts)] for name in dict.fromkeys([*facts[0], *facts[1]])]
    rows = [row for row in rows if row[1] != row[2]]
    if rows:
        console.print()
        console.print(grid(["", one, two], rows))
    arguments = argument_rows(*common_arguments(one, two), with_meaning=True)
    if arguments:
        heading(console, "Arguments that every optimizer has")
        console.print(grid(["argument", one, two], arguments))
    return bool(rows or arguments)


def facts_of(document: Document) -> Iterator[tuple[str, str]]:
    """What holds for all optimizers of an edition, by a name for it."""
    yield "name of an optimizer", document["default_name"]
    for kind, name in document["names"].items():
        kinds = {"slash": "a slash in a variable's name becomes"}
        yield kinds.get(kind, f"name of {kind.replace('_', ' ')}"), name or "(not in the state)"
    yield "state is read by", document["variables_accessor"]
    yield "an average starts at", str(document["average_starts_at"])
    yield "dtypes", ", ".join(document["dtypes"])
    yield (
        "public, not optimizers",
        ", ".join(entry["name"] for entry in document["public_names"] if entry["name"] not in spec.optimizers()),
    )


def common_arguments(one: str, two: str) -> tuple[dict[str, Document], dict[str, Document]]:
    """The arguments of every optimizer of each edition, those through **kwargs included, by name."""
    first, second = (
        {**{a["name"]: a for a in spec.editions()[edition]["arguments"]}, **spec.keyword_arguments(edition)}
        for edition in (one, two)
    )
    return first, second


def argument_rows(one: dict[str, Document], two: dict[str, Document], with_meaning: bool = False) -> list[Row]:
    """Name and both defaults of the arguments that differ; with the meaning where that differs."""
    rows = []
    for name in dict.fromkeys([*one, *two]):
        entries = [arguments.get(name) for arguments in (one, two)]
        meanings = [entry["meaning"] if entry else None for entry in entries]
        defaults = [default_text(entry) for entry in entries]
        told = with_meaning and meanings[0] != meanings[1]
        if defaults[0] != defaults[1] or told:
            cells = [
                f"{default}. {meaning}".removeprefix(". ") if told and meaning else default
                for default, meaning in zip(defaults, meanings, strict=True)
            ]
            rows.append([name, *cells])
    return rows


def default_text(entry: Document | None) -> str:
    """The default of an argument; "-" if there is no such argument."""
    if entry is None:
        return "-"
    return shown(entry["default"]) if "default" in entry else ""


def own_arguments(optimizer: str, one: str, two: str) -> list[Row]:
    """The differences of an optimizer's arguments that are not those of all optimizers."""
    first, second = ({a["name"]: a for a in spec.arguments(optimizer, edition)} for edition in (one, two))
    for edition, arguments in zip((one, two), (first, second), strict=True):
        arguments.update({name: a for name, a in spec.keyword_arguments(edition).items() if name not in arguments})
    shared = argument_rows(*common_arguments(one, two))
    rows = [row for row in argument_rows(first, second) if row not in shared and row[0] != "name"]
    orders = [
        [a["name"] for a in spec.arguments(optimizer, edition) if a["name"] in first and a["name"] in second]
        for edition in (one, two)
    ]
    orders = [[name for name in order if name in orders[0] and name in orders[1]] for order in orders]
    if orders[0] != orders[1]:
        rows.append(["order of those in both", *(", ".join(order) for order in orders)])
    return rows


def rule_rows(optimizer: str, one: str, two: str) -> list[Row]:
    """Per variant: the rule of each edition, and whether it is the same."""
    rows = []
    for kind, (first, second) in rule_tables(optimizer, one, two).items():
        for variant in dict.fromkeys([*first, *second]):
            pair = first.get(variant), second.get(variant)
            rows.append([variant + kind, *map(name_of, pair), "same bits" if pair[0] is pair[1] else "other bits"])
    prepare = prepared(optimizer, one), prepared(optimizer, two)
    if any(prepare):
        same = "same bits" if prepare[0] is prepare[1] else "other bits"
        rows.append(["before the variables", *map(name_of, prepare), same])
    return rows


def rule_tables(optimizer: str, one: str, two: str) -> dict[str, tuple[dict[str, Rule], dict[str, Rule]]]:
    """The rules of both editions by variant: for a dense gradient, a sparse one, and where a graph has others."""
    found: dict[str, tuple[dict[str, Rule], dict[str, Rule]]] = {}
    for kind, table in {"": "RULES", ", sparse": "SPARSE"}.items():
        eager = rules_of(optimizer, one, table), rules_of(optimizer, two, table)
        graphs = in_graph(optimizer, one, table), in_graph(optimizer, two, table)
        first, second = (
            {v: graph.get(v, rule) for v, rule in rules.items() if any(v in g for g in graphs)}
            for graph, rules in zip(graphs, eager, strict=True)
        )
        found |= {kind: eager, f"{kind}, in a graph": (first, second)}
    return found


def state_rows(optimizer: str, one: str, two: str) -> list[Row]:
    """The state of a variable called kernel in both editions, side by side; nothing if it is the same."""
    states = [state_of(optimizer, edition, one=True) for edition in (one, two)]
    sides = [[f"{entry.name}  ({entry.slot})" if entry.slot else entry.name for entry in state] for state in states]
    if sides[0] == sides[1]:
        return []
    return [[str(n), *pair] for n, pair in enumerate(itertools.zip_longest(*sides, fillvalue="-"), 1)]


def state_verdict(optimizer: str, one: str, two: str) -> str:
    """Which entries are only in one (- the first, + the second), and do order and names agree?"""
    sides = [state_of(optimizer, edition, one=True) for edition in (one, two)]
    kinds = [[entry.slot or entry.kind for entry in entries] for entries in sides]
    both = [[kind for kind in side if kind in kinds[0] and kind in kinds[1]] for side in kinds]
    names = [{entry.slot or entry.kind: entry.name for entry in entries} for entries in sides]
    parts = [f"- {kind}" for kind in kinds[0] if kind not in both[0]]
    parts += [f"+ {kind}" for kind in kinds[1] if kind not in both[1]]
    parts += ["other order"] if both[0] != both[1] else []
    parts += ["other names"] if any(names[0][kind] != names[1][kind] for kind in both[0]) else []
    return ", ".join(parts) or "same"


Outcome = tuple[str, str]
ErrorRow = tuple[str, Outcome, list[str]]


def error_rows(optimizers: Sequence[str], one: str, two: str) -> list[ErrorRow]:
    """What either edition refuses, run on the reference of both: where they differ, and for which optimizers."""
    implementation = reference()
    found: dict[tuple[str, Outcome], list[str]] = {}
    logging.disable(logging.WARNING)  # some releases warn about what they take
    try:
        for optimizer in watched(optimizers, "errors"):
            for what, case in refusals(optimizer, one, two).items():
                got = [implementation.run({**case, "edition": edition}).get("error") for edition in (one, two)]
                told = [f"{error['type']} at {error['stage']}" if error else "no error" for error in got]
                if told[0] != told[1]:
                    found.setdefault((what, (told[0], told[1])), []).append(optimizer)
    finally:
        logging.disable(logging.NOTSET)
    return [(what, outcome, who) for (what, outcome), who in sorted(found.items(), key=lambda item: -len(item[1]))]


def refusals(optimizer: str, one: str, two: str) -> dict[str, Document]:
    """The cases of everything that one of the editions refuses, each once, by what is given; all try a first step."""
    found: dict[str, Document] = {}
    for edition in (one, two):
        given = [entry["given"] for entry in spec.errors(edition, optimizer, "construct")]
        drawn = (("", cases.drawn(optimizer, config, cases.LITTLE)) for config in given)
        for slug, case in [*cases.refused(edition, optimizer), *drawn]:
            config = case["optimizer"]["config"]
            if config:
                what = ", ".join(f"{name}={shown(value)}" for name, value in config.items())
                case = cases.drawn(optimizer, config, cases.LITTLE)
            else:
                what = gradient_text(case) or slug.replace("-", " ")
            found.setdefault(what, {**case, "id": what, "events": case["events"][:1]})
    return found


def gradient_text(case: Document) -> str | None:
    """What gradient a case gives to what variable; None if it is about something else."""
    gradients, variables = case["events"][0].get("apply", ()), case["variables"]
    if len(gradients) != 1 or len(variables) != 1:
        return None
    if gradients[0] is None:
        return "no gradient at all"
    sides = gradients[0], variables[0]["value"]
    return " for ".join(f"{side['dtype']} {tuple(side['shape'])}" for side in sides)


def overview(optimizer: str, one: str, two: str, errors: Sequence[ErrorRow]) -> Row:
    """One line about an optimizer."""
    has = [edition for edition in (one, two) if optimizer in spec.available(edition)]
    if len(has) == 1:
        return [optimizer, f"only in {has[0]}", "-", "-", "-"]
    rules = Counter(row[3] for row in rule_rows(optimizer, one, two))
    rule = next(iter(rules)) if len(rules) == 1 else f"other bits in {rules['other bits']} of {rules.total()}"
    differing = sum(optimizer in who for _, _, who in errors)
    arguments = own_arguments(optimizer, one, two)
    return [
        optimizer,
        rule,
        f"{len(arguments)} differ" if arguments else "same",
        state_verdict(optimizer, one, two),
        f"{differing} differ" if differing else "same",
    ]


def details(console: Console, optimizer: str, one: str, two: str) -> None:
    """Rules, arguments and state of an optimizer, as far as they differ."""
    rules = rule_rows(optimizer, one, two)
    arguments, state = own_arguments(optimizer, one, two), state_rows(optimizer, one, two)
    if not arguments and not state and all(row[3] == "same bits" for row in rules):
        return
    heading(console, optimizer)
    console.print(grid(["variant", one, two, ""], rules))
    tables = rule_tables(optimizer, one, two).values()
    for line in rule_changes((first[v], second[v]) for first, second in tables for v in first if v in second):
        print_change(console, line)
    if arguments:
        console.print()
        console.print(grid(["argument", one, two], arguments))
    if state:
        console.print()
        console.print(grid(["state", one, two], state))


# ---- two folders of goldens ------------------------------------------------------------------------------------

LABELS = ("clauses", "features", "flags")


def diff_folders(console: Console, one: Path, two: Path, only: str | None = None) -> bool:
    """Print which goldens of two folders differ, and where each parts first; is there any?"""
    indices = [
        {identity: at for identity, at in files.index(folder).items() if only is None or of(identity) == only.lower()}
        for folder in (one, two)
    ]
    provenances(console, one, two, only)
    counts: dict[str, Counter[str]] = {}
    lines: list[tuple[str, str]] = []
    for identity in watched(list(dict.fromkeys([*indices[0], *indices[1]])), "compare"):
        kind, text = golden_difference(*(index.get(identity) for index in indices))
        counts.setdefault("/".join(identity.split("/")[:2]), Counter())[kind] += 1
        if kind != "equal":
            lines.append((identity, text))
    for name, count in counts.items():  # a file that is only in one folder is one line
        if set(count) in ({"only in 1"}, {"only in 2"}):
            text = f"all {count.total()} {next(text for identity, text in lines if identity.startswith(name + '/'))}"
            lines = [line for line in lines if not line[0].startswith(f"{name}/")] + [(name, text)]
    kinds = ["equal", "differ", "within bound", "other inputs", "only in 1", "only in 2"]
    total: Counter[str] = sum(counts.values(), Counter())
    rows = [
        [name, *(count[kind] or "." for kind in kinds)]
        for name, count in [*((n, c) for n, c in counts.items() if set(c) != {"equal"}), ("all", total)]
    ]
    console.print(grid(["", *kinds], rows, right=range(1, 7)))
    for identity, text in lines:
        console.print(Text(f"{identity}: {text}"), soft_wrap=True)
    return bool(lines)


def of(identity: str) -> str:
    """The optimizer, in lower case, that a golden's id names."""
    return identity.split("/")[1]


def golden_difference(one: tuple[Path, int] | None, two: tuple[Path, int] | None) -> tuple[str, str]:
    """How the goldens at two places differ: a kind, and the first divergence."""
    if one is None or two is None:
        return ("only in 2", "only in the second folder") if one is None else ("only in 1", "only in the first folder")
    first, second = files.parsed(*one), files.parsed(*two)
    if first["trajectory"] == second["trajectory"] and first["case"] == second["case"]:
        return "equal", ""
    inputs = [{key: value for key, value in g["case"].items() if key not in LABELS} for g in (first, second)]
    if inputs[0] != inputs[1]:
        keys = [key for key in dict.fromkeys([*inputs[0], *inputs[1]]) if inputs[0].get(key) != inputs[1].get(key)]
        return "other inputs", f"the case itself differs in its {' and '.join(keys)}"
    if first["trajectory"] == second["trajectory"]:
        return "equal", ""
    result = compare(first["case"], first["trajectory"], second["trajectory"])
    if result.divergence:
        return "differ", str(result.divergence)
    if not result.exact:
        return "within bound", f"within the stated bound, at most {result.worst_ulp:g} ulp"
    messages = [g["trajectory"].get("error", {}).get("message") for g in (first, second)]
    return "differ", f"message of the error: {json.dumps(messages[0])}, then {json.dumps(messages[1])}"


def provenances(console: Console, one: Path, two: Path, only: str | None) -> None:
    """Say where the same file of the two folders was recorded by other versions or another processor."""
    told: dict[str, list[str]] = {}
    for path in files.paths(one):
        other = two / path.relative_to(one)
        if not other.exists() or (only and path.stem != only.lower()):
            continue
        sides = files.provenance(path), files.provenance(other)
        for key in ("oracle", "versions", "cpu", "specification"):
            first, second = (json.dumps(side.get(key)).strip('"') for side in sides)
            if first != second:
                told.setdefault(f"{key}: {first}, then {second}", []).append(path.parent.name)
    for text, editions in told.items():
        console.print(Text(f"{text} ({', '.join(dict.fromkeys(editions))})"), soft_wrap=True)
