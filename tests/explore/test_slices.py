"""What the library promises holds in every slice, and a slice shows what it is there for."""

from collections import Counter

import pytest

from splus_session import LIFECYCLE, Row
from splus_session.explore import (
    EVENTUALLY,
    NOT_PROMISED,
    BreachError,
    Slice,
    StuckError,
    check_eventually,
    explore,
    slices,
)
from tests.properties.mutants import MUTANTS, Mutant
from tests.properties.watching import NOT_IN_A_SLICE, all_monitors

SLICES = {slice.name: slice for slice in slices.SLICES}


@pytest.mark.requirement(
    "CLIENT-2",
    "LOGIN-1", "LOGIN-2", "LOGIN-3", "LOGIN-4", "LOGIN-5", "LOGIN-6", "LOGIN-7", "LOGIN-8", "LOGIN-9",
    "HANDLER-1", "HANDLER-2", "HOOK-1",
    "RENEW-1", "RENEW-2", "RENEW-3", "RENEW-4", "RENEW-5", "RENEW-6",
    "RENEW-7", "RENEW-8", "RENEW-9", "RENEW-10", "RENEW-11", "RENEW-12",
    "EXPIRE-1", "EXPIRE-2", "EXPIRE-3", "EXPIRE-4", "EXPIRE-5",
    "BAN-1", "BAN-2", "BAN-3", "BAN-4",
    "LOGOUT-1", "LOGOUT-2", "LOGOUT-3", "LOGOUT-4",
    "OBSERVE-1", "OBSERVE-4",
    "RESUME-1", "RESUME-2",
)  # fmt: skip
def test_every_promise_is_kept_in_every_slice_and_every_row_is_taken() -> None:
    rows: Counter[Row] = Counter()
    witnesses: Counter[str] = Counter()
    for slice in slices.SLICES:
        graph = explore(slice, monitors=all_monitors())
        rows += graph.rows
        witnesses += graph.witnesses
    assert [row for row in LIFECYCLE if not rows[row]] == []
    silent = {monitor.name for monitor in all_monitors()} - set(witnesses)
    assert silent == set(NOT_IN_A_SLICE), "what never had anything to say holds nothing"


def test_the_judge_of_the_slices_speaks_for_the_requirements_that_it_is_marked_with() -> None:
    judge = test_every_promise_is_kept_in_every_slice_and_every_row_is_taken
    [mark] = judge.pytestmark  # type: ignore[attr-defined]
    assert set(mark.args) == {id for monitor in all_monitors() for id in monitor.requirements}


@pytest.mark.requirement(
    "LOGIN-2", "LOGIN-3", "RENEW-6", "RENEW-7", "RENEW-9", "EXPIRE-1", "EXPIRE-3", "EXPIRE-5",
    "BAN-1", "BAN-3", "BAN-5", "LOGOUT-4", "RESUME-2",
)  # fmt: skip
def test_nobody_waits_for_ever_however_many_logins_there_are() -> None:
    waited: Counter[str] = Counter()
    for name in ("renewal", "rejection", "access token", "visitors", "repeats"):
        graph = explore(SLICES[name], unbounded=True)
        for promise in EVENTUALLY:
            waited[promise.name] += check_eventually(graph, promise)
    # The larger slices are for `make explore`.
    assert {promise.name for promise in EVENTUALLY} - set(+waited) == {
        "a secure logout ends",
        "what is committed is stored and told",
    }


def test_what_nobody_can_promise_does_not_come_true() -> None:
    graph = explore(slices.REJECTION, unbounded=True)
    for hope in NOT_PROMISED:
        with pytest.raises(StuckError) as stuck:
            check_eventually(graph, hope)
        assert stuck.value.way == [] or stuck.value.way[-1].after


