"""The specification of an optimizer for the terminal: everything about one edition, or all editions side by side."""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from rich import box
from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from goldenstep import spec
from goldenstep.golden import files
from goldenstep.golden.compare import expected_layout, full_config
from goldenstep.reference.editions import namespace
from goldenstep.spec.layout import Entry

Document = dict[str, Any]
Rule = Callable[..., Any]
SAMPLE: dict[str, list[int]] = {"kernel": [2, 5], "bias": [3]}
TABLES = {"RULES": "dense gradient", "SPARSE": "sparse gradient"}
IN_GRAPH = {"RULES": "GRAPH", "SPARSE": "GRAPH_SPARSE"}


# ---- the two pages ---------------------------------------------------------------------------------------------


def explain_edition(console: Console, optimizer: str, edition: str) -> None:
    """Everything about an optimizer in one edition, the source of its rules last."""
    document, about = spec.optimizers()[optimizer], spec.editions()[edition]
    head(console, document, f"in {edition}, {about['title']}")
    console.print(Text(signature(optimizer, edition)), soft_wrap=True)

    heading(console, "Hyperparameters")
    own = {**spec.hyperparameters(optimizer, edition), **spec.own_keyword_arguments(optimizer, edition)}
    console.print(argument_table(own.values()))
    common = {**{a["name"]: a for a in about["arguments"]}, **spec.keyword_arguments(edition)}
    heading(console, f"Arguments that every optimizer of {edition} has")
    console.print(argument_table(entry for name, entry in common.items() if name not in own))
    refused = [
        (f"{entry['argument']}={entry['example']!r}", f"{entry['type']}: {entry['message']}")
        for entry in spec.refusals(optimizer, edition)
    ]
    if refused:
        heading(console, "Refuses, for example")
        console.print(pairs(refused))

    heading(console, f"State, in this order, for float32 variables {spelled_sample()}")
    console.print(state_table(optimizer, edition))
    console.print(pairs(slot_meanings(optimizer, edition)))

    heading(console, "Clauses")
    spoken = [c for c in document["clauses"] if edition in c.get("editions", [edition])]
    console.print(pairs((f"  {c['id']}", with_condition(c["text"], c.get("when", {}))) for c in spoken))

    heading(console, "Bounds")
    stated = [b for b in document.get("bounds", []) if edition in b["editions"]]
    console.print(pairs([bound_text(b) for b in stated] or [("  none", "every bit is the release's own.")]))

    heading(console, f"Around the rule ({place(type_of(optimizer, edition))})")
    for line in about["summary"]:
        console.print(Text(f"  {line}"))

    for name, described in TABLES.items():
        rules = rules_of(optimizer, edition, name)
        if rules:
            heading(console, f"Rules for a {described}")
            console.print(grid(["variant", "when", "rule"], variant_rows(optimizer, rules)))
    for name, described in TABLES.items():
        eager, graph = rules_of(optimizer, edition, name), in_graph(optimizer, edition, name)
        if graph:
            heading(console, f"Rules for a {described} inside tf.function, as in fit (docs/graph-mode.md)")
            rows = [[variant, name_of(eager[variant]), name_of(rule)] for variant, rule in graph.items()]
            console.print(grid(["variant", "eager", "in a graph"], rows))
            for line in rule_changes((eager[variant], rule) for variant, rule in graph.items()):
                print_change(console, line)
    for function in functions_of(optimizer, edition):
        source(console, function)

    path = files.path_of(edition, optimizer)
    if path.exists():
        versions = ", ".join(f"{name} {version}" for name, version in files.provenance(path)["versions"].items())
        heading(console, "Evidence")
        console.print(Text(f"   {sum(1 for _ in files.goldens(path))} recorded cases; {versions}"))


