"""What the library promises holds in every slice, and a slice shows what it is there for."""

from collections import Counter

import attrs
import pytest

from splus_session import LIFECYCLE, Row
from splus_session.explore import (
    BY_THEMSELVES,
    EVENTUALLY,
    MONITORS,
    NOT_PROMISED,
    BreachError,
    Eventually,
    Monitor,
    Slice,
    StuckError,
    _liveness,
    check_eventually,
    explore,
    slices,
)
from tests.near import NEAR
from tests.properties import mutants
from tests.properties.mutants import MUTANTS, Mutant, Patch, change_rows
from tests.properties.watching import NOT_IN_A_SLICE, all_monitors

SLICES = {slice.name: slice for slice in slices.SLICES}

# Less happens in these, and so they are soon seen.
REJECTION_OF_FEW_WORDS = attrs.evolve(slices.REJECTION, lifetimes=(2,), answers=("granted",), ends=())
BAN_OF_FEW_WORDS = attrs.evolve(slices.REJECTION, lifetimes=(2,), answers=("granted",), rejects=False)
SECURE_LOGOUT_OF_FEW_WORDS = attrs.evolve(
    slices.SECURE_LOGOUT, rejects=False, ends=(), answers=("granted",), app=frozenset({"secure_logout"})
)
STORAGE_AND_REJECTION = attrs.evolve(slices.STORAGE, ends=())
STORAGE_OF_FEW_WORDS = attrs.evolve(STORAGE_AND_REJECTION, rejects=False)


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
    for slice in NEAR:
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


WITH_HELP = {
    "an expired session is renewed or ended": "logout",
    "a token that the platform has voided is found out": "logout",
    "a banned user's session ends": "api",
    "a terminated session is left": "logout",
}
"""Whose help it takes, by the first word of what happens: a logout, or an API call that tells of the ban."""


def test_what_nobody_can_promise_does_not_come_true_without_help(monkeypatch: pytest.MonkeyPatch) -> None:
    """With help it does, so it is this that is waited for, and nothing else that never comes either."""
    graph = explore(slices.REJECTION, unbounded=True)
    for hope in NOT_PROMISED:
        with pytest.raises(StuckError):
            check_eventually(graph, hope)
        with monkeypatch.context() as patch:
            patch.setattr(_liveness, "BY_THEMSELVES", BY_THEMSELVES | {WITH_HELP[hope.name]})
            assert check_eventually(graph, hope) > 0


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
    "a login is numbered twice": "repeats",
    "a credential has no number": "repeats",
    "a login ends the session before it": "visitors",
    "a ban terminates a session that there is not yet": "rejection",
    "a renewal is repeated as a login": "repeats",
    "an expired session is not resumed": "storage",
    "a renewal takes an old number": "repeats",
    "the handler is to answer and was not asked": "repeats",
    "a handler has a second more": "repeats",
    "a user id is presented whatever the handler answered": "repeats",
    "a grant is dated ahead": "repeats",
    "who waits for a renewal that failed hears of success": "repeats",
    "asking to renew forgets what was to be presented again": "renewal",
    "asking to renew plans it for later": "renewal",
    "the clients handler is forgotten with the user": "repeats",
    "an expired session waits for its plan": "visitors",
    "a session expires and nobody is told": "repeats",
    "a verification revives an expired token": "secure logout",
    "a token that is found dead is used on": "rejection",
    "a header is granted for an expired token": "repeats",
    "the time is forgotten with the user": "repeats",
    "what is refused takes a number": "repeats",
    "a ban leaves no reason": "rejection",
    "a refused renewal terminates": "renewal",
    "the handler is asked though the user is banned": "repeats",
    "a login under way cannot be logged out": "repeats",
    "numbers begin anew after a logout": "repeats",
    "a revocation that was lost is verified like one that is doubted": "secure logout",
    "a doubted revocation waits for an answer that nobody is asked for": "secure logout",
    "a check forgets that the revocation was sent": "secure logout",
    "a check is known by the number of its revocation": "secure logout",
}
"""In which slice a fault of the core shows, by a property or by somebody who waits for ever."""

