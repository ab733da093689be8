"""What every schema must refuse, and what must not pass for a golden: one vector for each constraint that matters."""

from __future__ import annotations

import copy
import functools
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goldenstep import spec
from goldenstep.conformance.selection import Selection, UnknownSelectionError, select
from goldenstep.golden import files
from goldenstep.golden.pair_cases import pair_cases
from goldenstep.spec import schedule, serialization, wrapper

Document = dict[str, Any]
ROOT = Path(__file__).parent.parent
GONE = object()
"""In the place of a value: the key is taken away."""


@functools.cache
def golden(place: str) -> Document:
    """The first golden of a file."""
    edition, name = place.split("/")
    return next(files.goldens(files.path_of(edition, name)))


MINIATURE = """
from goldenstep.conformance.answers import CrashError, ProtocolError, TimeoutExceededError
from goldenstep.conformance.keras_shaped import reference

class Miniature:
    name, editions = "miniature", ["keras3"]

    def __init__(self):
        self.right = reference()

    def supports(self, case):
        return "too wide" if case["id"].endswith("shape-vector-17") else None

    def run(self, case):
        got, kind = self.right.run(case), case["id"].rpartition("/")[2]
        if kind == "defaults-float16":
            got["steps"][0]["variables"][0][0] += 1
        if kind == "defaults-float64":
            raise RuntimeError("out of order")
        if kind == "shape-scalar":
            got["error"] = {"stage": "apply", "type": "ValueError", "message": "no scalars"}
        failures = {"shape-one": CrashError, "shape-cube": TimeoutExceededError, "shape-empty": ProtocolError}
        if kind in failures:
            raise failures[kind]("on purpose")
        return got
"""
PLANNED = {"diverges": 1, "error": 2, "unsupported": 1, "crash": 1, "timeout": 1, "protocol error": 1}


