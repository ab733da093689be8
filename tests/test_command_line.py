"""The command `goldenstep`: real runs, wrong uses, exit statuses, and the page that shows them."""

from __future__ import annotations

import doctest
import json
import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from goldenstep import spec
from goldenstep.conformance import command_line
from goldenstep.conformance.command_line import main
from goldenstep.conformance.explain import changed_lines, rules_of
from goldenstep.golden import files
from goldenstep.golden.__main__ import main as golden_main

Document = dict[str, Any]
PAGE = Path(__file__).parent.parent / "docs" / "command-line.md"
COMMANDS = (
    "check",
    "explain",
    "diff",
    "compare",
    "report",
    "adapter",
    "convert",
    "replay",
    "promote",
    "record",
    "verify",
)
DEFAULTS = "keras3/adam/defaults-float32"


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """No width and no colours from the environment that the tests run in."""
    for name in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(arguments)
    out, err = capsys.readouterr()
    return status, out, err


# ---- help, wrong use -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, command, "--help")
    assert status == 0
    assert f"examples:\n  goldenstep {command} " in out
    assert "exit status: 0" in out


def test_the_manual_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "--help")
    assert status == 0
    assert all(f"\n    {command} " in out for command in COMMANDS)
    status, out, err = run(capsys)
    assert (status, out) == (2, "")
    assert "examples:" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("explain", "the following arguments are required: OPTIMIZER"),
        ("explain Madam", "no optimizer 'Madam'. Do you mean Adam or Nadam? There are Adadelta, "),
        ("explain zzz", "no optimizer 'zzz'. There are Adadelta, "),
        ("explain Adam --edition keras", "no edition 'keras'. Do you mean keras3? There are tf2.4, "),
        ("explain Muon --edition tf2.4", "tf2.4 has no Muon, only keras3 has. tf2.4 has Adadelta, "),
        ("explain Adam --editoin keras3", "unrecognized arguments: --editoin keras3"),
        ("explain Adam -- -x", "only `goldenstep check` takes arguments for pytest"),
        ("diff tf2.15", "the following arguments are required: B"),
        ("diff tf2.15 keras4", "keras4 is neither an edition nor a folder. Do you mean keras3? Give two editions"),
        ("diff tf2.15 .", "tf2.15 and .: an edition and a folder. Give two editions"),
        ("diff . .", ".: expected a folder of goldens such as ./tf2.4/adam.jsonl"),
        ("diff tf2.4 tf2.9 --optimizer Muon", "tf2.9 has no Muon, only keras3 has."),
        ("compare reference reference", "the following arguments are required: --optimizer"),
        ("compare reference nothing_here --optimizer Adam", "no module 'nothing_here' can be imported"),
        ("compare reference json --optimizer Adam", "expected classes such as json.optimizers.Adam"),
        ("compare reference reference@keras2 --optimizer Adam", "no edition 'keras2'. Do you mean keras3?"),
        ("compare reference reference@tf2.4 --optimizer Lion", "tf2.4 has no Lion, only tf2.15, keras3 has."),
        (
            "compare reference reference --optimizer Adam -o nowhere/c.json",
            "nowhere/c.json: there is no folder nowhere",
        ),
        ("report nothing.json -o nowhere/r.html", "nowhere/r.html: there is no folder nowhere"),
        ("replay P-54 --case-file nothing.json", "goldenstep: nothing.json: No such file or directory"),
        ("check --bogus", "unrecognized arguments: --bogus. Pytest's own go after `--`."),
        ("record keras9 --python x", "invalid choice: 'keras9'"),
        ("verify keras3", "the following arguments are required: --python"),
        ("verify keras3 --python /nowhere", "no Python of release keras3 at /nowhere"),
        ("verify keras3 --python /nowhere --optimizer Adma", "no optimizer 'Adma'. Do you mean Adam"),
        ("judge", "invalid choice: 'judge'"),
    ],
)
def test_wrong_use_says_what_would_have_been_right(
    arguments: str, message: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *arguments.split())
    assert status == 2
    assert message in err
    assert not out


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "def factory():\n    raise RuntimeError('no GPU')",
            "{0}.factory() raised RuntimeError: no GPU ({0}.py:2, in factory)",
        ),
        (
            "def factory():\n    import nothing_here",
            "{0}.factory() raised ModuleNotFoundError: No module named 'nothing_here'",
        ),
        ("def factory():\n    raise SystemExit(0)", "{0}.factory() raised SystemExit: 0 ({0}.py:2, in factory)"),
        (
            "def factory():\n    return 3",
            "supports(case) and run(case), or one with classes such as optimizers.Adam or Adam",
        ),
        ("class factory:\n    run = supports = None", "has run and supports, but no name."),
        ("raise KeyError('gpu')", "importing '{0}' raised KeyError: 'gpu' ({0}.py:1, in <module>)"),
        ("def factory(:", "importing '{0}' raised SyntaxError: "),
    ],
)
def test_a_module_that_cannot_be_loaded_is_wrong_use(
    code: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*command_line.sys.path])
    name = f"unloadable_{abs(hash(tmp_path))}"
    (tmp_path / f"{name}.py").write_text(code)
    for command in (
        ["compare", "reference", f"{name}:factory", "--optimizer=Adam"],
        ["check", f"--impl={name}:factory"],
    ):
        status = main(command)
        err = capfd.readouterr().err
        assert status == 2
        assert message.format(name) in err
        assert f"--impl={name}:factory" in err
        assert "Traceback" not in err
        assert "INTERNALERROR" not in err