def explain_everywhere(console: Console, optimizer: str) -> None:
    """An optimizer over all editions: which rule each has, which share one, and what differs."""
    document = spec.optimizers()[optimizer]
    editions = [edition for edition in spec.editions() if edition in document["editions"]]
    head(console, document, "in all editions")

    for name, described in TABLES.items():
        tables = {edition: rules_of(optimizer, edition, name) for edition in editions}
        if not any(tables.values()):
            continue
        variants = list(dict.fromkeys(variant for rules in tables.values() for variant in rules))
        heading(console, f"Rule for a {described}, by edition and variant")
        prepare = {edition: prepared(optimizer, edition) for edition in editions} if name == "RULES" else {}
        extra = ["before the variables"] if any(prepare.values()) else []
        rows = [
            [edition, *(name_of(rules.get(v)) for v in variants), *([name_of(prepare.get(edition))] if extra else [])]
            for edition, rules in tables.items()
        ]
        console.print(grid(["edition", *variants, *extra], rows))
        console.print(Text("The same rule is the same bits, another rule is other bits:"))
        for variant in variants:
            shared = by_value({edition: rules[variant] for edition, rules in tables.items() if variant in rules})
            for rule, sharing in shared:
                console.print(Text(f"  {variant}: {name_of(rule)} in {', '.join(sharing)}"))
        differing_rules(console, tables, variants)

    for name, described in TABLES.items():
        graphs = {edition: graph for edition in editions if (graph := in_graph(optimizer, edition, name))}
        if not graphs:
            continue
        variants = list(dict.fromkeys(variant for rules in graphs.values() for variant in rules))
        heading(console, f"Rule for a {described} inside tf.function, where it is another (docs/graph-mode.md)")
        rows = [[edition, *(name_of(rules.get(v)) for v in variants)] for edition, rules in graphs.items()]
        console.print(grid(["edition", *variants], rows))

    own = [spec.hyperparameters(optimizer, edition) for edition in editions]
    names = dict.fromkeys(name for arguments in own for name in arguments)
    rows = [[n, *(shown(a[n]["default"]) if n in a else "-" for a in own)] for n in names]
    varying = [row for row in rows if len(set(row[1:])) > 1]
    heading(console, "Defaults that differ between editions")
    console.print(grid(["argument", *editions], varying) if varying else Text("  none"))

    heading(console, "State of a variable `kernel`, in order")
    orders = {edition: ", ".join(e.name for e in state_of(optimizer, edition, one=True)) for edition in editions}
    for order, sharing in by_value(orders):
        console.print(Text(f"  {', '.join(sharing)}:"))
        console.print(Text(f"    {order}"), soft_wrap=True)
    console.print()
    console.print(
        Text(f"goldenstep explain {optimizer} --edition {editions[-1]}   shows the rules and everything else.")
    )


def differing_rules(console: Console, tables: dict[str, dict[str, Rule]], variants: Sequence[str]) -> None:
    """The lines in which a variant's rules differ, from each to the next that is another."""
    lines: list[tuple[str, str]] = []
    for variant in variants:
        shared = by_value({edition: rules[variant] for edition, rules in tables.items() if variant in rules})
        rules = [rule for rule, _ in shared]
        for older, newer in itertools.pairwise(rules):
            lines.append((f"{variant}: {name_of(older)} -> {name_of(newer)}", ""))
            lines += [(line, {"-": "red", "+": "green"}[line[0]]) for line in changed_lines(older, newer)]
    if lines:
        heading(console, "What differs")
        for line, colour in lines:
            console.print(Text(f"  {line}" if not colour else f"    {line}", style=colour), soft_wrap=True)


# ---- what is shown ---------------------------------------------------------------------------------------------


def head(console: Console, document: Document, where: str) -> None:
    """Name, summary and sources."""
    console.print(Text.assemble((document["name"], "bold"), f" {where}"))
    console.print(Text(document["summary"]))
    for entry in document["sources"]:
        address = f"arXiv:{entry['arxiv']}" if "arxiv" in entry else entry.get("doi") or entry.get("url", "")
        text = f"{entry['authors']} {entry['year']}: {entry['title']}. {address}"
        console.print(pairs([("  Source", f"{text.rstrip('. ')}; {entry['variant']}")]))


def heading(console: Console, text: str) -> None:
    """An empty line and the title of a section."""
    console.print()
    console.print(Text(text, style="bold"))


def grid(headings: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[int] = ()) -> Table:
    """A table of plain text: nothing in a cell is markup."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for number, title in enumerate(headings):
        table.add_column(title, justify="right" if number in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(str(cell)) for cell in row))
    return table


def pairs(rows: Iterable[tuple[str, str]]) -> Table:
    """Names and their texts, side by side."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=False, ratio=None)
    table.add_column()
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    return table


