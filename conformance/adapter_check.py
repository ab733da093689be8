"""`goldenstep adapter check`: what an adapter can do already, what is missing, and what to do next, in a second."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from goldenstep import spec
from goldenstep.golden import files

from .closeness import ulps_of
from .explain import heading
from .exposure import EVERYTHING
from .implementations import Implementation, UnknownImplementationError, load
from .snippet import rerun
from .verdict import PASSING, Record, Verdict, judge

Document = dict[str, Any]
TEMPLATES = Path(__file__).parent / "templates"
SIGNS = {True: ("✓", "green"), False: ("✗", "red"), None: ("-", "yellow")}


def check_adapter(console: Console, name: str, edition: str | None, isolate: bool, timeout: float | None) -> int:
    """Try an adapter with one case per optimizer and one per feature.

    0 if nothing that it claims went wrong, 1 if something did or nothing is claimed, 2 if it can't be tried.
    """
    try:
        implementation = load(name, edition, isolate, timeout)
    except UnknownImplementationError as error:
        line(console, False, "it starts and says what it is")
        console.print(Text(f"    {error}"))
        console.print(Text("\nnext: see docs/writing-an-adapter.md, or begin with a template: goldenstep adapter new"))
        return 2
    try:
        return tried(console, implementation, edition)
    finally:
        getattr(implementation, "close", lambda: None)()


def tried(console: Console, implementation: Implementation, edition: str | None) -> int:
    """Print a line for every optimizer and feature, and what to do next."""
    known = [one for one in spec.editions() if one in implementation.editions]
    title = f"{implementation.name} {getattr(implementation, 'version', '')}".rstrip()
    line(console, bool(known), f"it starts and says what it is: {title}, editions {', '.join(implementation.editions)}")
    if not known or (edition and edition not in known):
        expected = f"{edition} among {', '.join(known)}" if known else f"some of {', '.join(spec.editions())}"
        console.print(Text(f"    expected {expected}"))
        return 2
    edition = edition or known[-1]
    heading(console, f"Optimizers of {edition}, one case of each")
    records = [ran(implementation, golden) for golden in plain_cases(edition)]
    for record in records:
        line(console, well(record), f"{record.optimizer:18} {told(record)}")
    able = [record.optimizer for record in records if record.verdict is not Verdict.UNSUPPORTED]
    if able:
        chosen = "SGD" if "SGD" in able else able[0]
        heading(console, f"Features, one case of {chosen} for each")
        for feature, golden in feature_cases(edition, chosen):
            record = ran(implementation, golden)
            line(console, well(record), f"{feature:18} {told(record)}")
            records.append(record)
    wrong = [record for record in records if well(record) is False]
    if wrong:
        last = wrong[0].detail.splitlines()[-6:]
        said = ["", "what it said last:", *(f"  {text}" for text in last)] if last else []
        for text in (*said, "", "next: run the first of these alone", f"  {rerun(implementation, wrong[0].id)}"):
            console.print(Text(text), soft_wrap=True)
        return 1
    if not able:
        console.print(
            Text("\nnext: answer one case of one optimizer, SGD is the simplest; see docs/writing-an-adapter.md")
        )
        return 1
    asked = getattr(implementation, "asked", f"--impl={implementation.name}")
    console.print(Text(f"\nnext: run all cases\n  goldenstep check {asked}"))
    return 0


def ran(implementation: Implementation, golden: Document) -> Record:
    """The verdict on one golden."""
    tolerance = ulps_of(getattr(implementation, "tolerance", "exact"))
    return judge(implementation, golden["case"], golden["trajectory"], "either", tolerance)


def plain_cases(edition: str) -> Iterator[Document]:
    """For every optimizer of an edition the case without any option."""
    index = files.index()
    for optimizer in spec.available(edition):
        yield files.parsed(*index[f"{edition}/{optimizer.lower()}/defaults-float32"])


def feature_cases(edition: str, optimizer: str) -> Iterator[tuple[str, Document]]:
    """For every feature the first case of an optimizer that asks for nothing else, or for as little as possible."""
    best: dict[str, Document] = {}
    for golden in files.goldens(files.path_of(edition, optimizer)):
        features = golden["case"]["features"]
        for feature in features:
            if feature not in best or len(features) < len(best[feature]["case"]["features"]):
                best[feature] = golden
    yield from sorted(best.items())


def well(record: Record) -> bool | None:
    """True, False, or None for what is not supported."""
    return None if record.verdict is Verdict.UNSUPPORTED else record.verdict in PASSING


def told(record: Record) -> str:
    """The verdict in a line, and what of the state it is about if that is not all."""
    shown = record.verdict is not Verdict.UNSUPPORTED and record.compared != EVERYTHING
    verdict = f"{record.verdict.value} ({record.compared})" if shown else record.verdict.value
    return f"{verdict}: {record.reason}" if record.reason else verdict


def line(console: Console, good: bool | None, text: str) -> None:
    """One line of the list."""
    sign, colour = SIGNS[good]
    console.print(Text.assemble((f"  {sign} ", colour), text))


def new(path: Path) -> int:
    """Write the template for a file of this name; 2 if there is none for its ending, or the file is there."""
    templates = {template.suffix: template for template in TEMPLATES.iterdir() if template.stem == "adapter"}
    if path.suffix not in templates:
        print(f"goldenstep: {path}: expected a name that ends in {' or '.join(sorted(templates))}")
        return 2
    if path.exists():
        print(f"goldenstep: {path} exists; give another name")
        return 2
    path.write_text(templates[path.suffix].read_text("utf-8"), "utf-8")
    name = f"{path.stem}:implementation" if path.suffix == ".py" else f"'cmd: node {path}'"
    print(f"{path} is an adapter with SGD in it; try it:\n  goldenstep adapter check {name}")
    return 0
