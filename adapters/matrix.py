"""The matrix of docs/implementations.md: how many cases of each optimizer are exact, close or divergent.

python -m goldenstep.adapters.matrix torch        judge torch here, write adapters/results/torch.json
python -m goldenstep.adapters.matrix torch=x.json the same from the report that `check --report=x.json` wrote
python -m goldenstep.adapters.matrix              write the matrix of all results into docs/implementations.md
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from goldenstep import spec
from goldenstep.conformance import report_file
from goldenstep.conformance.closeness import PORT
from goldenstep.conformance.implementations import Implementation, load
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files

Document = dict[str, Any]
RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "implementations.md"
BEGIN, END = "<!-- matrix: python -m goldenstep.adapters.matrix -->", "<!-- end of the matrix -->"


def judged(name: str, implementation: Implementation, edition: str) -> Document:
    """How many cases of each optimizer of an edition have which verdict; every case is judged with the port's N."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    names = {optimizer.lower(): optimizer for optimizer in spec.available(edition)}
    for identity, place in files.index().items():
        case_edition, optimizer, _ = identity.split("/", 2)
        if case_edition == edition and optimizer in names:
            golden = files.parsed(*place)
            record = judge(implementation, golden["case"], golden["trajectory"], "either", PORT)
            counts[names[optimizer]][record.verdict.value] += 1
    version = getattr(implementation, "version", "")
    sorted_counts = {optimizer: dict(sorted(counts[optimizer].items())) for optimizer in sorted(counts)}
    return {"implementation": name, "version": version, "edition": edition, "counts": sorted_counts}


def reported(name: str, path: Path) -> Document:
    """The same counts, out of a run's report."""
    report = report_file.read(path)
    (edition,) = report["header"]["editions"]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for record in report["records"]:
        if record["optimizer"] in spec.available(edition):
            counts[record["optimizer"]][record["verdict"]] += 1
    sorted_counts = {optimizer: dict(sorted(counts[optimizer].items())) for optimizer in sorted(counts)}
    version = report["header"]["implementation"]["version"]
    return {"implementation": name, "version": version, "edition": edition, "counts": sorted_counts}


def table(results: Sequence[Document]) -> str:
    """The matrix in Markdown: in a cell the cases that are exact, close and diverge; below, what was not run."""
    optimizers = [name for name in spec.optimizers() if any(ran(r["counts"].get(name, {})) for r in results)]
    lines = [
        f"| implementation | {' | '.join(optimizers)} | unsupported |",
        f"|---|{'---|' * len(optimizers)}---|",
    ]
    for result in results:
        cells = [cell(result["counts"].get(name, {})) for name in optimizers]
        unsupported = sum(counts.get("unsupported", 0) for counts in result["counts"].values())
        title = f"{result['implementation']} {result['version']}".strip()
        edition = "" if result["edition"] == "keras3" else f" as {result['edition']}"
        lines.append(f"| {title}{edition} | {' | '.join(cells)} | {unsupported} |")
    return "\n".join(lines)


def ran(counts: Document) -> int:
    """How many cases were run."""
    return sum(count for verdict, count in counts.items() if verdict != "unsupported")


def cell(counts: Document) -> str:
    """Exact, close and divergent cases; what is as documented is close, an error or a crash is divergent."""
    if not ran(counts):
        return ""
    exact = sum(counts.get(v.value, 0) for v in (Verdict.EXACT, Verdict.WITHIN))
    close = sum(counts.get(v.value, 0) for v in (Verdict.CLOSE, Verdict.AS_DOCUMENTED))
    return f"{exact} · {close} · {ran(counts) - exact - close}"


def read() -> list[Document]:
    """Every result that was written, by name."""
    return [json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("*.json"))]


def main(names: Sequence[str]) -> None:
    """Judge what is named and write its result, or write the page."""
    for text in names:
        named, _, report = text.partition("=")
        name, _, edition = named.partition("@")
        if report:
            result = reported(name, Path(report))
        else:
            implementation = load(name, edition or None)
            result = judged(name, implementation, edition or implementation.editions[0])
        path = RESULTS / f"{named.replace('@', '-')}.json"
        path.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
        print(path)
    if not names:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table(read())}\n\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
