"""Known failures: only what fails as listed is accepted, and the list is written from a run, if the run was whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from goldenstep.conformance import known_failures
from goldenstep.conformance.known_failures import Entry, KnownFailures, KnownFailuresError, Outcome, read, updated
from goldenstep.golden import files

INDEX = files.index()
PACKAGE = """
import os
import numpy as np
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3
GOLDENSTEP_EDITIONS = ["keras3"]
clear_session = keras3.clear_session

class SGD(keras3.SGD):
    def apply_gradients(self, pairs):
        {body}
"""
BIASED = "return super().apply_gradients([(g if v.name != 'bias' else g * np.float32(2), v) for g, v in pairs])"
RIGHT = "return super().apply_gradients(pairs)"
BEFORE, AT, AFTER = "keras3/sgd/defaults-float32", "keras3/sgd/nesterov", "keras3/sgd/shape-scalar"
LISTED = f"""
[[failure]]
cases = ["{BEFORE}"]
reason = "the bias learns twice as fast here"
kind = "value"
step = 1
"""


def suite(folder: Path, *arguments: str, body: str = BIASED) -> subprocess.CompletedProcess[str]:
    (folder / "mypkg.py").write_text(PACKAGE.format(body=body))
    command = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider"]
    cases = [f"--case={identity}" for identity in (BEFORE, AT, AFTER)]
    return subprocess.run(
        [*command, "--impl=mypkg", *cases, *arguments], cwd=folder, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_what_fails_as_listed_is_expected(workers: list[str], tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(LISTED)
    result = suite(tmp_path, "--known-failures=known.toml", *workers)
    assert result.returncode == 0, result.stdout
    assert "2 passed, 1 xfailed" in result.stdout
    assert "known failures: 1 of known.toml met" in result.stdout


@pytest.mark.parametrize(
    ("listed", "body", "message"),
    [
        ("", BIASED, f"{BEFORE}: diverges"),
        (LISTED, RIGHT, 'a known failure ("the bias learns twice as fast here"), but does not fail: take it off'),
        (LISTED.replace("value", "layout"), BIASED, "of kind 'layout', but this one is of kind 'value'"),
        (LISTED.replace("step = 1", "step = 2"), BIASED, "from step 2 on, but this one is from step 1 on"),
        (LISTED.replace(BEFORE, "keras3/sgd/*"), BIASED, "but does not fail: take it off"),
    ],
)
def test_what_is_otherwise_than_listed_fails(listed: str, body: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(listed)
    result = suite(tmp_path, "--known-failures=known.toml", body=body)
    assert result.returncode == 1, result.stdout
    assert message in result.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (LISTED.replace(BEFORE, "keras3/sgd/nothing"), "no such case: keras3/sgd/nothing"),
        (LISTED.replace(BEFORE, "keras3/sgd/nothing*"), "no case fits keras3/sgd/nothing"),
        (LISTED.replace(BEFORE, "keras3/*/defaults-float32"), "does not match"),
        (LISTED.replace(BEFORE, "P-999/keras3"), "no such case: P-999/keras3"),
        (LISTED + LISTED, "is listed twice"),
        (LISTED.replace("reason", "because"), "'reason' is a required property"),
        (LISTED.replace('"value"', '"odd"'), "'odd' is not one of"),
        ("[[failure]", "Expected"),
    ],
)
def test_a_list_that_is_wrong_is_wrong_use(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    path.write_text(text)
    with pytest.raises(KnownFailuresError, match=message):
        read(path, INDEX)


def test_a_list_that_is_not_there_is_wrong_use(tmp_path: Path) -> None:
    with pytest.raises(KnownFailuresError, match="--update-known-failures writes one"):
        read(tmp_path / "known.toml", INDEX)
    result = suite(tmp_path, "--update-known-failures")
    assert result.returncode == 4
    assert "needs --known-failures=FILE" in result.stderr


def test_a_run_writes_the_list_that_it_then_meets(tmp_path: Path) -> None:
    options = ("--known-failures=known.toml", "--update-known-failures")
    assert suite(tmp_path, *options, "-n", "2").returncode == 0
    written = (tmp_path / "known.toml").read_text()
    assert BEFORE in written
    assert AT not in written
    assert "not yet explained: step 1, bias[0]" in written
    result = suite(tmp_path, "--known-failures=known.toml")
    assert result.returncode == 0
    assert "1 of them not yet explained" in result.stdout
    explained = LISTED + 'link = "https://example.org/why"\n'
    (tmp_path / "known.toml").write_text(explained)
    suite(tmp_path, *options)
    assert "the bias learns twice as fast here" in (tmp_path / "known.toml").read_text()
    assert "https://example.org/why" in (tmp_path / "known.toml").read_text()
    suite(tmp_path, *options, body=RIGHT)
    assert "[[failure]]" not in (tmp_path / "known.toml").read_text()


def test_nothing_is_written_after_a_crash(tmp_path: Path) -> None:
    (tmp_path / "known.toml").write_text(LISTED)
    options = ("--known-failures=known.toml", "--update-known-failures")
    result = suite(tmp_path, *options, "--isolate", body="os.abort()")
    assert "not written, for the run was not whole" in result.stdout
    partial = suite(tmp_path, *options, "-k", "not nesterov")
    assert "not written, for the run was not whole: 1 cases that were not run" in partial.stdout
    assert (tmp_path / "known.toml").read_text() == LISTED


def test_a_pattern_stays_while_all_that_it_matches_fail_alike() -> None:
    entry = Entry(("keras3/sgd/clip*",), "a reason", "value")
    names = ("keras3/sgd/clipnorm=0.5", "keras3/sgd/clipvalue=0.5")
    alike = {name: Outcome("value", 3) for name in names}
    assert updated(KnownFailures((entry,)), alike) == [entry]
    passing = {names[0]: Outcome(None), names[1]: Outcome("value", 3)}
    assert updated(KnownFailures((entry,)), passing) == [Entry((names[1],), "a reason", "value", 3)]
    other = {names[0]: Outcome("layout", 1, "an entry too many"), names[1]: Outcome("value", 3)}
    new = updated(KnownFailures((entry,)), other)
    assert {e.reason for e in new} == {"a reason", f"{known_failures.UNEXPLAINED}: an entry too many"}
    assert updated(KnownFailures((entry,)), {}) == [entry]


def test_a_bracket_stands_for_itself(tmp_path: Path) -> None:
    ids = ["keras3/muon/exclude_layers=['kern']", "keras3/muon/exclude_layers=['kern']+nesterov=false"]
    for cases, found in ((ids[:1], [True, False]), (["keras3/muon/*['kern']*"], [True, True])):
        entry = Entry(tuple(cases), "why", "value")
        known = KnownFailures((entry,))
        assert [known.of(identity) is entry for identity in ids] == found
        known_failures.write(
            tmp_path / "known.toml", updated(known, {i: Outcome("value", 1) for i in ids[: sum(found)]})
        )
        assert read(tmp_path / "known.toml", ids).entries == (entry,)
