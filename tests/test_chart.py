"""What the chart declares: its names have a meaning, its events fit, and its shape is the catalogue's."""

import ast
import inspect
import itertools
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from types import new_class
from typing import Any

import pytest
from statemachine import StateChart
from statemachine.exceptions import InvalidDefinition
from statemachine.states import States

from splus_session import _chart, _rules
from splus_session._chart import SessionChart
from splus_session._core import HOOKS, LIFECYCLE, reason_of
from splus_session._events import EVENTS, REQUESTS, Event, TimeFact, event_name
from splus_session._row import Row
from splus_session._states import ChangeReason, SessionState, TerminationReason

NOT_LOGGED_IN, ESTABLISHING = SessionState.NOT_LOGGED_IN, SessionState.ESTABLISHING
ESTABLISHED, TOKEN_EXPIRED = SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED
TERMINATED = SessionState.TERMINATED
STORED = {ESTABLISHED, TOKEN_EXPIRED}

EVENT_OF = {event_name(event): event for event in EVENTS}


def rows(**wanted: object) -> list[Row]:
    """The rows whose fields have these values."""
    return [row for row in LIFECYCLE if all(getattr(row, field) == value for field, value in wanted.items())]


def moves() -> Iterator[Row]:
    return (row for row in LIFECYCLE if row.source is not row.target)


# ── Names ───────────────────────────────────────────────────────────────────────────────────────


def defined(shape: list[str]) -> dict[str, Callable[..., Any]]:
    """The public functions of the rules whose parameters are named so."""
    return {
        name: function
        for name, function in inspect.getmembers(_rules, inspect.isfunction)
        if function.__module__ == _rules.__name__
        and not name.startswith("_")
        and list(inspect.signature(function).parameters) == shape
    }


GUARDS = defined(["snapshot", "event"])
REACTIONS = defined(["draft", "event", "out"])


def users(name: str) -> set[type[Event]]:
    """The classes of the events whose rows use a name."""
    return {
        EVENT_OF[row.event] for row in LIFECYCLE if name in (*row.reactions, *(g.name for g in row.guards))
    }


def fitting(function: Callable[..., Any]) -> set[type[Event]]:
    """The classes of events that a guard or reaction is annotated to take."""
    annotation = typing.get_type_hints(function)["event"]
    return set(typing.get_args(annotation) or [annotation])


def test_guards_and_reactions_are_the_names_that_the_chart_uses() -> None:
    assert set(GUARDS) == {guard.name for row in LIFECYCLE for guard in row.guards}
    assert set(REACTIONS) == {name for row in LIFECYCLE for name in row.reactions}


def test_guards_answer_and_reactions_do_not() -> None:
    assert {typing.get_type_hints(guard)["return"] for guard in GUARDS.values()} == {bool}
    assert {typing.get_type_hints(reaction)["return"] for reaction in REACTIONS.values()} == {type(None)}


@pytest.mark.parametrize("name", sorted({**GUARDS, **REACTIONS}))
def test_the_annotation_names_exactly_the_events_of_the_rows(name: str) -> None:
    fits = fitting({**GUARDS, **REACTIONS}[name])
    if fits == set(EVENTS):  # it says "any event", which needs no row of each
        assert users(name)
    else:
        assert fits == users(name)


def test_the_events_of_the_chart_are_the_classes_of_events() -> None:
    assert {row.event for row in LIFECYCLE} == set(EVENT_OF)


def test_no_guard_is_named_twice_on_one_transition() -> None:
    # python-statemachine drops the second one before anybody sees it, even if one is negated.
    calls = [
        node
        for node in ast.walk(ast.parse(Path(_chart.__file__).read_text("utf-8")))
        if type(node) is ast.Call
    ]
    for call in calls:
        guards = [
            constant.value
            for keyword in call.keywords
            if keyword.arg in ("cond", "unless")
            for constant in ast.walk(keyword.value)
            if isinstance(constant, ast.Constant)
        ]
        assert len(guards) == len(set(guards)), f"line {call.lineno}"


# ── What python-statemachine checks by itself ───────────────────────────────────────────────────


def test_every_state_is_reached_and_has_a_way_out() -> None:
    # The checks ran when the chart was imported: these say that they were not switched off.
    chart: Any = SessionChart
    assert chart.validate_disconnected_states
    assert chart.validate_trap_states
    assert chart.initial_state.value is NOT_LOGGED_IN
    assert {row.target for row in moves()} == set(SessionState)
    assert {row.source for row in moves()} == set(SessionState)


