"""The same seed gives the same verdicts and the same runs, in whatever process."""

import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from splus_session.conformance.reports import as_json
from splus_session.conformance.verdicts import Report, Verdict
from tests.conformance.test_command import ROOT, SMALL

BUDGET = 60
MISTAKE = "told-before-in-place"


def judged(folder: Path, *, hash_seed: int, seed: int = 1) -> Report:
    """The report of a wrong client, judged in a process of its own; but for how long it took."""
    arguments = ["--seed", str(seed), "--budget", str(BUDGET), "--report", str(folder)]
    command = [
        sys.executable,
        "-m",
        "splus_session.cli",
        "conform",
        *arguments,
        "--",
        *SMALL,
        "--mistake",
        MISTAKE,
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "PYTHONHASHSEED": str(hash_seed)},
        cwd=ROOT,
        capture_output=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return attrs.evolve(as_json.load((folder / "report.json").read_text("utf-8")), seconds=0.0)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return judged(tmp_path_factory.mktemp("first"), hash_seed=1)


def test_the_same_seed_gives_the_same_report(first: Report, tmp_path: Path) -> None:
    assert first.breaches
    assert first.count(Verdict.KEPT) > 20
    again = judged(tmp_path, hash_seed=2)
    assert [(breach.sentence, breach.steps) for breach in again.breaches] == [
        (breach.sentence, breach.steps) for breach in first.breaches
    ]
    assert again.results == first.results
    assert again == first


def test_another_seed_plays_other_scenarios(first: Report, tmp_path: Path) -> None:
    other = judged(tmp_path, hash_seed=1, seed=2)
    assert other.seed == 2
    assert [result.reached for result in other.results] != [result.reached for result in first.results]
