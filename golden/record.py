"""Record goldens from a real release, and verify that recorded ones are what it computes today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from goldenstep import spec
from goldenstep.spec import wrapper as wrapper_spec

from . import files, saved_files
from .cases import cases_of
from .compare import bounds, compare, fed
from .file_cases import file_cases
from .identifier_cases import identifier_cases
from .method_cases import method_cases
from .oracle_process import OracleProcess
from .own_cases import own_cases
from .pair_cases import pair_cases
from .promote import PROMOTED, promoted_cases
from .resume_cases import resume_cases
from .schedule_cases import schedule_cases
from .serialization_cases import config_cases, weights_cases
from .wrapper_cases import wrapper_cases_of
from .wrapper_serialization_cases import (
    wrapped_config_cases,
    wrapped_identifier_cases,
    wrapped_resume_cases,
    wrapped_weights_cases,
)

Document = dict[str, Any]


def editions_of(release: str) -> list[str]:
    """The editions that are recorded from a release: itself, and its `.legacy` namespace if it has one."""
    return [edition for edition, document in spec.editions().items() if document["release"] == release]


KINDS: dict[str, Callable[[str], Iterator[Document]]] = {
    "schedules": schedule_cases,
    "files": file_cases,
    "methods": method_cases,
    "own": own_cases,
    "config": lambda edition: chain(config_cases(edition), wrapped_config_cases(edition)),
    "identifiers": lambda edition: chain(identifier_cases(edition), wrapped_identifier_cases(edition)),
    "weights": lambda edition: chain(weights_cases(edition), wrapped_weights_cases(edition)),
    "resume": lambda edition: chain(resume_cases(edition), wrapped_resume_cases(edition)),
    "pairs": pair_cases,
}
"""The kinds of cases that have golden files of their own, beside those of the optimizers."""


def jobs(release: str) -> list[tuple[str, str]]:
    """Every edition of a release with each optimizer, wrapper, and other kind that has cases in it."""
    editions = editions_of(release)
    found = [(e, name) for e in editions for name in [*spec.available(e), *wrapper_spec.available(e)]]
    return found + [(e, kind) for e in editions for kind in KINDS if next(KINDS[kind](e), None)]


def cases_to_record(edition: str, name: str, promoted: Path = PROMOTED) -> Iterator[Document]:
    """The made cases of an optimizer, a wrapper or a kind, then the promoted; of another folder, the promoted alone."""
    if promoted == PROMOTED:
        if name in wrapper_spec.wrappers():
            yield from wrapper_cases_of(edition, name)
        else:
            yield from KINDS[name](edition) if name in KINDS else cases_of(edition, name)
    yield from promoted_cases(edition, name, promoted)


def _with_progress(release: str, verb: str, console: Console) -> Iterator[tuple[str, str]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(verb, total=len(jobs(release)))
        for edition, optimizer in jobs(release):
            progress.update(task, description=f"{verb} {edition} {optimizer}")
            yield edition, optimizer
            progress.advance(task)


def record(
    release: str,
    python: str,
    folder: Path = files.FOLDER,
    only: str | None = None,
    everything: bool = False,
    cases: Path = PROMOTED,
) -> int:
    """Write the goldens of a release's editions; returns how many there are.

    A case that was recorded with the very same versions keeps its trajectory, and a file in which nothing changes is
    left as it is, unless `everything` is asked for. `cases` is the folder of the promoted ones.
    """
    console = Console()
    total = new = 0
    with OracleProcess(release, python) as oracle:
        about = oracle.start()
        for edition, optimizer in _with_progress(release, "record", console):
            if only and optimizer.lower() != only.lower():
                continue
            path = files.path_of(edition, optimizer, folder)
            kept = {} if everything else _recorded_alike(path, about)
            written = saved_files.Store(edition, optimizer == "files", folder)
            goldens = []
            for case in cases_to_record(edition, optimizer, cases):
                trajectory = kept.get(files.dumps(case))
                new += trajectory is None
                trajectory = trajectory or written.kept(case["id"], _without_id(oracle.run(case)))
                goldens.append({"case": case, "trajectory": trajectory})
            written.write([golden["case"]["id"] for golden in goldens])
            if list(kept.items()) != [(files.dumps(golden["case"]), golden["trajectory"]) for golden in goldens]:
                files.write(path, _provenance(edition, optimizer, about), goldens)
            total += len(goldens)
    lock(folder)
    console.print(f"{release}: {total} goldens, {new} of them recorded now")
    return total


def _recorded_alike(path: Path, about: Document) -> dict[str, Document]:
    """Trajectories of a file that the same versions recorded, by the text of their case."""
    if not path.exists() or files.provenance(path)["versions"] != about["versions"]:
        return {}
    return {files.dumps(golden["case"]): golden["trajectory"] for golden in files.goldens(path)}


def _without_id(trajectory: Document) -> Document:
    return {key: value for key, value in trajectory.items() if key != "id"}


def _provenance(edition: str, optimizer: str, about: Document) -> Document:
    return {
        "edition": edition,
        "optimizer": optimizer,
        "oracle": about["name"],
        "versions": about["versions"],
        "cpu": about["cpu"],
        "specification": spec.digest(),
    }


def lock(folder: Path) -> None:
    """Add the ids that are new to the lock file; an id that was given out stays."""
    if folder == files.FOLDER:
        ids = files.locked_ids()
        new = sorted(set(files.index(folder)) - set(ids))
        files.LOCK.write_text("".join(f"{identity}\n" for identity in [*ids, *new]), "utf-8")


def verify(release: str, python: str, folder: Path = files.FOLDER, only: str | None = None) -> int:
    """Run every recorded case on the release again; print what drifted; returns how many did.

    What is not equal to the bit, and has arithmetic that depends on the CPU (a bound is stated), runs again step by
    step from the recorded state, and must stay within the bound.
    """
    console = Console()
    drifted = exact = within = 0
    with OracleProcess(release, python) as oracle:
        about = oracle.start()
        for edition, optimizer in _with_progress(release, "verify", console):
            if only and optimizer.lower() != only.lower():
                continue
            path = files.path_of(edition, optimizer, folder)
            recorded = files.provenance(path)
            if recorded["versions"] != about["versions"]:
                console.print(f"[yellow]{path.name}: recorded with {recorded['versions']}, running {about['versions']}")
            for golden in files.goldens(path):
                case, expected = golden["case"], golden["trajectory"]
                result = compare(case, expected, oracle.run(case))
                if not (result.divergence is None and result.exact) and any(bounds(case)) and "error" not in expected:
                    result = compare(case, expected, oracle.run(fed(case, expected)))
                drifted += result.divergence is not None
                exact += result.divergence is None and result.exact
                within += result.divergence is None and not result.exact
                if result.divergence:
                    console.print(f"[red]drifted[/red] {case['id']}: {result.divergence}", highlight=False)
    console.print(f"{release}: {exact} equal to the bit, {within} within the stated bound, {drifted} drifted")
    return drifted
