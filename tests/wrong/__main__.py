"""Write README.md: the table of wrong implementations, each with the case that rejects it.

A row whose golden still rejects is kept; `--anew` looks for the first golden of all of them.
"""

from __future__ import annotations

import sys
from collections import Counter

from . import RECORDED, TABLE, WRONG, Wrong, first_to_reject, index, rejects, rows

HEAD = """# Wrong implementations

Each is the reference with a few words of its source replaced. The source is an id of the project's list of real
optimizer bugs (`BUGS 0` are the fifteen wrong Adams that Keras' own golden test was replayed against), or `own` where
it is a likely mistake. The last column names the first golden that rejects it; "not yet recorded" is a case that
`golden/cases.py` makes and no golden has.
`python -m tests.wrong` writes this table, `tests/test_wrong.py` checks it.

"""


def found(suspect: Wrong, anew: bool) -> tuple[str, str] | None:
    """The case of the table if it is a golden that still rejects, else the first that does."""
    case, standing = rows().get(suspect.id, ("", "none"))
    if not anew and standing == RECORDED and case in index() and rejects(case, suspect):
        return case, standing
    return first_to_reject(suspect)


def main() -> None:
    """Try every wrong implementation, write the table, and name those that survive the goldens."""
    lines, counts = [], Counter[str]()
    for suspect in WRONG.values():
        case, standing = found(suspect, "--anew" in sys.argv) or ("none", "survives")
        counts[standing or "rejected"] += 1
        if standing:
            print(f"{suspect.id}: {standing} {case}", flush=True)
        mark = f" ({standing})" if standing else ""
        lines.append(f"| `{suspect.id}` | {suspect.what} | {suspect.source} | `{case}`{mark} |\n")
    summary = ", ".join(f"{count} {name}" for name, count in sorted(counts.items(), key=lambda c: -c[1]))
    head = f"{len(WRONG)} wrong implementations: {summary}.\n\n| id | what is wrong | source | rejected by |\n"
    TABLE.write_text(HEAD + head + "|---|---|---|---|\n" + "".join(lines), "utf-8")
    print(summary)


if __name__ == "__main__":
    main()
