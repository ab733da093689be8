"""Write README.md: the table of wrong implementations, each with the case and the property that reject it.

What the table says is kept, if the golden still rejects; `--again` tries the property, too, and `--anew` looks for the
first golden and the first property of all of them; `--alone` tries the properties that need no reference. Every few
rows the page is written, so that it goes on where it was stopped: a row whose property is "untried" or "none" is tried
again.
"""

from __future__ import annotations

import sys
from collections import Counter

from rich.progress import track

from goldenstep.conformance.properties import registered

from . import RECORDED, TABLE, WRONG, Row, Wrong, first_to_reject, index, rejects, rows
from .by_property import LIVE, broken_at, first_to_break

HEAD = """# Wrong implementations

Each is the reference with a few words of its source replaced. The source is an id of the project's list of real
optimizer bugs (`BUGS 0` are the fifteen wrong Adams that Keras' own golden test was replayed against), or `own` where
it is a likely mistake. "rejected by" names the first golden that does; "not yet recorded" is a case that
`golden/cases.py` makes and no golden has. "property" is the live comparison that rejects it with the goldens switched
off, on the very cases that the default run draws for the optimizers and editions concerned; "(earlier drawing)": on
those that it drew before the drawing was last changed, not yet tried again. "none" is what no drawn case
rejects.
`python -m tests.wrong` writes this page, `tests/test_wrong.py` checks it.

"""
PROPERTIES = """
## What the properties reject that need no reference

| property | says | rejects |
|---|---|---|
"""
EARLIER = " (earlier drawing)"
"""A property that rejected before the cases were drawn as they are now; it is tried again."""
OFTEN = 20
"""After so many rows the page is written."""


def row_of(suspect: Wrong, old: Row | None) -> Row:
    """The row of a wrong implementation: the old one where it still holds."""
    case, standing = found(suspect, None if "--anew" in sys.argv else old) or ("none", "survives")
    kept = old and "--anew" not in sys.argv and old.property in LIVE
    if kept and old and ("--again" not in sys.argv or broken_at(suspect, old.property)):
        return Row(case, standing, old.property)
    return Row(case, standing, first_to_break(suspect))


def found(suspect: Wrong, old: Row | None) -> tuple[str, str] | None:
    """The case of the table if it is a golden that still rejects, else the first that does."""
    if old and old.standing == RECORDED and old.case in index() and rejects(old.case, suspect):
        return old.case, old.standing
    return first_to_reject(suspect)


def main() -> None:
    """Try every wrong implementation, write the table, and name those that survive the goldens or the properties."""
    table, seen = rows(), witnesses()
    untried = [s for s in WRONG.values() if s.id not in table or table[s.id].property != "none"]
    survivors = [suspect for suspect in WRONG.values() if suspect not in untried]  # these take longest
    for number, suspect in enumerate(track([*untried, *survivors], "wrong implementations"), 1):
        row = table[suspect.id] = row_of(suspect, table.get(suspect.id))
        if row.standing or row.property not in LIVE:
            print(f"{suspect.id}: {row.standing or 'rejected'} {row.case}; property {row.property}", flush=True)
        if number % OFTEN == 0:
            write(table, seen)
    for identity in registered() if "--alone" in sys.argv else ():
        if identity not in LIVE:
            seen[identity] = witness_of(identity)
    write(table, seen)
    print("no wrong implementation breaks", [identity for identity, w in seen.items() if w == "none"])


def write(table: dict[str, Row], seen: dict[str, str]) -> None:
    """The page, with rows in the order in which the wrong implementations are registered."""
    there = {identity: table.get(identity, Row("none", "untried", "untried")) for identity in WRONG}
    goldens = Counter(row.standing or "rejected" for row in there.values())
    lives = Counter(row.property for row in there.values())
    summary = ", ".join(f"{count} {name}" for name, count in sorted(goldens.items(), key=lambda c: -c[1]))
    before = sum(EARLIER in row.property for row in there.values())
    counted = [f"{lives[name]} {name}" for name in (*LIVE, "none", "untried") if lives[name]]
    summary += "; by the properties: " + ", ".join([*counted, *([f"{before}{EARLIER}"] if before else [])])
    lines = []
    for identity, row in there.items():
        mark = f" ({row.standing})" if row.standing else ""
        what = f"{WRONG[identity].what} | {WRONG[identity].source}"
        lines.append(f"| `{identity}` | {what} | `{row.case}`{mark} | {row.property} |\n")
    head = f"{len(WRONG)} wrong implementations: {summary}.\n\n"
    head += "| id | what is wrong | source | rejected by | property |\n|---|---|---|---|---|\n"
    alone = [f"| {i} | {p.sentence} | `{seen[i]}` |\n" for i, p in registered().items() if i in seen]
    TABLE.write_text(HEAD + head + "".join(lines) + (PROPERTIES + "".join(alone) if alone else ""), "utf-8")


def witnesses() -> dict[str, str]:
    """For each property that needs no reference the wrong implementation that the page names."""
    page = TABLE.read_text("utf-8") if TABLE.exists() else ""
    lines = [line.strip("|").split(" | ") for line in page.partition(PROPERTIES)[2].splitlines()]
    return {cells[0].strip(): cells[-1].strip(" `") for cells in lines}


def witness_of(identity: str) -> str:
    """The first wrong implementation that breaks a property, or "none"."""
    return next((suspect.id for suspect in WRONG.values() if broken_at(suspect, identity, 8)), "none")


if __name__ == "__main__":
    main()
