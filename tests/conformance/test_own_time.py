"""Clients whose time is nobody's to move: runs take real seconds, and tokens live for a few."""

import sys

from splus_session.conformance._actions import Action
from splus_session.conformance._judge import Outcome, play
from splus_session.conformance._lines import FEATURES
from splus_session.conformance._run import Run
from splus_session.conformance._scenarios import scenario
from splus_session.conformance._source import Processes

LOGIN = Action("login", "a", "ann")
HOLD = Action("app", "a", "hold")
DUE = Action("until", "a", "due")


def judged(*scenario: Action, client: str = "") -> Outcome:
    source = Processes([sys.executable, "-m", "tests.conformance.own_time", client])
    try:
        return play(source.take, source.features, scenario, patience=0.3)
    finally:
        source.close()


def test_what_a_few_seconds_bring_is_seen_and_judged() -> None:
    expires = Action("until", "a", "expiry")
    outcome = judged(HOLD, LOGIN, DUE, expires, Action("call", "a"), Action("answer", "a", "well"))
    assert outcome.adapter_error is None
    assert [(each.sentence.text, each.wrong) for each in outcome.found] == []
    assert {"RENEW-1", "RENEW-4", "EXPIRE-1", "EXPIRE-5", "RENEW-8"} <= {
        sentence.requirement for sentence in outcome.reached
    }


def test_a_client_that_does_not_do_what_is_due_is_found_out() -> None:
    outcome = judged(LOGIN, DUE, client="--deaf")
    found = {each.sentence.requirement for each in outcome.found}
    # On a busy machine the token may expire before the kit looks: nobody is asked then, either.
    assert {"RENEW-1"} <= found <= {"RENEW-1", "EXPIRE-1", "RENEW-2"}


def test_nobody_waits_for_what_takes_minutes() -> None:
    source = Processes([sys.executable, "-m", "tests.conformance.own_time"])
    run = Run(source.take, source.features)
    for _ in run.play((Action("app", "a", "unable"), LOGIN, *[DUE] * 5)):
        pass
    source.close()
    assert run.played.count(DUE) == 2, "the renewal and the expiry, and no pause after that"


def test_few_scenarios_wait_and_none_for_long() -> None:
    features = (frozenset(FEATURES) | {"process"}) - {"time", "sleep", "jump"}
    drawn = [scenario(features, 1, number) for number in range(80)]
    waits = [sum(action.do == "until" for action in each) for each in drawn]
    assert max(waits) == 2
    assert 4 < sum(map(bool, waits)) <= 10
    assert not {"advance", "sleep", "jump", "skew"} & {action.do for each in drawn for action in each}
    in_its_hands = [scenario(frozenset(FEATURES), 1, number) for number in range(80)]
    assert sum(action.do == "until" for each in in_its_hands for action in each) > 20 * sum(waits)
