"""The tutorial is real: its programs are written to files, its commands are run, and they print what stands there.

python tests/test_tutorial.py writes the output of the commands into docs/writing-an-adapter.md anew.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "writing-an-adapter.md"
BLOCK = re.compile(r"```(js|console)\n(.*?)```", re.DOTALL)


def played(folder: Path) -> Iterator[tuple[str, str]]:
    """Every console block as the page has it, and as it is."""
    scripts = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "110"}
    for kind, text in BLOCK.findall(PAGE.read_text("utf-8")):
        if kind == "js":
            (folder / "adapter.mjs").write_text(text, "utf-8")
            continue
        said = []
        for command in (line[2:] for line in text.splitlines() if line.startswith("$ ")):
            words = shlex.split(command)
            if words[:3] == ["goldenstep", "adapter", "new"]:
                (folder / words[3]).unlink(missing_ok=True)
            start = [sys.executable, "-m", "goldenstep.conformance.command_line", *words[1:]]
            result = subprocess.run(start, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
            said.append(f"$ {command}\n{plain(result.stdout + result.stderr)}\n")
        yield text, "".join(said)


def plain(output: str) -> str:
    """Without what depends on the machine: durations, progress, the lines of many optimizers that are not there."""
    lines = [line.rstrip() for line in output.splitlines()]
    lines = [
        line for line in lines if line and not re.match(r"bringing up nodes|[.u]+ +\[|  - (?!Adadelta|clip)", line)
    ]
    return re.sub(r" in \d+\.\d+s.*", " in ...", "\n".join(lines))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_every_command_prints_what_the_tutorial_shows(tmp_path: Path) -> None:
    blocks = list(played(tmp_path))
    assert len(blocks) == 7
    for written, real in blocks:
        assert written == real


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        page = PAGE.read_text("utf-8")
        for written, real in played(Path(name)):
            page = page.replace(f"```console\n{written}```", f"```console\n{real}```", 1)
    PAGE.write_text(page, "utf-8")