@functools.cache
def written(workers: str) -> Document:
    """The report of a run of a miniature implementation with one fault of each kind, in so many workers."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "miniature.py").write_text(MINIATURE, "utf-8")
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", "--impl=miniature:Miniature"]
        options = ["--optimizer=SGD", f"--report={report}", "-n", workers, "-q", "-p", "no:cacheprovider"]
        selected = ["-k", "keras3/sgd/defaults or keras3/sgd/shape- or P-12"]
        result = subprocess.run(
            [*command, *options, *selected], cwd=folder, capture_output=True, text=True, check=False
        )
        assert result.returncode == 1, result.stdout + result.stderr
        return dict(json.loads(report.read_text("utf-8")))


EXAMPLES: dict[str, Callable[[], Any]] = {
    "adapter": lambda: json.loads((ROOT / "adapters/torch/mapping.json").read_text("utf-8")),
    "calls_case": lambda: golden("keras3/config")["case"],
    "case": lambda: golden("keras3/adam")["case"],
    "edition": lambda: spec.editions()["keras3"],
    "erratum": lambda: next(iter(spec.errata().values())),
    "file_case": lambda: golden("keras3/files")["case"],
    "file_trajectory": lambda: golden("keras3/files")["trajectory"],
    "format": lambda: serialization.formats()["resume"],
    "golden": lambda: golden("keras3/adam"),
    "optimizer": lambda: spec.optimizers()["Adam"],
    "protocol_answer": lambda: {"seq": 1, "unsupported": "no float16"},
    "protocol_request": lambda: {"command": "run", "seq": 1, "case": golden("keras3/sgd")["case"]},
    "protocol_started": lambda: {"protocol": 1, "name": "mypkg", "version": "1", "editions": ["keras3"]},
    "provenance": lambda: files.parsed(files.path_of("keras3", "adam"), 0),
    "report": lambda: written("0"),
    "results": lambda: {"id": "keras3/config/x", **golden("keras3/config")["trajectory"]},
    "saved_config": lambda: {"class_name": "Adam", "config": {"learning_rate": 0.1}},
    "schedule": lambda: schedule.schedules()["CosineDecay"],
    "schedule_case": lambda: golden("keras3/schedules")["case"],
    "schedule_trajectory": lambda: {"id": "keras3/schedules/x", **golden("keras3/schedules")["trajectory"]},
    "tensor": lambda: {"dtype": "float32", "shape": [2], "values": [1.0, "NaN"]},
    "trajectory": lambda: {"id": "keras3/adam/x", **golden("keras3/adam")["trajectory"]},
    "wrapper": lambda: wrapper.wrappers()["LossScaleOptimizer"],
}

VECTORS: list[tuple[str, str, Any]] = [
    ("adapter", "edition", "tf3"),
    ("adapter", "optimizers", GONE),
    ("adapter", "dtypes", ["float31"]),
    ("calls_case", "calls", GONE),
    ("calls_case", "id", "no id"),
    ("calls_case", "calls.0", {"telepathy": {}}),
    ("case", "id", "keras3/adam"),
    ("case", "clauses", ["adam-one"]),
    ("case", "features", []),
    ("case", "features", ["dense", "dense"]),
    ("case", "optimizer.class_name", ""),
    ("case", "variables", []),
    ("case", "variables.0.value.dtype", "int64"),
    ("case", "variables.0.constraint", "NonNeg"),
    ("case", "events.0", {}),
    ("case", "events.0", {"attempt": {"attempt": {"finalize": True}}}),
    ("case", "events.0", {"repeat": 0, "events": [{"finalize": True}]}),
    ("case", "events.0", {"repeat": 2, "events": []}),
    ("case", "events.0.apply", [["one"]]),
    ("case", "keep", [0]),
    ("case", "keep", []),
    ("case", "replicas", 1),
    ("case", "mode", "eager"),
    ("edition", "id", 3),
    ("edition", "errors.0.stage", "later"),
    ("edition", "clauses.0.level", "COULD"),
    ("erratum", "id", "7"),
    ("erratum", "cases", GONE),
    ("erratum", "editions", ["tf3"]),
    ("file_case", "file", GONE),
    ("file_case", "saved_after", -1),
    ("file_case", "into", 0.5),
    ("file_case", "members", {}),
    ("file_case", "members", {"../model.h5": "AA=="}),
    ("file_trajectory", "state", GONE),
    ("file_trajectory", "members", "all"),
    ("format", "clauses", GONE),
    ("golden", "case", GONE),
    ("golden", "trajectory", GONE),
    ("golden", "trajectory.steps.0.step", 0),
    ("golden", "trajectory.steps.0.variables", [["inf"]]),
    ("golden", "trajectory.layout.0.dtype", "float31"),
    ("golden", "trajectory.error", {"stage": "apply"}),
    ("optimizer", "hyperparameters", []),
    ("optimizer", "clauses.0.id", "adam-1"),
    ("optimizer", "slots.m.start", GONE),
    ("optimizer", "bounds.0.cause", GONE),
    ("protocol_answer", "seq", GONE),
    ("protocol_answer", "trajectory", {}),
    ("protocol_request", "command", "walk"),
    ("protocol_request", "case", GONE),
    ("protocol_started", "protocol", 2),
    ("protocol_started", "editions", ["tf3"]),
    ("protocol_started", "name", GONE),
    ("provenance", "provenance.versions", GONE),
    ("provenance", "provenance.specification", "short"),
    ("report", "header", GONE),
    ("report", "header.report", 99),
    ("report", "records.0.verdict", "fine"),
    ("report", "footer.selected", -1),
    ("results", "results", GONE),
    ("results", "results", "none"),
    ("saved_config", "class_name", 1),
    ("saved_config", "config", GONE),
    ("schedule", "arguments", GONE),
    ("schedule", "clauses.0.id", "cosine"),
    ("schedule_case", "steps", GONE),
    ("schedule_case", "schedule.class_name", GONE),
    ("schedule_trajectory", "values", GONE),
    ("tensor", "dtype", "float31"),
    ("tensor", "shape", [-1]),
    ("tensor", "shape", [1.5]),
    ("tensor", "values", ["nan"]),
    ("tensor", "values", [None]),
    ("trajectory", "steps", GONE),
    ("trajectory", "layout.0.name", GONE),
    ("trajectory", "steps.0.state", GONE),
    ("trajectory", "steps.0.step", 1.5),
    ("wrapper", "state", GONE),
    ("wrapper", "editions", {"tf3": {}}),
]
"""A schema, a place in its example, and what must not stand there."""


def spoiled(document: Any, place: str, value: Any) -> Any:
    """A copy of a document with another value at a place, or without it."""
    changed = copy.deepcopy(document)
    *road, last = [int(key) if key.isdecimal() else key for key in place.split(".")]
    inner = functools.reduce(lambda node, key: node[key], road, changed)
    if value is GONE:
        del inner[last]
    else:
        inner[last] = value
    return changed


@pytest.mark.parametrize("schema", EXAMPLES)
def test_an_example_is_accepted_and_nothing_may_be_added(schema: str) -> None:
    example = EXAMPLES[schema]()
    spec.validate(example, schema, "example")
    for wrong in ({**example, "colour": "red"}, [example], None):
        with pytest.raises(spec.SpecificationError, match=f"spoiled: {schema}"):
            spec.validate(wrong, schema, "spoiled")


@pytest.mark.parametrize(("schema", "place", "value"), VECTORS)
def test_what_a_schema_must_refuse(schema: str, place: str, value: Any) -> None:
    with pytest.raises(spec.SpecificationError, match=f"spoiled: {schema}"):
        spec.validate(spoiled(EXAMPLES[schema](), place, value), schema, "spoiled")


ELSEWHERE = {
    "comparison": "tests/test_command_line.py",
    "file_answer": "tests/test_hostile_files.py",
    "file_format": "tests/test_files.py",
    "known_failures": "tests/test_known_failures.py",
}
"""Schemas whose documents are made by a run, and refused where that is tested."""


def test_every_schema_has_vectors() -> None:
    assert {schema for schema, *_ in VECTORS} == set(EXAMPLES)
    assert set(EXAMPLES) | set(ELSEWHERE) == set(spec.schemas())
    assert [test for test in ELSEWHERE.values() if not (ROOT / test).exists()] == []


# ---- stale and empty -----------------------------------------------------------------------------------------


def stale(case: Document, known: list[str]) -> list[str]:
    """What is wrong with a recorded case, judged by the specification of today."""
    clauses = {
        clause["id"]
        for documents in (spec.optimizers(), spec.editions(), wrapper.wrappers())
        for document in documents.values()
        for clause in document["clauses"]
    }
    wrong = [f"no clause {clause}" for clause in case["clauses"] if clause not in clauses]
    wrong += [] if case["edition"] in spec.editions() else [f"no edition {case['edition']}"]
    wrong += [] if case["id"] in known else [f"{case['id']} is not in golden/ids.txt"]
    return wrong


def test_no_recorded_case_of_an_optimizer_is_stale() -> None:
    known = set(files.locked_ids())
    for edition in spec.editions():
        for name in ("adam", "sgd", "pairs"):
            for found in files.goldens(files.path_of(edition, name)):
                assert stale(found["case"], known) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("clauses", ["ADAM-99"], "no clause ADAM-99"),
        ("edition", "tf3", "no edition tf3"),
        ("id", "keras3/adam/never-recorded", "is not in golden/ids.txt"),
    ],
)
def test_a_stale_case_is_found(key: str, value: Any, message: str) -> None:
    case = {**golden("keras3/adam")["case"], key: value}
    assert [text for text in stale(case, files.locked_ids()) if message in text]


def test_a_case_that_has_changed_is_no_longer_the_recorded_one() -> None:
    """Whoever changes what a case is made of has to record it again."""
    recorded = [found["case"] for found in files.goldens(files.path_of("keras3", "pairs"))]
    changed = copy.deepcopy(recorded)
    changed[3]["events"][0]["attempt"] = {"finalize": True}
    assert list(pair_cases("keras3")) == recorded != changed


@pytest.mark.parametrize("index", [{}, {"keras3/adam/x": (Path("adam.jsonl"), 1)}])
def test_nothing_selected_is_an_error(index: dict[str, tuple[Path, int]]) -> None:
    with pytest.raises(UnknownSelectionError, match="no case fits the options"):
        select(index, Selection(editions=["tf2.4"]))


@pytest.mark.parametrize("workers", ["0", "2"])
def test_every_kind_of_verdict_is_counted_and_the_census_adds_up(workers: str) -> None:
    """In one process and in two workers: each fault is called what it is, and nothing is lost or counted twice."""
    report = written(workers)
    counted, verdicts = report["footer"]["verdicts"], [record["verdict"] for record in report["records"]]
    assert {name: counted[name] for name in PLANNED} == PLANNED
    assert counted["exact"] == len(verdicts) - sum(PLANNED.values()) > 0
    assert sum(counted.values()) == report["footer"]["run"] == len(verdicts) < report["footer"]["selected"]
    assert len({record["id"] for record in report["records"]}) == len(verdicts)
    assert sum(report["footer"]["properties"].values()) == len(report["properties"]) > 0
    passing = {"exact", "unsupported"}
    assert [r["id"] for r in report["records"] if (r["verdict"] in passing) == bool(r.get("kind"))] == []


def test_two_workers_write_what_one_process_writes() -> None:
    assert written("0") == written("2")