SHOWN_IN = {
    "the answer to any login is taken for that of the present one": "repeats",
    "the present login is not recognised": "repeats",
    "an answer for another user is accepted": "repeats",
    "a token that is dead on arrival is accepted": "access token",
    "an orphan is not revoked": "repeats",
    "the token in use is revoked as an orphan": "repeats",
    "a token that was presented to us is revoked": "repeats",
    "the token in use is revoked if it comes once more with a failure": "repeats",
    "an orphan is taken for the token in use": "rejection",
    "a login that is cancelled as it succeeds leaves a session": "renewal",
    "the cancelling of an earlier login ends the session": "renewal",
    "the token of a login that is undone lives on": "renewal",
    "a token that was presented is revoked with its login": "access token",
    "a login that is undone comes back with the next process": "renewal",
    "who waits for a failed login waits for ever": "repeats",
    "the answer to an earlier renewal is accepted": "repeats",
    "a renewal that is answered twice is sent twice": "repeats",
    "asking to renew starts a second renewal": "renewal",
    "a renewal is planned besides the one in flight": "renewal",
    "a renewal is planned at expiry": "repeats",
    "a refusal is tried again as if it might pass": "renewal",
    "an old auth token is presented again": "repeats",
    "a handler may take for ever": "repeats",
    "a pause is forgotten at expiry": "repeats",
    "a verification outlives the expiry": "rejection",
    "a renewal leaves the verification of the old token in flight": "rejection",
    "who waits for a renewal is not told": "repeats",
    "a renewal in time is taken for a new session": "visitors",
    "a token that comes late is renewed at once": "access token",
    "a respite has no reason": "access token",
    "an expiry is told but not stored": "repeats",
    "it is told before it is stored": "repeats",
    "every rejection is verified": "rejection",
    "a rejection of an older token counts": "rejection",
    "a verification that failed expires the token": "rejection",
    "a ban of an earlier session is taken for one of this": "rejection",
    "somebody elses ban terminates": "rejection",
    "a ban during login is lost": "rejection",
    "a late renewal revives a terminated session": "rejection",
    "the token is kept after the end": "repeats",
    "a pause is kept after the end": "repeats",
    "a secure logout logs out although the revocation failed": "secure logout",
    "a 401 to a revocation is believed unchecked": "secure logout",
    "a second secure logout begins anew": "secure logout",
    "a secure logout lets the handler be asked on": "secure logout",
    "a secure logout waits for a renewal without end": "secure logout",
    "a secure logout that waited too long gives up the renewal": "secure logout",
    "a secure logout revokes beside a renewal": "secure logout",
    "a secure logout waits for a renewal and gives up all the same": "secure logout",
    "who waits for a renewal that was given up waits on": "repeats",
    "a failed revocation ends the pause": "secure logout",
    "a logout leaves the record in the store": "repeats",
    "a logout runs no hook": "repeats",
    "a session told to be expired is resumed as established": "storage",
    "production takes a user id alone": "renewal",
    "a renewal starts during a secure logout": "secure logout",
}
"""In which slice a fault of the core shows, by a property or by somebody who waits for ever."""

ELSEWHERE = {
    "a dead token is presented at login": "nobody logs in with a dead token in a slice",
    "the backoff has no bound": "every backoff in a slice ends within a tick",
    "a retry after is believed without a cap": "no platform in a slice says when to come back",
    "a respite is as long as the token likes": "tokens in a slice live no longer than a pause",
    "a pause is as long as the clock was set back": "no clock in a slice is set back",
    "a clock that is set back revives the token": "no clock in a slice is set back",
    "every date is taken for the exact time": "no answer in a slice has a date",
    "an event is applied although something is due": "a slice applies what is due first by itself",
    "what time brings is believed of anybody": "a slice brings no such thing but when it is due",
    "a step writes to what the snapshot before it holds": "where it shows, it cannot be told",
}
"""Faults that no slice can show, each with the reason. The inductive test shows every one of them."""


def test_it_is_known_of_every_fault_where_it_shows() -> None:
    names = {mutant.name for mutant in MUTANTS}
    assert names == SHOWN_IN.keys() | ELSEWHERE.keys()
    assert not SHOWN_IN.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize(
    "mutant", [mutant for mutant in MUTANTS if mutant.name in SHOWN_IN], ids=lambda mutant: mutant.name
)
def test_a_fault_of_the_core_shows(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant.plant(monkeypatch)
    assert first_breach(SLICES[SHOWN_IN[mutant.name]]) is not None


def first_breach(slice: Slice) -> str | None:
    """What the slice shows to be broken first, if anything."""
    try:
        graph = explore(slice, monitors=all_monitors())
        for promise in EVENTUALLY:
            check_eventually(graph, promise)
    except BreachError as breach:
        return breach.monitor.name
    except StuckError as stuck:
        return stuck.eventually.name
    return None
