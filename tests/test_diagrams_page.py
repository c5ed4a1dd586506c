"""The guide to diagrams in one's documents holds: its commands, marks and directives do what it says."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from splus_session.diagram import FORMATS, Diagram

PAGE = (Path(__file__).parent.parent / "docs" / "how-to" / "diagrams.md").read_text("utf-8")
BLOCKS: list[tuple[str, str, str]] = re.findall(r"^(`{3,})(\w+)\n(.*?)^\1$", PAGE, re.DOTALL | re.MULTILINE)

Run = Callable[[str], None]


def block(kind: str, words: str) -> str:
    """The one block of this kind that has these words."""
    [code] = [code for _, of, code in BLOCKS if of == kind and words in code]
    return code


@pytest.fixture
def sh(tmp_path: Path) -> Run:
    """Runs commands where the reader is."""
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "splus-session"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m splus_session.cli "$@"\n', "utf-8")
    command.chmod(0o755)
    environment = {**os.environ, "PATH": f"{command.parent}:{os.environ['PATH']}"}

    def run(code: str) -> None:
        subprocess.run(["/bin/sh", "-ec", code], cwd=tmp_path, env=environment, check=True)

    return run


def test_a_picture_is_drawn_and_checked(sh: Run, tmp_path: Path) -> None:
    code = block("sh", "diagram -o")
    sh(code)
    assert (tmp_path / "session.svg").read_bytes() == Diagram().draw()
    full = Diagram(view="full", dropped=True, direction="right")
    assert (tmp_path / "full.svg").read_bytes() == full.draw()
    named = re.findall(r"\.\w+", code.splitlines()[0].partition("#")[2])
    assert {".svg", *named} == {endings[0] for endings in FORMATS.values()}


def test_a_makefile_draws_it(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(block("make", "session.svg:"), "utf-8")
    sh("make -s session.svg")
    assert (tmp_path / "session.svg").read_bytes() == Diagram().draw()


def test_a_mark_may_ask_for_a_picture(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(block("markdown", "-o session.svg"), "utf-8")
    sh("splus-session docs README.md")
    assert (tmp_path / "session.svg").read_bytes() == Diagram().draw()
    assert "](<session.svg>)" in (tmp_path / "README.md").read_text("utf-8")


@pytest.mark.parametrize("asked", ["--theme light", ":theme: light", 'theme="light"'])
def test_a_page_that_is_always_light_can_say_so(asked: str, sh: Run, tmp_path: Path) -> None:
    assert f"`{asked}`" in PAGE
    light = Diagram(theme="light").draw()
    assert light != Diagram().draw()
    if asked.startswith("--"):
        sh(f"splus-session diagram -o light.svg {asked}")
        assert (tmp_path / "light.svg").read_bytes() == light
    elif asked.startswith(":"):
        (tmp_path / "conf.py").write_text(block("python", "extensions"), "utf-8")
        (tmp_path / "index.rst").write_text(f"Title\n=====\n\n.. session-diagram::\n   {asked}\n", "utf-8")
        sh(f'"{sys.executable}" -m sphinx -q -n -W . out')
        assert "prefers-color-scheme" not in (tmp_path / "out" / "index.html").read_text("utf-8")


def test_marks_in_a_repository_of_markdown_are_kept_fresh(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    pages = [tmp_path / "README.md", tmp_path / "docs" / "page.md"]
    for page in pages:
        page.write_text(f"# Title\n\n{block('markdown', '--event')}", "utf-8")
    sh(block("sh", "--check README.md"))
    for page in pages:
        assert Diagram(events=["user_banned", "user_deleted"]).to_mermaid() in page.read_text("utf-8")


def test_sphinx_shows_it(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(block("python", "extensions"), "utf-8")
    (tmp_path / "index.rst").write_text(f"Title\n=====\n\n{block('rst', 'session-diagram')}", "utf-8")
    (tmp_path / "api.rst").write_text(":orphan:\n\nAPI\n===\n", "utf-8")
    sh(f'"{sys.executable}" -m sphinx -q -n -W . out')
    shown = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert shown.count("active now") == 1
    assert 'xlink:href="api.html#logout"' in shown
    assert shown.count("<table") == 1


def test_no_block_but_those_of_python_goes_untested() -> None:
    tested = {block("sh", "diagram -o"), block("sh", "--check README.md"), block("make", "session.svg:")}
    tested |= {block("markdown", "--event"), block("markdown", "-o session.svg")}
    tested.add(block("rst", "session-diagram"))
    assert tested == {code for _, kind, code in BLOCKS if kind not in ("python", "text")}
