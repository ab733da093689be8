"""Write README.md: the table of wrong implementations, each with the case and the property that reject it.

A row whose golden and property still reject is kept; `--anew` looks for the first ones of all of them. Two processes
share the work.
"""

from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from goldenstep.conformance.properties import registered

from . import RECORDED, TABLE, WRONG, Row, Wrong, first_to_reject, index, rejects, rows
from .by_property import LIVE, broken_at, first_to_break

HEAD = """# Wrong implementations

Each is the reference with a few words of its source replaced. The source is an id of the project's list of real
optimizer bugs (`BUGS 0` are the fifteen wrong Adams that Keras' own golden test was replayed against), or `own` where
it is a likely mistake. "rejected by" names the first golden that does; "not yet recorded" is a case that
`golden/cases.py` makes and no golden has. "property" is the live comparison that rejects it with the goldens switched
off, on 24 drawn cases per optimizer and edition, fewer than the default run has; "(deep)": on 96.
`python -m tests.wrong` writes this page, `tests/test_wrong.py` checks it.

"""
PROPERTIES = """
## What the properties reject that need no reference

| property | says | rejects |
|---|---|---|
"""


def row_of(identity: str) -> Row:
    """The row of a wrong implementation: the old one where it still holds."""
    suspect, anew, old = WRONG[identity], "--anew" in sys.argv, rows().get(identity)
    case, standing = found(suspect, None if anew else old) or ("none", "survives")
    kept = old and not anew and old.property in LIVE and broken_at(suspect, old.property)
    return Row(case, standing, old.property if kept and old else first_to_break(suspect))


def found(suspect: Wrong, old: Row | None) -> tuple[str, str] | None:
    """The case of the table if it is a golden that still rejects, else the first that does."""
    if old and old.standing == RECORDED and old.case in index() and rejects(old.case, suspect):
        return old.case, old.standing
    return first_to_reject(suspect)


def main() -> None:
    """Try every wrong implementation, write the table, and name those that survive the goldens or the properties."""
    lines, goldens, properties = [], Counter[str](), Counter[str]()
    with ProcessPoolExecutor(2) as pool:
        for suspect, row in zip(WRONG.values(), pool.map(row_of, WRONG), strict=True):
            goldens[row.standing or "rejected"] += 1
            properties[row.property.partition(" ")[2] or ("default" if row.property != "none" else "none")] += 1
            if row.standing or row.property not in LIVE:
                print(f"{suspect.id}: {row.standing or 'rejected'} {row.case}; property {row.property}", flush=True)
            mark = f" ({row.standing})" if row.standing else ""
            lines.append(
                f"| `{suspect.id}` | {suspect.what} | {suspect.source} | `{row.case}`{mark} | {row.property} |\n"
            )
        alone = [identity for identity in registered() if identity not in LIVE]
        witnesses = list(zip(alone, pool.map(witness_of, alone), strict=True))
    summary = ", ".join(f"{count} {name}" for name, count in sorted(goldens.items(), key=lambda c: -c[1]))
    summary += "; by the properties: " + ", ".join(f"{count} ({name})" for name, count in sorted(properties.items()))
    head = f"{len(WRONG)} wrong implementations: {summary}.\n\n"
    head += "| id | what is wrong | source | rejected by | property |\n|---|---|---|---|---|\n"
    table = [f"| {identity} | {registered()[identity].sentence} | `{w}` |\n" for identity, w in witnesses]
    TABLE.write_text(HEAD + head + "".join(lines) + PROPERTIES + "".join(table), "utf-8")
    print(summary)
    print("no wrong implementation breaks", [identity for identity, w in witnesses if w == "none"])


def witness_of(identity: str) -> str:
    """The first wrong implementation that breaks a property, or "none"."""
    return next((suspect.id for suspect in WRONG.values() if broken_at(suspect, identity, 8)), "none")


if __name__ == "__main__":
    main()