def signature(optimizer: str, edition: str) -> str:
    """The constructor's signature as the release has it."""
    arguments = spec.arguments(optimizer, edition)
    parts = [f"{a['name']}={shown(a['default'])}" if "default" in a else a["name"] for a in arguments]
    path = spec.editions()[edition]["api"].replace("tensorflow.", "tf.")
    return textwrap.fill(f"{path}.{optimizer}({', '.join(parts)})", 116, subsequent_indent="    ")


def argument_table(entries: Iterable[Document]) -> Table:
    """Default, range, unit and meaning of arguments."""
    rows = [
        [
            entry["name"],
            shown(entry["default"]) if "default" in entry else "-",
            range_of(entry),
            {"1": "-"}.get(entry.get("unit") or "-", entry.get("unit") or "-"),
            entry["meaning"],
        ]
        for entry in entries
    ]
    table = grid(["name", "default", "range", "unit", "meaning"], rows)
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    table.columns[2].max_width, table.columns[3].max_width = 16, 24
    return table


def range_of(entry: Document) -> str:
    """The values that an argument may take: `[0, 1)`, `> 0`, `True or False`, `None or >= 0`."""
    low = entry.get("minimum", entry.get("exclusiveMinimum"))
    high = entry.get("maximum", entry.get("exclusiveMaximum"))
    if low is not None and high is not None:
        brackets = "[" if "minimum" in entry else "(", "]" if "maximum" in entry else ")"
        text = f"{brackets[0]}{low}, {high}{brackets[1]}"
    elif low is not None:
        text = f"{'>=' if 'minimum' in entry else '>'} {low}"
    elif high is not None:
        text = f"{'<=' if 'maximum' in entry else '<'} {high}"
    else:
        text = "True or False" if entry["type"] == "bool" else str(entry["type"])
    if entry["type"] == "int" and low is not None:
        text = f"int {text}"
    return f"None or {text}" if entry.get("optional") else text


def shown(value: Any) -> str:
    """A value as Python source has it."""
    return repr(value)


def spelled_sample() -> str:
    """The variables that state is shown for."""
    return " and ".join(f"{name} {tuple(shape)}" for name, shape in SAMPLE.items())


# ---- state -----------------------------------------------------------------------------------------------------


def sample_case(optimizer: str, edition: str, config: Document, one: bool = False) -> Document:
    """A case of SAMPLE's variables, or of its first, as far as its layout depends on it."""
    shapes = dict(list(SAMPLE.items())[: 1 if one else None])
    variables = [
        {"name": name, "value": {"dtype": "float32", "shape": shape, "values": []}} for name, shape in shapes.items()
    ]
    return {"edition": edition, "optimizer": {"class_name": optimizer, "config": config}, "variables": variables}


def options(optimizer: str, edition: str) -> dict[str, Document]:
    """What adds state: each option as text, and the config that turns it on."""
    own = spec.hyperparameters(optimizer, edition)
    found: dict[str, Document] = {}
    for item in spec.state(optimizer, edition):
        for group in item if isinstance(item, list) else [item]:
            when = group.get("when", {}) if isinstance(group, dict) else {}
            if when and set(when) <= set(own):
                found[condition_text(when)] = {name: meeting(own[name], c) for name, c in when.items()}
    given = {a["name"] for a in spec.arguments(optimizer, edition)}
    for name, value in {"use_ema": True, "gradient_accumulation_steps": 2}.items():
        if name in given:
            found[name] = {name: value}
    return found


def meeting(entry: Document, condition: Any) -> Any:
    """A value of a hyperparameter that meets a condition of the specification."""
    if not isinstance(condition, dict):
        return condition
    facts = ({entry["name"]: value} for value in [entry["default"], *entry["samples"]])
    return next(f[entry["name"]] for f in facts if spec.holds({entry["name"]: condition}, f))


def state_of(optimizer: str, edition: str, one: bool = False, config: Document | None = None) -> list[Entry]:
    """The state with a config, by default with every option of the optimizer's own that adds a slot."""
    if config is None:
        shared = ("use_ema", "gradient_accumulation_steps")
        chosen = {k: v for k, v in options(optimizer, edition).items() if k not in shared}
        config = {name: value for option in chosen.values() for name, value in option.items()}
    return expected_layout(sample_case(optimizer, edition, config, one))