def test_record_and_verify_take_what_the_recorder_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        golden_main(["--help"])
    options = set(re.findall(r"--[a-z]+", capsys.readouterr().out))
    for command in ("record", "verify"):
        assert set(re.findall(r"(?<=  )--[a-z]+", run(capsys, command, "--help")[1])) == options - {"--help"}


# ---- check -----------------------------------------------------------------------------------------------------

PACKAGE = '''
"""A module shaped like Keras: SGD, right or wrong."""
import numpy as np
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3
GOLDENSTEP_EDITIONS = ["keras3"]
clear_session = keras3.clear_session

class SGD(keras3.SGD):
    def apply_gradients(self, pairs):
        {body}
'''
BODIES = {
    "right": "return super().apply_gradients(pairs)",
    "faster": "return super().apply_gradients([(g * np.float32(1.01), v) for g, v in pairs])",
    "raising": "raise RuntimeError('out of order')",
    "exiting": "raise SystemExit(0)",
    "nan": "super().apply_gradients(pairs); [v.assign(v.value * np.nan) for _, v in pairs]",
}


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that writes a module of one of the BODIES into the working folder, and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [*command_line.sys.path])

    def write(kind: str) -> str:
        name = f"sgd_{kind}_{abs(hash(tmp_path))}"
        (tmp_path / f"{name}.py").write_text(PACKAGE.format(body=BODIES[kind]))
        return name

    return write


