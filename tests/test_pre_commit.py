"""Somebody's repository, outside of this one, takes our hook for pre-commit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from splus_session.diagram import Diagram

ROOT = Path(__file__).parent.parent
MARKS = """\
<!-- splus-session: diagram --event logout -->
<!-- /splus-session -->

<!-- splus-session: diagram -o session.svg -->
<!-- /splus-session -->
"""


@pytest.mark.skipif(shutil.which("git") is None, reason="NOT RUN: there is no git on PATH")
@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="NOT RUN: this is no clone, which hooks come from")
def test_the_hook_keeps_pages_fresh_and_fails_when_it_had_to(tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    page = theirs / "README.md"
    page.write_text(MARKS)
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    env |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def run(*command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=theirs, env=env, capture_output=True, text=True, check=False)

    def hook() -> "subprocess.CompletedProcess[str]":
        run("git", "add", "--all")
        return run(
            sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "splus-session-docs", "--all-files"
        )

    run("git", "init", "--quiet")
    first = hook()
    assert "session.svg is written" in first.stdout, first.stdout + first.stderr
    assert first.returncode == 1, "what was stale does not pass"
    assert Diagram(events=["logout"]).to_mermaid() in page.read_text("utf-8")
    assert (theirs / "session.svg").read_bytes() == Diagram().draw()
    second = hook()
    assert second.returncode == 0, second.stdout + second.stderr