@pytest.mark.parametrize("missing", [ESTABLISHED, TERMINATED])
def test_the_checks_see_what_they_are_for(missing: SessionState) -> None:
    # Without a way out of one state, the next one is unreachable and this one a dead end.
    at = States.from_enum(SessionState, initial=NOT_LOGGED_IN)
    body: dict[str, Any] = {"at": at}
    for state, following in itertools.pairwise([*SessionState, NOT_LOGGED_IN]):
        if state is not missing:
            body[f"leave_{state.name}"] = getattr(at, state.name).to(getattr(at, following.name))
    with pytest.raises(InvalidDefinition):
        new_class("Chart", (StateChart,), exec_body=lambda space: space.update(body))


# ── Shape ───────────────────────────────────────────────────────────────────────────────────────


def test_a_row_is_internal_exactly_if_it_stays() -> None:
    assert all(row.internal == (row.source is row.target) for row in LIFECYCLE)


@pytest.mark.requirement("LOGIN-1", "RESUME-1")
def test_logins_and_resuming_are_possible_in_not_logged_in_only() -> None:
    logins = {"login", "login_with_access_token", "login_as_visitor", "login_as_bot"}
    assert {(row.source, row.target) for row in LIFECYCLE if row.event in logins} == {
        (NOT_LOGGED_IN, ESTABLISHING)
    }
    assert {row.event for row in LIFECYCLE if row.target is ESTABLISHING and not row.internal} == logins
    assert {(row.source, row.target) for row in rows(event="resume")} == {
        (NOT_LOGGED_IN, ESTABLISHED),
        (NOT_LOGGED_IN, TOKEN_EXPIRED),
    }


@pytest.mark.requirement("LOGIN-2", "LOGIN-3")
def test_a_login_ends_established_or_not_logged_in() -> None:
    assert {row.target for row in moves() if row.source is ESTABLISHING} == {ESTABLISHED, NOT_LOGGED_IN}
    assert {row.event for row in moves() if row.source is ESTABLISHING and row.target is ESTABLISHED} == {
        "session_opened"
    }


@pytest.mark.requirement("BAN-4")
def test_only_logout_leads_out_of_terminated_and_little_else_is_heard_there() -> None:
    left = {row.event for row in moves() if row.source is TERMINATED}
    assert left == {"logout", "secure_logout"}
    assert {row.target for row in moves() if row.source is TERMINATED} == {NOT_LOGGED_IN}
    assert {name for row in rows(source=TERMINATED) for name in row.reactions} == {
        "end_session",
        "forget_record",
        "note_handlers",
        "revoke_orphan",
    }


@pytest.mark.requirement("BAN-1", "BAN-2", "BAN-3")
@pytest.mark.parametrize("event", ["user_banned", "user_deleted"])
def test_a_ban_or_deletion_terminates_what_is_there_and_fails_what_is_not_yet(event: str) -> None:
    assert {(row.source, row.target) for row in rows(event=event)} == {
        (ESTABLISHING, NOT_LOGGED_IN),
        (ESTABLISHED, TERMINATED),
        (TOKEN_EXPIRED, TERMINATED),
    }
    assert {row.event for row in moves() if row.target is TERMINATED} == {"user_banned", "user_deleted"}


@pytest.mark.requirement("EXPIRE-1", "RENEW-8")
def test_between_established_and_token_expired_lead_expiry_and_renewal_alone() -> None:
    assert {row.event for row in rows(source=ESTABLISHED, target=TOKEN_EXPIRED)} == {
        "token_expired",
        "token_refuted",
    }
    assert {row.event for row in rows(source=TOKEN_EXPIRED, target=ESTABLISHED)} == {"token_renewed"}


@pytest.mark.requirement("LOGOUT-1")
def test_logout_leads_from_every_state_to_not_logged_in_without_a_guard() -> None:
    assert {row.source for row in rows(event="logout")} == set(SessionState)
    assert {row.target for row in rows(event="logout")} == {NOT_LOGGED_IN}
    assert not any(row.guards for row in rows(event="logout"))
    assert all("forget_record" in row.reactions for row in rows(event="logout"))


@pytest.mark.requirement("LOGOUT-3", "LOGOUT-4")
def test_secure_logout_moves_nothing_where_there_is_a_token_to_revoke() -> None:
    by_state = {
        state: {row.target for row in rows(event="secure_logout", source=state)} for state in SessionState
    }
    assert by_state == {
        NOT_LOGGED_IN: {NOT_LOGGED_IN},
        ESTABLISHING: set(),
        ESTABLISHED: {ESTABLISHED},
        TOKEN_EXPIRED: {TOKEN_EXPIRED},
        TERMINATED: {NOT_LOGGED_IN},
    }


