"""The guide's words hold: its commands do what it says, and its code is that of the examples, which run."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from splus_session.conformance.verdicts import Verdict

ROOT = Path(__file__).parents[2]
PAGE_PATH = ROOT / "docs" / "how-to" / "conformance.md"
PAGE = PAGE_PATH.read_text("utf-8")
EXAMPLES = ROOT / "docs" / "examples" / "conformance"
SMALL = ROOT / "tests" / "subjects" / "small" / "client.py"
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)

MISTAKE = "--mistake terminated-for-good"
"""What is wrong with the client that the guide's reader has."""
QUICK = "--id LOGOUT-1 --budget 20"
"""What is judged here where the guide leaves that open."""

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def block(words: str) -> str:
    """The one block of commands that has these words."""
    [code] = [code for kind, code in BLOCKS if kind == "sh" and words in code]
    return code


def program(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n", "utf-8")
    path.chmod(0o755)


@pytest.fixture
def sh(tmp_path: Path) -> Run:
    """Runs commands where the reader is: in a folder of theirs, with a Node.js, and a client that has a mistake."""
    bin_, here = tmp_path / "bin", tmp_path / "here"
    bin_.mkdir()
    here.mkdir()
    program(bin_ / "splus-session", f'shift\nexec python -m splus_session.cli conform {QUICK} "$@"')
    program(bin_ / "python", f'exec "{sys.executable}" "$@"')
    program(bin_ / "pytest", 'exec python -m pytest "$@"')
    program(bin_ / "node", f'exec python "{SMALL}" $MISTAKE')

    def run(code: str, *, mistake: str = MISTAKE) -> "subprocess.CompletedProcess[str]":
        environment = {**os.environ, "PATH": f"{bin_}:{os.environ['PATH']}", "MISTAKE": mistake}
        return subprocess.run(
            ["/bin/sh", "-c", code], cwd=here, env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_a_first_look_ends_well_or_says_what_is_wrong_with_the_adapter(sh: Run) -> None:
    first = block("--id LOGIN-1")
    assert sh(first, mistake="").returncode == 0
    broken = sh(first, mistake="--no-such-option")
    assert broken.returncode == 2
    assert "adapter" in broken.stderr


def test_a_breach_is_reported_and_played_again(sh: Run, tmp_path: Path) -> None:
    judged = sh(block("conform --report found"))
    assert judged.returncode == 1, judged.stderr
    written = {path.name for path in (tmp_path / "here" / "found").iterdir()}
    assert written == {"report.html", "report.md", "report.json", "junit.xml", "replays"}
    again = sh(block("--replay"))
    assert again.returncode == 1
    assert "client → app" in again.stdout
    assert "expected" in again.stdout
    assert "observed" in again.stdout
    assert sh(block("--replay"), mistake="").returncode == 0


def test_what_is_known_is_held_to_both_ways(sh: Run, tmp_path: Path) -> None:
    known, junit = tmp_path / "here" / "known.json", tmp_path / "here" / "found" / "junit.xml"
    assert sh(block("conform --accept")).returncode == 1
    content = json.loads(known.read_text("utf-8"))
    assert {breach["reason"] for breach in content["breaches"]} == {"?"}
    known.write_text(known.read_text("utf-8").replace('"?"', '"stays terminated, #12"'), "utf-8")

    held = sh(block("status=0"))
    assert held.returncode == 0, held.stdout
    assert "found/junit.xml" in held.stdout
    assert outcomes(junit)["LOGOUT-1"] == "skipped"

    anew = sh(block("known.json --accept"))
    assert anew.returncode == 0
    content = json.loads(known.read_text("utf-8"))
    assert {breach["reason"] for breach in content["breaches"]} == {"stays terminated, #12"}

    assert sh(block("status=0"), mistake="").returncode == 1
    assert outcomes(junit)["LOGOUT-1"] == "error"


def outcomes(junit: Path) -> dict[str, str]:
    """What became of each case."""
    cases = ElementTree.parse(junit).iter("testcase")  # noqa: S314  we made it ourselves
    return {
        case.attrib["name"].split()[0]: next((child.tag for child in case if child.tag != "system-out"), "")
        for case in cases
    }


def test_what_is_judged_can_be_listed_and_chosen(sh: Run) -> None:
    listed = sh(block("--list"), mistake="")
    assert listed.returncode == 0, listed.stderr
    assert "Logout needs no network" in listed.stdout
    assert "100 scenarios with seed 7" in listed.stdout


def test_a_client_in_python_is_judged_in_a_process_of_its_own(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "here" / "my_adapter.py").write_text((EXAMPLES / "my_adapter.py").read_text("utf-8"), "utf-8")
    judged = sh(block("my_adapter.py"))
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert "my client 1.2.3" in judged.stdout


def test_a_client_in_python_is_judged_in_pytest(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "here" / "test_my_client.py").write_text(
        (EXAMPLES / "test_my_client.py").read_text("utf-8"), "utf-8"
    )
    judged = sh(block("pytest test_my_client.py"))
    assert judged.returncode == 0, judged.stdout + judged.stderr
    assert " passed" in judged.stdout


def test_the_extra_exists() -> None:
    [extra] = re.findall(r"pip install '\.\[(\w+)\]'", block("pip install"))
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert re.search(rf"^{extra} = \[", project, re.MULTILINE)


def test_the_page_quotes_the_examples_and_nothing_else() -> None:
    quoted = {code for kind, code in BLOCKS if kind == "python"}
    assert quoted == {path.read_text("utf-8") for path in EXAMPLES.glob("*.py") if path.name != "__init__.py"}


def test_no_block_of_commands_goes_untested() -> None:
    source = Path(__file__).read_text("utf-8")
    words = re.findall(r'block\("([^"]+)"\)', source)
    assert {block(some) for some in words} == {code for kind, code in BLOCKS if kind == "sh"}
    assert {kind for kind, _ in BLOCKS} == {"sh", "python"}


def test_the_page_explains_each_verdict() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| [A-Z]", PAGE, re.MULTILINE)
    assert set(rows) == {verdict.value for verdict in Verdict}


def test_links_lead_to_files_and_headings_that_exist() -> None:
    headings = {heading_id(title) for title in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)}
    targets = re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", PAGE)
    assert ("../reference/protocol.md", "") in targets
    for target, fragment in targets:
        assert (PAGE_PATH.parent / target).exists()
        assert target or fragment in headings


def heading_id(title: str) -> str:
    return re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