def state_table(optimizer: str, edition: str) -> Table:
    """Every entry of the state in the edition's order, those that an option adds marked with it."""

    def keys(config: Document) -> set[tuple[str, str | None, int | None]]:
        return {(e.name, e.slot, e.owner) for e in state_of(optimizer, edition, config=config)}

    added = options(optimizer, edition)
    always = keys({})
    added_by = {text: keys(config) - always for text, config in added.items()}
    everything = {name: value for config in added.values() for name, value in config.items()}
    rows: list[list[object]] = []
    for entry in state_of(optimizer, edition, config=everything):
        key = entry.name, entry.slot, entry.owner
        only = " ".join(text for text, names in added_by.items() if key in names)
        only = "not among the variables" if entry.hidden else only
        shape = "x".join(map(str, entry.shape)) or "scalar"
        start = start_text(optimizer, edition, entry)
        rows.append([len(rows) + 1, entry.name, entry.slot or "", shape, entry.dtype, start, only])
    table = grid(["", "name", "in the rule", "shape", "dtype", "starts at", "only with"], rows, right=[0])
    table.columns[1].no_wrap = table.columns[2].no_wrap = True
    return table


def start_text(optimizer: str, edition: str, entry: Entry) -> str:
    """The first value of an entry, and the argument that gives it."""
    if entry.start == "variable":
        return "its variable"
    source = spec.optimizers()[optimizer]["slots"][entry.slot]["start"] if entry.slot else entry.kind
    given = full_config(sample_case(optimizer, edition, {}))
    return f"{entry.start} ({source})" if source in given else str(entry.start)


def slot_meanings(optimizer: str, edition: str) -> Iterator[tuple[str, str]]:
    """Symbol and meaning of the slots that the edition has."""
    used = {entry.slot for entry in state_of(optimizer, edition)}
    for symbol, slot in spec.optimizers()[optimizer]["slots"].items():
        if symbol in used:
            unit = f" [{slot['unit']}]" if slot.get("unit") not in (None, "1") else ""
            yield f"  {symbol}", slot["meaning"] + unit


# ---- clauses, bounds -------------------------------------------------------------------------------------------


def condition_text(when: Document) -> str:
    """A condition in words: `amsgrad=True`, `momentum not 0`, `rank >= 2`."""

    def one(name: str, condition: Any) -> str:
        if not isinstance(condition, dict):
            return f"{name}={shown(condition)}"
        signs = {"not": "not", "minimum": ">=", "maximum": "<="}
        return " and ".join(f"{name} {signs[key]} {shown(value)}" for key, value in condition.items())

    return ", ".join(one(name, condition) for name, condition in when.items())


def with_condition(text: str, when: Document) -> str:
    """A clause, and where it holds if not always."""
    return f"{text} (where {condition_text(when)})" if when else text


def bound_text(bound: Document) -> tuple[str, str]:
    """How far a result may be off, and why."""
    what = ", ".join([*bound["dtypes"], *bound.get("variants", [])])
    allowed = [f"{bound['update_ulp']} ulp of the update"]
    allowed += [f"{slot} {ulp} ulp" for slot, ulp in bound.get("slots_ulp", {}).items()]
    return f"  {what}", f"{'; '.join(allowed)}. {bound['cause']}"


# ---- rules -----------------------------------------------------------------------------------------------------


def module_of(optimizer: str) -> ModuleType:
    """The file of an optimizer's rules."""
    return importlib.import_module(f"goldenstep.reference.rules.{optimizer.lower()}")


def type_of(optimizer: str, edition: str) -> type:
    """The class whose methods are the edition's pipeline."""
    found: type = getattr(namespace(edition), optimizer).__mro__[1]
    return found


def rules_of(optimizer: str, edition: str, table: str = "RULES") -> dict[str, Rule]:
    """The rule of every variant, in the order in which variants are tried; the dense one where no sparse one is."""
    module = module_of(optimizer)
    rules: dict[str, Rule] = {**module.RULES[edition], **getattr(module, table).get(edition, {})}
    order = [variant["name"] for variant in spec.optimizers()[optimizer]["variants"]]
    return {name: rules[name] for name in [*order, *rules] if name in rules}


def in_graph(optimizer: str, edition: str, table: str = "RULES") -> dict[str, Rule]:
    """The rules of the variants that compute something else inside `tf.function`, in the order of `rules_of`."""
    graph: dict[str, Rule] = getattr(module_of(optimizer), IN_GRAPH[table], {}).get(edition, {})
    return {variant: graph[variant] for variant in rules_of(optimizer, edition, table) if variant in graph}


