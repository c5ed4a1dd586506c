"""`make setup` with an interpreter that is named, where there is an environment already."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STUB = """#!/bin/sh
case $1 in
-c) exec {python} "$@" ;;
-m) case $2 in venv) mkdir -p "$4/bin" && rm -f "$4/.installed" && cp "$0" "$4/bin/python" ;; esac ;;
esac
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project's Makefile, with an environment that is of another interpreter than any."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch(mode=0o755)
    (tmp_path / ".venv" / ".installed").touch()
    return tmp_path


def make_setup(project: Path, python: str | Path) -> "subprocess.CompletedProcess[str]":
    command = ["make", "setup", f"PYTHON={python}"]
    # Not as a part of a `make test` that may be running.
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=project, env=outside, capture_output=True, text=True, check=False)


def test_an_interpreter_that_is_not_there_is_refused_though_there_is_an_environment(project: Path) -> None:
    done = make_setup(project, "/nonexistent")
    assert done.returncode != 0
    assert "/nonexistent: not found, or does not run" in done.stderr
    assert (project / ".venv" / ".installed").exists(), "what is there is left alone"


def test_an_environment_is_made_anew_with_the_interpreter_that_is_named_and_then_kept(project: Path) -> None:
    # What it would do with pip it does not do here.
    stub = project / "python"
    stub.write_text(STUB.format(python=sys.executable), "utf-8")
    stub.chmod(0o755)
    first, again = make_setup(project, stub), make_setup(project, stub)
    assert "making .venv with Python" in first.stdout
    assert "installing into .venv" in first.stdout
    assert (project / ".venv" / "bin" / "python").read_bytes() == stub.read_bytes()
    assert (again.returncode, again.stdout) == (0, ""), again.stdout + again.stderr
