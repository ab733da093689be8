"""The report of a run, the page that is made of it, and badges."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from goldenstep import spec
from goldenstep.conformance import report_page
from goldenstep.conformance.command_line import main
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.report_file import ReportError, evidence, read
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.compare import Divergence

Document = dict[str, Any]
PACKAGE = """
import numpy as np
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3
GOLDENSTEP_EDITIONS = ["keras3"]
clear_session = keras3.clear_session

class SGD(keras3.SGD):
    def apply_gradients(self, pairs):
        return super().apply_gradients([(g if v.name != "bias" else g * np.float32(2), v) for g, v in pairs])
"""
CASES = ("defaults-float32", "thousand-steps", "nesterov", "shape-scalar", "clipvalue=0.5+none")
KNOWN = '[[failure]]\ncases = ["keras3/sgd/thousand-steps"]\nreason = "a bias learns twice as fast"\nkind = "value"\n'
BIASED = "keras3/sgd/defaults-float32"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three reports: one run twice, in one process and in two, and the reference."""
    made = tmp_path_factory.mktemp("reports")
    (made / "mypkg.py").write_text(PACKAGE)
    (made / "known.toml").write_text(KNOWN)
    suite = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider"]
    cases = [f"--case=keras3/sgd/{name}" for name in CASES] + ["--case=keras3/nadam/defaults-float32"]
    for name, arguments in {
        "one": ["--impl=mypkg", "--known-failures=known.toml"],
        "two": ["--impl=mypkg", "--known-failures=known.toml", "-n", "2"],
        "reference": ["--impl=reference"],
    }.items():
        command = [*suite, *cases, f"--report={name}.json", *arguments]
        result = subprocess.run(command, cwd=made, capture_output=True, text=True, timeout=240)
        assert f"report: {name}.json" in result.stdout, result.stdout + result.stderr
    return made


def test_the_same_run_gives_the_same_bytes_in_one_process_or_two(folder: Path) -> None:
    assert (folder / "one.json").read_bytes() == (folder / "two.json").read_bytes()


def test_a_report_has_what_a_reader_needs(folder: Path) -> None:
    report = read(folder / "one.json")
    spec.validate(report, "report", "one.json")
    records = {record["id"]: record for record in report["records"]}
    failed = records[BIASED]
    assert (failed["verdict"], failed["kind"], failed["step"]) == ("diverges", "value", 1)
    assert failed["at"]["where"] == "bias[0]"
    golden = files.parsed(*files.index()[BIASED])
    assert failed["at"]["expected"] == str(golden["trajectory"]["steps"][0]["variables"][1][0])
    assert [point[0] for point in failed["curve"]] == [step["step"] for step in golden["trajectory"]["steps"]]
    assert all(point[1] > 0 for point in failed["curve"])
    assert "mypkg.SGD()" in failed["script"]
    assert "known" in records["keras3/sgd/thousand-steps"]
    assert records["keras3/nadam/defaults-float32"]["verdict"] == "unsupported"
    assert report["footer"]["selected"] == report["footer"]["run"] == len(records) == 6
    assert sum(report["footer"]["verdicts"].values()) == 6
    order = list(files.index())
    assert [order.index(identity) for identity in records] == sorted(order.index(identity) for identity in records)


@pytest.mark.parametrize(
    "identity",
    [
        "keras3/config/adam-defaults",
        "keras3/weights/adam-state",
        "keras3/files/adam/defaults-weights.h5",
        "keras3/schedules/cosinedecay/usual",
        "keras3/adagrad/replicas",
        "keras3/adam/use_ema+finalize-some",
    ],
)
def test_a_failed_case_of_any_kind_has_its_evidence(identity: str) -> None:
    golden = files.parsed(*files.index()[identity])
    record = judge(reference(), golden["case"], golden["trajectory"])
    failed = replace(record, verdict=Verdict.DIVERGES, divergence=Divergence(1, "config", None, 1, 2, None))
    shown = evidence(reference(), golden, failed)
    assert shown["rerun"].endswith(f"--case='{identity}'")
    assert shown["at"] == {"where": "config", "expected": "1", "got": "2"}
    if "replicas" in golden["case"]:
        assert shown["curve"] == []
    elif "steps" in golden["trajectory"]:
        assert [error for _, error, _ in shown["curve"]] == [0.0] * len(golden["trajectory"]["steps"])
    else:
        assert "curve" not in shown