def prepared(optimizer: str, edition: str) -> Rule | None:
    """What advances the slots that exist once per optimizer, if there is such a thing."""
    rule: Rule | None = getattr(module_of(optimizer), "PREPARE", {}).get(edition)
    return rule


def variant_rows(optimizer: str, rules: dict[str, Rule]) -> list[list[str]]:
    """Variant, condition and rule; the conditions are tried from the top."""
    when = {v["name"]: condition_text(v["when"]) or "otherwise" for v in spec.optimizers()[optimizer]["variants"]}
    rows = [[name, when.get(name, "-"), name_of(rule)] for name, rule in rules.items()]
    return [["-", "always", rows[0][2]]] if len(when) == 1 and len(rows) == 1 else rows


def functions_of(optimizer: str, edition: str) -> list[Rule]:
    """The edition's rules, and the helpers of the same file that they call, each once, in the order of the file."""
    wanted = [rule for table in TABLES for rule in rules_of(optimizer, edition, table).values()]
    first = prepared(optimizer, edition)
    wanted += [first] if first else []
    module = module_of(optimizer)
    for function in wanted:
        code = getattr(function, "__code__", None)
        called = [getattr(module, name, None) for name in (code.co_names if code else ())]
        helpers = [f for f in called if inspect.isfunction(f) and f.__module__ == module.__name__ and f not in wanted]
        wanted += helpers
    return sorted(dict.fromkeys(wanted), key=lambda function: inspect.getsourcelines(function)[1])


def source(console: Console, function: Rule) -> None:
    """Where a function stands, and its source."""
    heading(console, place(function))
    code = inspect.getsource(function).rstrip()
    if console.is_terminal and not console.no_color:
        console.print(Syntax(code, "python", theme="ansi_dark", background_color="default"))
    else:
        console.print(Text(code), soft_wrap=True)


def place(thing: Any) -> str:
    """File, below the project's folder, and line of a function or class."""
    path = Path(inspect.getsourcefile(thing) or "?")
    folder = Path(importlib.import_module("goldenstep.reference").__file__ or ".").parent.parent
    near = path.relative_to(folder) if path.is_relative_to(folder) else path
    return f"{near.as_posix()}:{inspect.getsourcelines(thing)[1]}"


def name_of(rule: Rule | None) -> str:
    """Name of a function."""
    return "-" if rule is None else str(getattr(rule, "__name__", rule))


def changed_lines(older: Rule, newer: Rule) -> list[str]:
    """The lines of two functions that differ, marked - and +; docstrings and names do not count."""
    lines = difflib.unified_diff(essence(older), essence(newer), n=0, lineterm="")
    return [f"{line[0]} {line[1:]}" for line in list(lines)[2:] if line[0] in "+-"]


def rule_changes(pairs: Iterable[tuple[Rule, Rule]]) -> Iterator[str]:
    """The names of two rules that are not the same, and the lines in which they differ, each pair once."""
    for older, newer in dict.fromkeys(pairs):
        if older is not newer:
            yield f"{name_of(older)} -> {name_of(newer)}"
            yield from changed_lines(older, newer)


def print_change(console: Console, line: str) -> None:
    """A line of `rule_changes`, coloured by its sign."""
    console.print(Text(f"    {line}", style={"-": "red", "+": "green"}.get(line[0], "")), soft_wrap=True)


def essence(rule: Rule) -> list[str]:
    """A function's parameters, and its lines without the docstring."""
    text = textwrap.dedent(inspect.getsource(rule))
    definition = ast.parse(text).body[0]
    assert isinstance(definition, ast.FunctionDef)
    first = definition.body[1 if ast.get_docstring(definition) is not None else 0]
    body = textwrap.dedent("\n".join(text.splitlines()[first.lineno - 1 :]))
    return [f"({ast.unparse(definition.args)})", *body.splitlines()]


def by_value(values: dict[str, Any]) -> list[tuple[Any, list[str]]]:
    """Each distinct value, in order of appearance, with the names that have it."""
    found: dict[Any, list[str]] = {}
    for name, value in values.items():
        found.setdefault(value, []).append(name)
    return list(found.items())
