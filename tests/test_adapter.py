"""`goldenstep adapter`, and implementations that an installed package announces."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest

from goldenstep.conformance.command_line import main
from goldenstep.conformance.implementations import load
from goldenstep.conformance.keras_shaped import reference


def test_a_template_is_written_once_and_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["adapter", "new", "made.py"]) == 0
    assert main(["adapter", "new", "made.py"]) == 2
    assert main(["adapter", "new", "made.rs"]) == 2
    assert "ends in .mjs or .py" in capsys.readouterr().out
    assert main(["adapter", "check", "made:implementation"]) == 0
    out = capsys.readouterr().out
    assert "✓ SGD                exact" in out
    assert "- Nadam              unsupported: only SGD" in out
    assert "goldenstep check --impl=made:implementation" in out


def test_a_wrong_adapter_is_told_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    main(["adapter", "new", "biased.py"])
    text = (tmp_path / "biased.py").read_text()
    assert "w -= self.learning_rate * g" in text
    (tmp_path / "biased.py").write_text(text.replace("w -= self.learning_rate * g", "w -= self.learning_rate * g * 2"))
    assert main(["adapter", "check", "biased:implementation", "--isolate"]) == 1
    out = capsys.readouterr().out
    assert "✗ SGD                diverges: step 1, kernel[0]" in out
    assert "--impl=biased:implementation --isolate --case='keras3/sgd/defaults-float32'" in out


@pytest.mark.parametrize("name", ["no_such_module", "cmd: /nowhere", "json"])
def test_what_is_no_adapter_is_said_to_be_none(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["adapter", "check", name]) == 2
    assert "✗ it starts and says what it is" in capsys.readouterr().out


def test_an_edition_that_an_adapter_does_not_claim_is_wrong_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    main(["adapter", "new", "claiming.py"])
    assert main(["adapter", "check", "claiming:implementation", "--edition", "tf2.4"]) == 2
    assert "expected tf2.4 among keras3" in capsys.readouterr().out


def announced(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    entry = metadata.EntryPoint("announced", value, "goldenstep.implementations")
    monkeypatch.setattr(metadata, "entry_points", lambda group: [entry] if group == entry.group else [])


def test_a_package_announces_its_implementation(monkeypatch: pytest.MonkeyPatch) -> None:
    announced(monkeypatch, "goldenstep.conformance.keras_shaped:reference")
    assert load("announced").editions == reference().editions
    announced(monkeypatch, "goldenstep.reference.editions.keras3")
    assert load("announced").editions == ["keras3"]
    command = f"cmd: '{sys.executable}' -m goldenstep.conformance.serve reference"
    monkeypatch.setattr("goldenstep.conformance.serve.ANNOUNCED", command, raising=False)
    announced(monkeypatch, "goldenstep.conformance.serve:ANNOUNCED")
    implementation = load("announced")
    assert (implementation.name, implementation.asked) == ("reference", "--impl=announced")  # type: ignore[attr-defined]