@pytest.mark.requirement("RESUME-2")
def test_exactly_the_rows_that_change_what_is_stored_store_it() -> None:
    for row in LIFECYCLE:
        if row.target in STORED and (row.source is not row.target or "replace_credential" in row.reactions):
            assert row.reactions[-1] == "store_record", row
        elif row.source in STORED and row.target not in STORED:
            assert row.reactions[-1] == "forget_record", row
        else:
            assert "store_record" not in row.reactions, row
    # Elsewhere a record is forgotten on request alone: there is none, or a write of it failed.
    elsewhere = {
        row.event for row in LIFECYCLE if row.source not in STORED and "forget_record" in row.reactions
    }
    assert elsewhere == {"logout", "secure_logout"}


@pytest.mark.requirement("HOOK-1")
def test_hooks_are_on_the_rows_that_they_are_about_and_on_no_others() -> None:
    assert {"on_login", "on_renewal", "on_ban", "on_logout"} == HOOKS
    for row in LIFECYCLE:
        wanted: tuple[str, ...] = ()
        if row.source is ESTABLISHING and row.target is ESTABLISHED:
            wanted = ("on_login",)
        elif row.event == "token_renewed" and "replace_credential" in row.reactions:
            wanted = ("on_renewal",)
        elif row.target is TERMINATED and not row.internal:
            wanted = ("on_ban",)
        elif row.target is NOT_LOGGED_IN and row.source not in (NOT_LOGGED_IN, ESTABLISHING):
            wanted = ("on_logout",)
        assert row.hooks == wanted, row


@pytest.mark.requirement("HANDLER-2")
def test_handlers_may_change_in_every_state_and_move_none() -> None:
    assert {row.source for row in rows(event="handlers_changed", internal=True)} == set(SessionState)
    assert not [
        row for row in rows(event="handlers_changed") if row.guards or row.reactions != ("note_handlers",)
    ]


@pytest.mark.requirement("LOGIN-6")
def test_a_token_that_nobody_will_use_is_revoked_in_every_state() -> None:
    for event in ("session_opened", "token_renewed", "token_orphaned"):
        for state in SessionState:
            last = rows(event=event, source=state)[-1]
            assert (last.target, last.reactions) == (state, ("revoke_orphan",))
            if event != "token_orphaned":
                assert list(map(str, last.guards)) == ["is_minted"]
            else:  # where there is a token in use, it may be that one
                assert list(map(str, last.guards)) == (["not is_in_use"] if state in STORED else [])


@pytest.mark.requirement("LOGIN-9")
def test_a_login_is_undone_while_it_is_on_its_way_and_once_it_has_succeeded() -> None:
    cancelled = rows(event="login_cancelled")
    assert {(row.source, row.target) for row in cancelled} == {
        (ESTABLISHING, NOT_LOGGED_IN),
        (ESTABLISHED, NOT_LOGGED_IN),
        (TOKEN_EXPIRED, NOT_LOGGED_IN),
    }
    assert {tuple(map(str, row.guards)) for row in cancelled} == {("is_current_login",)}


@pytest.mark.requirement("RENEW-3", "LOGOUT-4")
def test_a_secure_logout_is_given_up_rather_than_sent_beside_a_renewal() -> None:
    for state in STORED:
        assert [
            (list(map(str, row.guards)), row.reactions) for row in rows(event="revocation_due", source=state)
        ] == [
            (["is_renewing"], ("abandon_revocation",)),
            ([], ("send_revocation",)),
        ]


@pytest.mark.requirement("RENEW-2", "RENEW-9")
def test_no_part_of_a_renewal_but_its_success_moves_a_session() -> None:
    parts = (
        "renewal_due",
        "renewal_answered",
        "renewal_unable",
        "answer_overdue",
        "renewal_failed",
        "renew_now",
    )
    for event in parts:
        assert {row.source for row in rows(event=event)} == STORED
        assert all(row.internal for row in rows(event=event))


@pytest.mark.requirement("EXPIRE-4")
def test_what_time_brings_finds_a_row_without_guards_wherever_it_may_come() -> None:
    for fact in typing.get_args(TimeFact):
        sources = {ESTABLISHED} if event_name(fact) == "token_expired" else STORED
        assert {row.source for row in rows(event=event_name(fact))} == sources
        assert {row.source for row in rows(event=event_name(fact), guards=())} == sources


def test_every_request_has_a_state_in_which_it_is_possible() -> None:
    assert {event_name(request) for request in REQUESTS} <= {row.event for row in LIFECYCLE}


@pytest.mark.requirement("OBSERVE-4", "BAN-1")
def test_every_change_and_every_hook_has_a_reason() -> None:
    given = {reason_of(row) for row in LIFECYCLE if not row.internal or row.hooks}
    assert given == set(ChangeReason) - {ChangeReason.STARTED} | set(TerminationReason)
    for row in LIFECYCLE:
        if row.target is TERMINATED and not row.internal:
            assert isinstance(reason_of(row), TerminationReason)