def test_a_report_that_is_cut_off_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (folder / "one.json").read_text()
    cut = tmp_path / "cut.json"
    cut.write_text(text[: len(text) // 2])
    with pytest.raises(ReportError, match="expected a whole report"):
        read(cut)
    whole = json.loads(text)
    del whole["footer"]
    cut.write_text(json.dumps(whole))
    assert main(["report", str(cut), "-o", str(tmp_path / "page.html")]) == 2
    assert "'footer' is a required property" in capsys.readouterr().err


def test_the_page_needs_no_other_file(folder: Path) -> None:
    output = folder / "report.html"
    reports = [str(folder / name) for name in ("one.json", "reference.json")]
    assert main(["report", *reports, "-o", str(output), "--badges", str(folder / "badges")]) == 0
    page = output.read_text()
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "</script><" not in page.partition('id="data">')[2].partition("</script>\n")[0]
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert len(data["cases"]) == 6
    shown = data["reports"]
    assert {name: len(one["records"]) for name, one in shown.items()} == {"mypkg": 5, "reference": 6}
    assert [
        (reason, [data["cases"][place][0] for place in places]) for reason, places in shown["mypkg"]["unsupported"]
    ] == [("no Nadam", ["keras3/nadam/defaults-float32"])]
    assert [path.name for path in sorted((folder / "badges").iterdir())] == ["mypkg-keras3.svg", "reference-keras3.svg"]
    for path in (folder / "badges").iterdir():
        ElementTree.fromstring(path.read_text())
    assert "unexplained" in (folder / "badges" / "mypkg-keras3.svg").read_text()


def test_counts_of_a_cell() -> None:
    def record(verdict: str, clauses: list[str], **more: str) -> Document:
        return {"verdict": verdict, "clauses": clauses, **more}

    records = [
        record("exact", ["ADAM-1", "ADAM-2"]),
        record("diverges", ["ADAM-2"], kind="value"),
        record("diverges", ["ADAM-3"], kind="value", known="a reason"),
        record("unsupported", ["ADAM-4"]),
        record("exact", ["ADAM-1"], kind="as shipped"),
    ]
    cell = report_page.cell(records)
    assert {name: cell[name] for name in ("passed", "known", "failed", "unsupported", "run")} == {
        "passed": 1, "known": 1, "failed": 2, "unsupported": 1, "run": 4
    }  # fmt: skip
    assert cell["levels"] == ["MUST 0 of 3"]
    assert report_page.cell(records[:1])["levels"] == ["MUST 2 of 2"]


def test_two_runs_of_one_implementation_have_two_names(folder: Path) -> None:
    one = read(folder / "one.json")
    assert report_page.labels([one, one, read(folder / "reference.json")]) == ["mypkg (1)", "mypkg (2)", "reference"]


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_browser_shows_the_linked_case_with_its_plot(folder: Path) -> None:
    (folder / "page.html").write_text(report_page.page([read(folder / "one.json")]))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    url = f"{(folder / 'page.html').as_uri()}#{BIASED}"
    dumped = subprocess.run([*command, url], capture_output=True, text=True, timeout=120).stdout
    shown = dumped.partition('id="data"')[0]
    assert "1 of 6 cases" in shown
    assert "<svg" in shown
    assert "mypkg.SGD()" in shown


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_a_search_says_what_other_verdicts_hide(folder: Path) -> None:
    page = report_page.page([read(folder / "one.json")])
    typed = '<script>at("search").value = "SGD"; at("state").value = "failed"; search();</script></body>'
    (folder / "searched.html").write_text(page.replace("</body>", typed))
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]
    url = (folder / "searched.html").as_uri()
    dumped = subprocess.run([*command, url], capture_output=True, text=True, timeout=120).stdout
    states = [report_page.state_of(r) for r in read(folder / "one.json")["records"] if "sgd" in r["id"]]
    failed = states.count("failed")
    assert 0 < failed < len(states)
    assert f"{failed} of 6 cases; {len(states) - failed} more with another verdict" in dumped