@pytest.mark.parametrize(("kind", "status"), [("right", 0), ("faster", 1)])
def test_check_is_the_suite(kind: str, status: int, package: Any, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = [f"--impl={package(kind)}", "--case=keras3/sgd/defaults-float32", "--", "-q", "-p", "no:cacheprovider"]
    assert main(["check", *arguments]) == status
    out, _ = capfd.readouterr()
    assert "goldenstep: verdicts on sgd_" in out
    assert ("keras3/sgd/defaults-float32: diverges" in out) == (kind == "faster")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--case=keras3/adam/nothing", "no such case"),
        ("--timeout=3", "Add --isolate."),
        ("--report=/nowhere/r.json", "--report=/nowhere/r.json: there is no folder /nowhere"),
        ("--known-failures=/nowhere.toml", "/nowhere.toml: no such file"),
    ],
)
def test_check_of_what_cannot_be_is_wrong_use(option: str, message: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", option, "--", "-p", "no:cacheprovider"]) == 2
    out, err = capfd.readouterr()
    assert message in err
    assert "Traceback" not in out + err


# ---- explain ---------------------------------------------------------------------------------------------------

PAIRS = [(optimizer, edition) for edition in spec.editions() for optimizer in spec.available(edition)]


@pytest.mark.parametrize(("optimizer", "edition"), PAIRS)
def test_explain_says_all_of_an_edition(optimizer: str, edition: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "explain", optimizer.upper(), "--edition", edition)
    assert status == 0
    document = spec.optimizers()[optimizer]
    for name in spec.hyperparameters(optimizer, edition):
        assert re.search(rf"^{name} ", out, re.MULTILINE)
    for clause in document["clauses"]:
        assert (f"  {clause['id']} " in out) == (edition in clause.get("editions", [edition]))
    for rule in rules_of(optimizer, edition).values():
        assert f"\ndef {rule.__name__}(" in out
    assert "[/" not in out


@pytest.mark.parametrize(("optimizer", "edition"), PAIRS)
def test_explain_has_the_recorded_state_in_its_order(
    optimizer: str, edition: str, capsys: pytest.CaptureFixture[str]
) -> None:
    golden = files.parsed(*files.index()[f"{edition}/{optimizer.lower()}/defaults-float32"])
    wanted = [entry["name"] for entry in golden["trajectory"]["layout"]]
    _, out, _ = run(capsys, "explain", optimizer, "--edition", edition)
    table = out.partition("State, in this order")[2].partition("Clauses")[0]
    rows = [line.split() for line in table.splitlines() if re.match(r" *\d+ ", line)]
    assert [name for row in rows for name in row[1:2] if name in wanted] == wanted


@pytest.mark.parametrize("optimizer", spec.optimizers())
def test_explain_sets_editions_side_by_side(optimizer: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "explain", optimizer)
    assert status == 0
    for edition in spec.optimizers()[optimizer]["editions"]:
        names = [rule.__name__ for rule in rules_of(optimizer, edition).values()]
        row = next(line for line in out.splitlines() if line.startswith(f"{edition} "))
        assert row.split()[1 : 1 + len(names)] == names or set(names) <= set(row.split())


def test_explain_shows_the_rules_inside_a_graph(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "explain", "Adagrad", "--edition", "tf2.12")
    dense, sparse = out.partition("Rules for a dense gradient inside tf.function")[2].split(
        "Rules for a sparse gradient"
    )
    assert re.search(r"^plain +adagrad_ops +adagrad_graph *$", dense, re.MULTILINE)
    assert "\n    + w = w - lr * g * rsqrt(a + epsilon)\n" in dense
    assert re.search(r"^plain +adagrad_rows +adagrad_rows_graph *$", sparse, re.MULTILINE)
    _, out, _ = run(capsys, "explain", "Adagrad")
    section = out.partition("Rule for a dense gradient inside tf.function")[2].partition("Rule for a sparse")[0]
    assert [line.split()[:2] for line in section.splitlines() if " adagrad_" in line] == [
        ["tf2.9", "adagrad_graph"],
        ["tf2.12", "adagrad_graph"],
        ["tf2.15", "adagrad_graph_2_15"],
        ["keras3", "adagrad_graph_2_15"],
    ]
    of_sgd = run(capsys, "explain", "SGD", "--edition", "tf2.12")[1].partition("Clauses")[2]
    assert "Rules for a sparse gradient inside tf.function" in of_sgd
    assert "Rules for a dense gradient inside tf.function" not in of_sgd


def test_diff_shows_the_rules_for_rows_inside_a_graph(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", "tf2.9", "tf2.12", "--optimizer", "SGD")
    assert re.search(r"^plain, sparse, in a graph +\S+ +momentum_rows_graph +other bits *$", out, re.MULTILINE)


def test_what_differs_between_two_rules_is_shown_by_their_lines() -> None:
    older, newer = (rules_of("Adam", edition)["plain"] for edition in ("tf2.4", "tf2.9.legacy"))
    assert changed_lines(older, newer) == [
        "- w = w - (m * alpha) / (sqrt_2_4(v) + epsilon)",
        "+ w = w - (m * alpha) / (sqrt(v) + epsilon)",
    ]
    assert changed_lines(older, older) == []


def test_colours_are_for_terminals_and_switch_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    colour = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7])m")
    command = ("explain", "Adam")
    assert "\x1b" not in run(capsys, *command)[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert colour.search(run(capsys, *command)[1])
    monkeypatch.setenv("NO_COLOR", "1")
    assert not colour.search(run(capsys, *command)[1])


# ---- diff ------------------------------------------------------------------------------------------------------


def test_diff_of_editions(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "diff", "TF2.15", "keras3")
    assert status == 1
    assert re.search(r"^Muon +only in keras3 ", out, re.MULTILINE)
    assert re.search(r"^Adam +other bits in 2 of 4 +same +\+ learning_rate, other names ", out, re.MULTILINE)
    assert re.search(r"^ema_overwrite_frequency +100 +None", out, re.MULTILINE)
    assert re.search(r"^decay=0.5 +ValueError at construct +no error +all", out, re.MULTILINE)
    assert re.search(r"^gradient_accumulation_steps +- +None", out, re.MULTILINE)
    assert "    + v = v + (g * g - v) * (1 - b2)" not in out.partition("\nAdam\n")[2].partition("\nAdamax\n")[0]


def test_diff_of_one_optimizer(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "diff", "tf2.4", "keras3", "--optimizer", "ftrl")
    assert (status, err) == (1, "")
    assert "Adagrad" not in out.partition("Optimizers")[2]
    assert "order of those in both" in out


def test_diff_tells_the_rules_inside_a_graph(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "diff", "tf2.12", "tf2.15", "--optimizer", "Adagrad")
    assert re.search(r"^plain, in a graph +adagrad_graph +adagrad_graph_2_15 +other bits", out, re.MULTILINE)
    assert re.search(r"^Adagrad +other bits in 2 of 4 ", out, re.MULTILINE)
    _, out, _ = run(capsys, "diff", "tf2.4", "tf2.9", "--optimizer", "Adagrad")  # tf2.4 has the same rule in a graph
    assert re.search(r"^plain, in a graph +adagrad_kernel_2_4 +adagrad_graph +other bits", out, re.MULTILINE)


def test_an_edition_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "diff", "tf2.12", "tf2.12")
    assert status == 0
    assert "other bits" not in out
    assert "Errors" not in out


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders with the same two golden files."""
    folders = tmp_path / "one", tmp_path / "two"
    for folder in folders:
        for edition, optimizer in (("keras3", "Adam"), ("tf2.4", "SGD")):
            path = files.path_of(edition, optimizer, folder)
            path.parent.mkdir(parents=True)
            shutil.copy(files.path_of(edition, optimizer), path)
    return folders


def spoil(folder: Path) -> None:
    """Change a weight, an input, a message, and leave a case out."""
    path = files.path_of("keras3", "Adam", folder)
    goldens = [json.loads(line) for line in path.read_text().splitlines()]
    by_id = {g["case"]["id"].rpartition("/")[2]: g for g in goldens[1:]}
    by_id["defaults-float32"]["trajectory"]["steps"][6]["variables"][0][3] += 0.5
    by_id["beta_1=0.5"]["case"]["optimizer"]["config"]["beta_1"] = 0.25
    by_id["refused-foo=1"]["trajectory"]["error"]["message"] = "no"
    goldens.remove(by_id["amsgrad"])
    goldens[0]["provenance"]["versions"]["keras"] = "3.16.0"
    path.write_text("".join(files.dumps(golden) + "\n" for golden in goldens))


def test_equal_golden_folders(recordings: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "diff", *map(str, recordings))
    assert status == 0
    assert re.search(r"^all +\d+ +\. +\. +\. +\. +\.", out, re.MULTILINE)


def test_diff_of_golden_folders(recordings: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    one, two = map(str, recordings)
    spoil(recordings[1])
    status, out, _ = run(capsys, "diff", one, two)
    assert status == 1
    assert re.search(r"^keras3/adam +\d+ +2 +\. +1 +1 +\.", out, re.MULTILINE)
    assert f"\n{DEFAULTS}: step 7, kernel[3]: expected " in out
    assert "keras3/adam/beta_1=0.5: the case itself differs in its optimizer" in out
    assert 'keras3/adam/refused-foo=1: message of the error: "' in out
    assert "keras3/adam/amsgrad: only in the first folder" in out
    assert '"keras": "3.16.0"' in out
    assert run(capsys, "diff", one, two, "--optimizer", "SGD")[0] == 0


def test_a_spoiled_file_is_named(recordings: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    files.path_of("keras3", "Adam", recordings[1]).write_text("{}\nrubbish\n")
    status, _, err = run(capsys, "diff", *map(str, recordings))
    assert status == 2
    assert "adam.jsonl, line 2: expected a golden" in err


# ---- compare ---------------------------------------------------------------------------------------------------


def test_equal_implementations(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "compare", "reference", "reference", "--optimizer", "sgd", "--edition", "tf2.9")
    assert status == 0
    assert "SGD: reference as tf2.9, and reference as tf2.9; " in out
    assert re.search(r"^ +\d+ equal to the bit$", out, re.MULTILINE)
    assert re.search(r"^ +\d+ refused by both alike$", out, re.MULTILINE)
    assert re.search(r"^ +1,000 +equal +equal", out, re.MULTILINE)
    assert "different" not in out


def test_different_implementations(package: Any, capsys: pytest.CaptureFixture[str]) -> None:
    name = package("faster")
    status, out, _ = run(capsys, "compare", name, "reference", "--optimizer", "SGD")
    assert status == 1
    assert re.search(r"^  different since step 1 in \d+", out, re.MULTILINE)
    assert re.search(r"^defaults-float32 +1 +kernel\[0\] ", out, re.MULTILINE)
    assert re.search(r"more: --all shows them$", out, re.MULTILINE)
    distances = re.findall(r"^ +(1|10|100|1,000) +([0-9.e+]+) +([0-9.e+-]+)", out, re.MULTILINE)
    assert [steps for steps, _, _ in distances] == ["1", "10", "100", "1,000"]
    shares = [float(share) for _, _, share in distances]
    assert 0 < shares[0] < shares[3] < 0.1
    _, longer, _ = run(capsys, "compare", name, "reference", "--optimizer", "SGD", "--all")
    assert "--all shows them" not in longer
    assert len(longer) > len(out)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("right", "equal to the bit"), ("raising", "RuntimeError at apply"), ("exiting", "SystemExit"), ("nan", "NaN")],
)
def test_an_implementation_that_misbehaves_is_different(
    kind: str, text: str, package: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, "compare", "reference", package(kind), "--optimizer", "SGD")
    assert status == (0 if kind == "right" else 1)
    assert text in out


def test_an_implementation_without_the_optimizer_cannot_be_compared(
    package: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, _ = run(capsys, "compare", "reference", package("right"), "--optimizer", "Adam")
    assert status == 2
    assert ": no Adam)" in out
    status, _, err = run(capsys, "compare", "reference", package("right"), "--optimizer", "SGD", "--edition", "tf2.4")
    assert status == 2
    assert "does not have SGD of tf2.4; the editions that it claims: keras3." in err


def test_editions_are_compared_by_their_variables(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "compare", "reference@tf2.4", "reference@keras3", "--optimizer", "Adam")
    assert status == 1
    assert "only the variables are compared" in out
    assert "Adam: reference as tf2.4, and reference as keras3; " in out


# ---- the page --------------------------------------------------------------------------------------------------

BLOCKS = re.findall(r"^```text\n\$ (goldenstep .*)\n((?:.*\n)*?)```", PAGE.read_text("utf-8"), re.MULTILINE)


def test_the_page_shows_every_command() -> None:
    table = re.findall(r"^\| \[(`.*`)\]\(#", PAGE.read_text("utf-8"), re.MULTILINE)
    assert re.findall("`([a-z]+)`", " ".join(table)) == list(COMMANDS)
    assert {block[0].split()[1] for block in BLOCKS} == set(COMMANDS) - {"replay", "promote"}  # both need a failure


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[block[0] for block in BLOCKS])
def test_the_page_shows_real_output(command: str, shown: str, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = shlex.split(command)[1:]
    if {"keras", "--python"} & set(arguments):
        pytest.skip("needs an environment of its own")
    main([*arguments, *(["-p", "no:cacheprovider"] if arguments[0] == "check" else [])])
    out, err = capfd.readouterr()
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    assert doctest.OutputChecker().check_output(shown, out + err, flags), out + err
