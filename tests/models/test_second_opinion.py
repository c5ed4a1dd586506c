"""Spin sees in its model of a slice what the explorer finds in the code, and every slip would show."""

import shutil

import pytest

from models.spin import checker
from models.spin.__main__ import check, main
from models.tlc import graphs
from models.tlc.checker import ModelError
from splus_session import LIFECYCLE, event_name
from splus_session.explore import explore, moves, slices

has_spin = shutil.which("spin") is not None and shutil.which("gcc") is not None
needs_spin = pytest.mark.skipif(not has_spin, reason="NOT RUN: no Spin here; apt-get install spin gcc")

SLIPS = {
    "a guard says yes to the wrong user": (
        "((user == NOBODY || user == e_user) && e_left > 0)",
        "(e_left > 0)",
    ),
    "a guard takes the token in use for an orphan": ("is_in_use           (n == token)", "is_in_use false"),
    "a guard presents an auth token that is too old": (
        "(retry.has_grant && retry.age < YOUNG)",
        "(retry.has_grant)",
    ),
    "a reaction forgets how old what it presents is": ("present(attempt, retry.age)", "present(attempt, 0)"),
    "a reaction forgets to release who waits": (
        "inline fail_login() { say(release, session, why); forget() }",
        "inline fail_login() { forget() }",
    ),
    "the network loses nothing": ("late > MOST_LATE -> drop(i)", "late > MOST_LATE -> skip"),
    "a token comes once only": ("net[n].came = true; net[n].left = LIFE", "drop(n)"),
}


def test_the_model_for_spin_knows_the_events_of_its_slice_and_no_others() -> None:
    steps = (
        move.step
        for world in explore(slices.REPEATS).worlds
        for move in moves(world, slices.REPEATS)
        if move.after.session.attempt <= slices.REPEATS.most_attempts
    )
    assert {event_name(step.event) for step in steps if step is not None} == set(checker.HEARD)


@needs_spin
def test_spin_sees_the_graph_that_the_explorer_finds() -> None:
    assert check() == graphs.digest(graphs.edges_of_code(slices.REPEATS))


@needs_spin
@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_the_model_for_spin_is_found_as_a_difference(slip: str) -> None:
    right, wrong = SLIPS[slip]
    text = checker.MODEL.read_text("utf-8")
    assert text.count(right) == 1
    with pytest.raises(ModelError, match=r"the (code|model) alone comes to|the code and the model differ"):
        check(text.replace(right, wrong))


@needs_spin
def test_a_difference_is_told_by_the_first_state_that_one_of_them_has_alone() -> None:
    rows = tuple(row for row in LIFECYCLE if row.event != "renewal_answered")
    with pytest.raises(ModelError) as raised:
        check(rows=rows)
    [first, second, *way] = str(raised.value).splitlines()
    assert first.startswith("the code alone comes to (('established', 'authToken', 'a', (2, 1, 1)")
    assert second == "the code and the model differ. What happens:"
    assert "      handler 2 auth token: taken" in way
    assert "      handler 2 auth token: dropped" in way


@needs_spin
def test_a_search_that_does_not_come_to_its_end_is_an_error() -> None:
    with pytest.raises(ModelError, match="max search depth too small"):
        checker.edges(flags=("-m50",))


@needs_spin
def test_a_model_that_spin_cannot_read_is_an_error() -> None:
    with pytest.raises(ModelError, match="Error: syntax error"):
        checker.edges(checker.MODEL.read_text("utf-8").replace("inline lose()", "inline lose("))


def test_where_there_is_no_spin_that_is_said_loudly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main([]) == 0
    assert "*** NOT RUN: there is no spin here; apt-get install spin gcc ***" in capsys.readouterr().out