ELSEWHERE = {
    "a dead token is presented at login": "nobody logs in with a dead token in a slice",
    "the backoff has no bound": "every backoff in a slice ends within a tick",
    "a retry after is believed without a cap": "no platform in a slice says when to come back",
    "a respite is as long as the token likes": "tokens in a slice live no longer than a pause",
    "a pause is as long as the clock was set back": "no clock in a slice is set back",
    "a clock that is set back revives the token": "no clock in a slice is set back",
    "a clock that is set back forgets the check of a revocation": "no clock in a slice is set back",
    "every date is taken for the exact time": "no answer in a slice has a date",
    "an event is applied although something is due": "a slice applies what is due first by itself",
    "what time brings is believed of anybody": "a slice brings no such thing but when it is due",
    "a step writes to what the snapshot before it holds": "where it shows, it cannot be told",
    "an event is heard twice": "in a slice whatever comes is heard once",
    "an event comes to the session as it was before what was due": "a slice applies what is due first by itself",
    "a timer runs after the end": "no time passes in a slice once a session has ended",
    "whoever needs a header during a pause waits for its end": "nobody asks for headers during a pause in a slice",
    "whoever needs a header during a pause is not told for how long": "nor is told until when it lasts",
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


# ── Each by itself ──────────────────────────────────────────────────────────────────────────────


def an_expiry_stays_due(patch: pytest.MonkeyPatch) -> None:
    """No fault for sessions of which a core applies what is due: it would never come to an end."""
    change_rows(patch, "token_expired", lambda row: None)


SEEN_BY_MONITORS: dict[str, tuple[Patch, Slice]] = {
    "a header is granted for a live token of this session alone": (
        mutants.a_header_is_granted_for_an_expired_token,
        slices.REPEATS,
    ),
    "a secure logout that succeeds leaves no token behind": (
        mutants.a_secure_logout_logs_out_although_the_revocation_failed,
        SECURE_LOGOUT_OF_FEW_WORDS,
    ),
    "what a killed process leaves is what was told last or comes after it": (
        mutants.it_is_told_before_it_is_stored,
        STORAGE_OF_FEW_WORDS,
    ),
    "what is told is stored": (mutants.a_logout_leaves_the_record_in_the_store, STORAGE_OF_FEW_WORDS),
    "a process goes on with what is stored": (
        mutants.a_session_told_to_be_expired_is_resumed_as_established,
        STORAGE_AND_REJECTION,
    ),
}
STUCK_BY: dict[str, tuple[Patch, Slice]] = {
    "a login ends": (mutants.the_present_login_is_not_recognised, slices.REPEATS),
    "a renewal ends": (mutants.a_handler_may_take_for_ever, slices.REPEATS),
    "a verification ends": (mutants.a_verification_outlives_the_expiry, REJECTION_OF_FEW_WORDS),
    "a secure logout ends": (
        mutants.a_doubted_revocation_waits_for_an_answer_that_nobody_is_asked_for,
        SECURE_LOGOUT_OF_FEW_WORDS,
    ),
    "a token is replaced before it is dead or told to be": (an_expiry_stays_due, slices.REPEATS),
    "an expired session that can be renewed tries again": (
        mutants.an_expired_session_waits_for_its_plan,
        REJECTION_OF_FEW_WORDS,
    ),
    "a ban of which the platform tells ends the session": (
        mutants.a_ban_during_login_is_lost,
        BAN_OF_FEW_WORDS,
    ),
    "what is committed is stored and told": (an_expiry_stays_due, STORAGE_OF_FEW_WORDS),
}


def test_every_monitor_and_every_promise_has_a_fault_that_it_is_to_see() -> None:
    """The monitors made of properties have theirs among the faults of the core."""
    assert SEEN_BY_MONITORS.keys() == {monitor.name for monitor in MONITORS}
    assert STUCK_BY.keys() == {promise.name for promise in EVENTUALLY}
    named = {monitor.name for monitor in all_monitors()} - SEEN_BY_MONITORS.keys()
    assert named <= {mutant.seen_by for mutant in MUTANTS}


@pytest.mark.parametrize("monitor", MONITORS, ids=lambda monitor: monitor.name)
def test_a_monitor_sees_its_fault_by_itself(monitor: Monitor, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, slice = SEEN_BY_MONITORS[monitor.name]
    assert explore(slice, monitors=[monitor]).witnesses[monitor.name] > 0
    plant(monkeypatch)
    with pytest.raises(BreachError):
        explore(slice, monitors=[monitor])


@pytest.mark.parametrize("promise", EVENTUALLY, ids=lambda promise: promise.name)
def test_a_promise_is_seen_to_be_broken_by_its_fault(
    promise: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant, slice = STUCK_BY[promise.name]
    assert check_eventually(explore(slice, unbounded=True), promise) > 0
    plant(monkeypatch)
    with pytest.raises(StuckError):
        check_eventually(explore(slice, unbounded=True), promise)


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
