"""The page of the errata, made from the register; and their reproduction on the real releases.

python -m goldenstep.conformance.errata_page > docs/errata.md
python -m goldenstep.conformance.errata_page --reproduce [tf2.9 ...]     in the environments that tox made
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from goldenstep import spec
from goldenstep.reference.documented import DOCUMENTED

Document = dict[str, Any]
HEAD = """# Errata

Where a real release contradicts its own documentation. The goldens hold what the release does; an implementation may
follow either, and `--errata=shipped` or `--errata=documented` asks for one of the two. Each script runs in the release
itself. "Computed" means that the reference has the documented rule, too, in
[`reference/documented.py`](../reference/documented.py), and that the judge says *as documented* where it is followed.

This page is made from [`spec/errata/`](../spec/errata) by `python -m goldenstep.conformance.errata_page`.
"""
RUNNER = """
import contextlib, io, json, logging, os, sys, warnings
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow", CUDA_VISIBLE_DEVICES="-1")
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
for script in json.load(sys.stdin):
    out = io.StringIO()
    try:
        with contextlib.redirect_stdout(out):
            exec(script, {"__name__": "__main__"})
    except BaseException as error:
        print(repr(error), file=out)
    print(json.dumps([line.rstrip() for line in out.getvalue().splitlines()]))
"""


def page() -> str:
    """The whole page."""
    errata = spec.errata()
    rows = [f"| [{i}](#{i.lower()}) | {e['title']} | {', '.join(e['editions'])} |" for i, e in errata.items()]
    table = "\n".join(["| id | title | editions |", "|---|---|---|", *rows])
    return "\n".join([HEAD, table, *(section(erratum) for erratum in errata.values()), *others()])


def others() -> list[str]:
    """What looks like an erratum and is none."""
    rows = [f"| {e['what']} | {', '.join(e['editions']) or '-'} | {e['why']} |" for e in spec.not_errata()]
    return ["\n## Not errata\n", "Reported elsewhere, or found on the way, and no contradiction:\n",
            "| what | editions | why it is not here |", "|---|---|---|", *rows]  # fmt: skip


def section(erratum: Document) -> str:
    """One erratum: what is documented, what happens, the script and what it prints."""
    whose = "all optimizers" if erratum["optimizers"] == "all" else ", ".join(erratum["optimizers"])
    upstream = erratum["upstream"]
    facts = [
        f"{whose}; {', '.join(erratum['editions'])}.",
        f"Seen since {erratum['since']}.",
        f"Upstream: {f'<{upstream}>' if upstream.startswith('https') else upstream}.",
        *(["Computed."] if erratum["id"] in DOCUMENTED else []),
    ]
    return "\n".join(
        [
            f"\n## {erratum['id']}",
            f"\n**{erratum['title']}.** {' '.join(facts)}",
            f"\n- Documented: {erratum['documented']['says']} ({erratum['documented']['where']})",
            f"- Happens: {erratum['happens']}",
            f"\nWith the release of {erratum['reproduction']['edition']}:",
            "\n```python",
            *erratum["reproduction"]["script"],
            "```",
            "```",
            *erratum["reproduced"],
            "```",
        ]
    )


def release_of(edition: str) -> str:
    """The release that an edition was recorded from."""
    return edition.removesuffix(".legacy")


def reproduced(release: str) -> dict[str, list[str]]:
    """What the scripts of a release print now, by erratum; FileNotFoundError without its environment."""
    cache = Path(os.environ.get("GOLDENSTEP_CACHE", Path.home() / ".cache" / "goldenstep"))
    python = cache / f"oracle-{release}" / "bin" / "python"
    if not python.exists():
        raise FileNotFoundError(f"{python}: tox run -e oracle-{release} --notest makes it")
    chosen = [i for i, e in spec.errata().items() if release_of(e["reproduction"]["edition"]) == release]
    scripts = ["\n".join(spec.errata()[identity]["reproduction"]["script"]) for identity in chosen]
    answer = subprocess.run(
        [str(python), "-c", RUNNER], input=json.dumps(scripts), capture_output=True, text=True, check=True
    )
    return dict(zip(chosen, map(json.loads, answer.stdout.splitlines()), strict=True))


def reproduce(releases: list[str]) -> int:
    """Run the scripts on the releases and say which print something else than the register has: 0 if none does."""
    different = 0
    for release in releases or dict.fromkeys(map(release_of, spec.editions())):
        for identity, lines in reproduced(release).items():
            same = lines == spec.errata()[identity]["reproduced"]
            different += not same
            print(f"{identity} {release}: {'reproduced' if same else 'something else'}")
            if not same:
                print(*(f"    {line}" for line in lines), sep="\n")
    return int(different > 0)


if __name__ == "__main__":
    if "--reproduce" in sys.argv:
        sys.exit(reproduce([argument for argument in sys.argv[1:] if argument != "--reproduce"]))
    print(page())
