"""What must hold of everything that happens in a world, as named sentences with requirement ids.

A monitor says yes, no, or None: that it has nothing to say about this. Whoever explores counts the
answers, so that one which never had anything to say is not taken for one that holds.
"""

from collections.abc import Callable
from typing import NamedTuple

from splus_session import _core
from splus_session._core import Granted
from splus_session._credentials import Record
from splus_session._rules import can_renew
from splus_session._snapshot import Step
from splus_session._states import SessionState
from splus_session.explore._world import LIVE, Label, World, is_due


class Edge(NamedTuple):
    """One thing that happened."""

    before: World
    label: Label
    step: Step | None
    """What the session made of it; None if it did not hear of it."""
    after: World


class Monitor(NamedTuple):
    """A sentence about whatever happens, and the ids of what would be breached without it."""

    name: str
    requirements: tuple[str, ...]
    holds: Callable[[Edge], bool | None]
    once: bool = False
    """Whether it speaks of the world after the edge alone, so that one look at each is enough."""


def _grants_live_tokens(edge: Edge) -> bool | None:
    session, now = edge.after.session, edge.after.now
    if is_due(edge.after):
        return None
    verdict = _core.authorize(session)
    if not isinstance(verdict, Granted):
        return None
    expires_at = verdict.credential.expires_at
    is_live = expires_at is None or now < expires_at
    return is_live and session.state is SessionState.ESTABLISHED and verdict.credential is session.credential


def _leaves_no_token_behind(edge: Edge) -> bool | None:
    before, after = edge.before.session, edge.after.session
    if before.state not in LIVE or after.state is not SessionState.NOT_LOGGED_IN:
        return None
    if edge.label[0] not in {"revoke", "verify"}:
        return None
    revoked = edge.label[2] == "revoked"
    return revoked or edge.before.is_void or before.state is SessionState.TOKEN_EXPIRED


def _is_what_may_be_stored(edge: Edge) -> bool | None:
    if edge.label[0] != "kill":
        return None
    world = edge.before
    may_be = [world.told, *(owed.record for owed in world.outbox)]
    return any(_same(world.stored, record) for record in may_be)


def _is_stored_when_told(edge: Edge) -> bool | None:
    if edge.label[0] != "tell":
        return None
    world = edge.after
    return _same(world.stored, world.told)


def _same(one: Record | None, other: Record | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.kind, one.credential, one.expired) == (other.kind, other.credential, other.expired)


def _takes_what_was_stored(edge: Edge) -> bool | None:
    if edge.label[0] != "open the store" or edge.before.stored is None:
        return None
    stored, session = edge.before.stored, edge.after.session
    expires_at = stored.credential.expires_at
    is_over = stored.expired or (expires_at is not None and expires_at <= edge.before.now)
    if is_over and not can_renew(edge.before.session, stored.kind):
        # It waits in the store for a process that can renew it.
        return session.state is SessionState.NOT_LOGGED_IN and edge.after.stored is stored
    if session.credential != stored.credential or session.kind is not stored.kind:
        return False
    return not stored.expired or session.state is SessionState.TOKEN_EXPIRED


MONITORS = (
    Monitor(
        "a header is granted for a live token of this session alone",
        ("EXPIRE-2", "BAN-4", "LOGOUT-1"),
        _grants_live_tokens,
        once=True,
    ),
    Monitor(
        "a secure logout that succeeds leaves no token behind",
        ("LOGOUT-3",),
        _leaves_no_token_behind,
    ),
    Monitor(
        "what a killed process leaves is what was told last or comes after it",
        ("RESUME-2",),
        _is_what_may_be_stored,
    ),
    Monitor(
        "what is told is stored",
        ("RESUME-2", "LOGOUT-1", "BAN-4"),
        _is_stored_when_told,
    ),
    Monitor(
        "a process goes on with what is stored",
        ("RESUME-1",),
        _takes_what_was_stored,
    ),
)
"""What speaks of the world around a session, and not of its steps alone."""
