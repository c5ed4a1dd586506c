"""The bench can fail, and says nothing but its table."""

import threading

import bench_drivers
import pytest
from bench_drivers import CALLERS, Storm


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("missed", [0, 1])
def test_a_storm_is_met_only_if_every_caller_had_the_outcome_of_the_renewal(missed: int, fails: bool) -> None:
    storm = Storm(fails=fails)
    storm.before = -1  # one renewal since
    for _ in range(CALLERS - missed):
        storm.count("renewal_failed" if fails else "ok")
    assert storm.row("a storm", 1.0).met is (missed == 0)
    storm.count("wait_timeout")
    assert storm.row("a storm", 1.0).met is False


def test_idle_sessions_that_keep_threads_are_seen_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([1])
    monkeypatch.setattr(threading, "active_count", lambda: next(counts, 9))
    [row] = bench_drivers.idle_threads(sessions=2, patience=0.05)
    assert (row.figure, row.met) == ("8", False)


def test_idle_sessions_do_not_warn(caplog: pytest.LogCaptureFixture) -> None:
    bench_drivers.idle_threads(sessions=2)
    assert caplog.text == ""


def test_both_sides_import_with_fresh_bytecode_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    asked: list[tuple[str, dict[str, str]]] = []

    def measure(statement: str, environment: dict[str, str]) -> float:
        asked.append((statement, environment))
        return 1.0

    monkeypatch.setattr(bench_drivers, "_import_seconds", measure)
    bench_drivers.imports()
    assert {statement for statement, _ in asked} == set(bench_drivers.IMPORTS)
    assert len({environment["PYTHONPYCACHEPREFIX"] for _, environment in asked}) == 1
    assert not any("PYTHONDONTWRITEBYTECODE" in environment for _, environment in asked)
