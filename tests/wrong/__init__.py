"""Wrong implementations: the reference with a piece of its source text replaced, for as long as it is on trial.

    with WRONG["adam/epsilon-under-the-root"].at_work():
        judge(reference(), case, trajectory)

Each has an id, says what is wrong, and where the mistake was made: an id of the list of bugs, or "own" where it is
only a likely one.  README.md beside this file names the golden that rejects each; `python -m tests.wrong` writes it.
"""

from __future__ import annotations
import __future__

import contextlib
import functools
import importlib
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.compare import Divergence
from goldenstep.golden.record import KINDS
from goldenstep.reference import bits
from goldenstep.spec import wrapper as wrapper_spec

Document = dict[str, Any]
Pair = tuple[str, str]
TABLE = Path(__file__).parent / "README.md"
LEGACY = ("tf2.4", "tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy")
NEW = ("tf2.9", "tf2.12", "tf2.15", "keras3")


@dataclass(frozen=True)
class Edit:
    """Source text of a function, replaced: of a rule, in the table of an edition, or of an attribute."""

    function: Callable[..., Any]
    source: str
    place: Callable[[Callable[..., Any]], contextlib.AbstractContextManager[None]]
    pairs: Sequence[Pair]


@dataclass(frozen=True)
class Wrong:
    """A wrong implementation: the reference with some edits, and the goldens that may tell."""

    id: str
    what: str
    source: str
    edits: Sequence[Edit]
    editions: Sequence[str]
    optimizers: Sequence[str]

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """The reference is wrong in this way."""
        with contextlib.ExitStack() as stack:
            for edit in self.edits:
                stack.enter_context(edit.place(edited(edit)))
            yield


Part = tuple[list[Edit], Sequence[str], Sequence[str]]
"""Some edits, with the editions and optimizers whose cases may tell."""
WRONG: dict[str, Wrong] = {}


def wrong(identity: str, what: str, source: str, *edits: Part) -> None:
    """Register a wrong implementation."""
    assert identity not in WRONG, identity
    editions = dict.fromkeys(edition for _, editions, _ in edits for edition in editions)
    optimizers = dict.fromkeys(optimizer for *_, optimizers in edits for optimizer in optimizers)
    WRONG[identity] = Wrong(
        identity, what, source, [e for es, *_ in edits for e in es], list(editions), list(optimizers)
    )


def rule(optimizer: str, editions: str | Sequence[str], *pairs: Pair, table: str = "RULES") -> Part:
    """Replace text in the rules of an optimizer, in all variants of these editions that have it."""
    editions = [editions] if isinstance(editions, str) else editions
    tables = getattr(importlib.import_module(f"goldenstep.reference.rules.{optimizer.lower()}"), table)
    edits = []
    for edition in editions:
        for variant, function in tables.get(edition, {}).items():
            if all(before in inspect.getsource(function) for before, _ in pairs):
                edits.append(edit_of(function, replacing(tables, edition, variant), pairs))
    assert edits, f"{optimizer} of {', '.join(editions)} has no rule with {pairs}"
    return edits, editions, [optimizer]


def sparse(optimizer: str, editions: str | Sequence[str], *pairs: Pair) -> Part:
    """Replace text in the rules of sparse gradients."""
    return rule(optimizer, editions, *pairs, table="SPARSE")


def code(
    owner: Any,
    name: str,
    *pairs: Pair,
    editions: str | Sequence[str],
    optimizers: str | Sequence[str] = ("SGD", "Adam"),
) -> Part:
    """Replace text in a function of a module (which may be given by its name) or in a method of a class."""
    owner = importlib.import_module(owner) if isinstance(owner, str) else owner
    editions = [editions] if isinstance(editions, str) else editions
    optimizers = [optimizers] if isinstance(optimizers, str) else optimizers
    return [edit_of(getattr(owner, name), setting(owner, name), pairs)], editions, optimizers


def replacing(tables: dict[str, Any], edition: str, variant: str) -> Any:
    """A context manager that puts a rule into the table of an edition; editions may share one, so it is copied."""

    @contextlib.contextmanager
    def place(function: Callable[..., Any]) -> Iterator[None]:
        before = tables[edition]
        tables[edition] = {**before, variant: function}
        try:
            yield
        finally:
            tables[edition] = before

    return place


def setting(owner: Any, name: str) -> Any:
    """A context manager that gives an attribute another value."""

    @contextlib.contextmanager
    def place(function: Callable[..., Any]) -> Iterator[None]:
        own = name in vars(owner)
        before = vars(owner).get(name)
        setattr(owner, name, staticmethod(function) if isinstance(before, staticmethod) else function)
        try:
            yield
        finally:
            setattr(owner, name, before) if own else delattr(owner, name)

    return place


def edit_of(function: Callable[..., Any], place: Any, pairs: Sequence[Pair]) -> Edit:
    """An edit of a function as it is now."""
    return Edit(function, inspect.getsource(function), place, pairs)


def edited(edit: Edit) -> Callable[..., Any]:
    """The function with each text replaced by another; ValueError if its source doesn't have it."""
    source, name = edit.source, edit.function.__name__
    for before, after in edit.pairs:
        if before not in source:
            raise ValueError(f"{name} has no {before!r} any more: bring the wrong implementation up to date")
        source = source.replace(before, after)
    names = {**vars(bits), "np": np, **getattr(edit.function, "__globals__", {}), "product": product, "wide": wide}
    source = f"if True:\n{source}" if source.startswith(" ") else source
    exec(compile(source, f"<wrong {name}>", "exec", flags=__future__.annotations.compiler_flag), names)
    return names[name]  # type: ignore[no-any-return]


def product(base: Any, exponent: Any) -> Any:
    """`base ** exponent` as a running product, each factor rounded."""
    result = base / base
    for _ in range(int(exponent)):
        result = result * base
    return result


def wide(x: Any) -> Any:
    """The same numbers in float64."""
    return np.asarray(x, np.float64)


# ---- the trial ---------------------------------------------------------------------------------------------

RECORDED, MADE = "", "not yet recorded"
ALONE = ("schedules", "files", "methods")
"""Kinds of cases that are asked of those that name them, or stand under the names of the optimizers."""


def trials_of(suspect: Wrong) -> Iterator[tuple[str, str]]:
    """Ids of the cases that may reject it and their standing: goldens first, long ones and errors last among them."""

    def late(identity: str) -> bool:
        slug = identity.split("/", 2)[2]
        return slug.startswith(("refused", "fails", "thousand", "gradient-of", "gradient-none"))

    there = {e: {*spec.available(e), *wrapper_spec.available(e), "schedules"} for e in suspect.editions}
    places = [(e, o) for e in suspect.editions for o in suspect.optimizers if o in there[e]]
    prefixes = [f"{edition}/{optimizer.lower()}/" for edition, optimizer in places]
    kinds = [kind for kind in KINDS if kind not in ALONE or kind in suspect.optimizers]
    prefixes += [f"{edition}/{kind}/" for edition in suspect.editions for kind in kinds]
    found = [identity for prefix in dict.fromkeys(prefixes) for identity in index() if identity.startswith(prefix)]
    yield from ((identity, RECORDED) for identity in sorted(found, key=late))
    for place in places:
        known = made(*place) if place[1] != "schedules" else ()
        yield from ((identity, MADE) for identity in known if identity not in index())


index = functools.cache(files.index)


@functools.cache
def made(edition: str, optimizer: str) -> dict[str, Document]:
    """The cases of an optimizer that would be recorded now, by id."""
    from goldenstep.golden.cases import cases_of
    from goldenstep.golden.wrapper_cases import wrapper_cases_of

    cases = wrapper_cases_of if optimizer in wrapper_spec.wrappers() else cases_of
    return {case["id"]: case for case in cases(edition, optimizer)}


@functools.cache
def expected(identity: str) -> tuple[Document, Document]:
    """A case and its trajectory: the recorded one, or that of the reference as it should be."""
    if identity in index():
        golden = files.parsed(*index()[identity])
        return golden["case"], golden["trajectory"]
    edition, name, _ = identity.split("/", 2)
    known = (*spec.optimizers(), *wrapper_spec.wrappers())
    optimizer = next(optimizer for optimizer in known if optimizer.lower() == name)
    case = made(edition, optimizer)[identity]
    return case, reference().run(case)


def rejects(identity: str, suspect: Wrong) -> bool:
    """Does a case reject it? One that raises where the reference does not is no mistake but a slip of ours."""
    case, trajectory = expected(identity)
    with suspect.at_work():
        record = judge(reference(), case, trajectory)
    return record.verdict is Verdict.DIVERGES and not slipped(record.divergence)


def slipped(divergence: Divergence | None) -> bool:
    """Does an attempted step raise where the reference does not? A gradient that was changed is the judge's finding."""
    if divergence is None or divergence.where != "error" or divergence.expected != "no error":
        return False
    return not str(divergence.got).startswith("ChangedGradientError")


def first_to_reject(suspect: Wrong) -> tuple[str, str] | None:
    """The first case that rejects a wrong implementation and its standing, or None if it survives them all."""
    return next((trial for trial in trials_of(suspect) if rejects(trial[0], suspect)), None)


class Row(NamedTuple):
    """What the table says of a wrong implementation: the case that rejects it, its standing, and the property."""

    case: str
    standing: str
    property: str


def rows() -> dict[str, Row]:
    """The table as it stands, by the id of the wrong implementation."""
    lines = TABLE.read_text("utf-8").splitlines() if TABLE.exists() else []
    found = {}
    for line in lines:
        if line.startswith("| `") and line.count(" | ") >= 4:
            cells = line.strip("|").split(" | ")
            case, _, standing = cells[-2].strip().removesuffix(")").partition(" (")
            found[cells[0].strip(" `")] = Row(case.strip("`"), standing, cells[-1].strip())
    return found


from . import (  # noqa: E402  # they register what is wrong
    adams,  # noqa: F401
    others,  # noqa: F401
    overwriting,  # noqa: F401
    pipelines,  # noqa: F401
    subtle,  # noqa: F401
    subtle_combined,  # noqa: F401
    subtle_drawn,  # noqa: F401
    subtle_escaped,  # noqa: F401
    subtle_extreme,  # noqa: F401
    subtle_given,  # noqa: F401
    subtle_graph,  # noqa: F401
    subtle_interactions,  # noqa: F401
    subtle_pipelines,  # noqa: F401
    subtle_rare,  # noqa: F401
    subtle_remote,  # noqa: F401
    subtle_restored,  # noqa: F401
    subtle_uncommon,  # noqa: F401
    subtle_unseen,  # noqa: F401
    wrappers,  # noqa: F401
)
