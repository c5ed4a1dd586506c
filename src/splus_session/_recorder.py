"""A flight recorder: the last steps of a session, without anything secret in them.

A step holds snapshots, and with them tokens and who the user is. What is kept here is copied out of it, so
that nothing of a user outlives a logout in here. [LOGOUT-2] [SECRET-1]
"""

import sys
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple, final

from splus_session._commands import (
    Announce,
    AskRenewal,
    Command,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    Revoke,
    RevokeOrphan,
    RunHook,
    Verify,
)
from splus_session._credentials import Credential
from splus_session._errors import InvalidArgumentError
from splus_session._events import event_name
from splus_session._failures import Failure
from splus_session._snapshot import Step
from splus_session._states import Reason, SessionState

__all__ = ["RecordedCommand", "RecordedStep", "Recorder"]


class RecordedCommand(NamedTuple):
    """A command of a step, without its secrets."""

    command: str
    """The name of its class, such as `OpenSession`."""
    attempt: int | None = None
    failure: Failure | None = None
    """Of `ReleaseWaiters`: what became of what they waited for; None: it went well."""
    detail: str | None = None
    """Of `RunHook` the hook; of `Persist` `store` or `delete`."""
    reason: Reason | None = None
    """Of `Announce`: why."""


class RecordedStep(NamedTuple):
    """A step, without its secrets."""

    at: float
    """UTC seconds, by our clock."""
    event: str
    """The event's name in the chart."""
    before: SessionState
    after: SessionState
    attempt: int | None
    """Which attempt the event answers, or begins."""
    dropped: str | None
    """Why nothing happened: `not_allowed`, or the guard that was against it."""
    failure: Failure | None
    """What a failure was about."""
    expires_at: float | None
    """When the token expires that the event brought (UTC seconds, by our clock, as far as that is known)."""
    commands: tuple[RecordedCommand, ...]


@final
class Recorder:
    """The last steps of one session, the oldest first.

    Give it to a session of either driver, or note the steps of a `SessionCore` yourself:

        >>> from splus_session import Recorder, RenewNow, SessionCore
        >>> core, recorder = SessionCore(), Recorder()
        >>> recorder.note(core.receive(RenewNow(), now=0))
        >>> recorder.entries[0].dropped
        'not_allowed'

    Args:
        size: how many steps are kept.

    Noting a step takes about as long as the step itself, some microseconds.

    Raises:
        InvalidArgumentError: that is no number, or less than one.
    """

    __slots__ = ("_kept", "_noted")

    def __init__(self, size: int = 200) -> None:
        if type(size) is not int or not 1 <= size <= sys.maxsize:
            raise InvalidArgumentError(f"a recorder keeps at least one step, and not {size!r}")
        self._kept: deque[RecordedStep] = deque(maxlen=size)
        self._noted = 0

    def __repr__(self) -> str:
        return f"<Recorder of {self.noted} steps>"

    @property
    def noted(self) -> int:
        """How many steps there have been, those that are no longer kept among them."""
        return self._noted

    @property
    def entries(self) -> tuple[RecordedStep, ...]:
        """The steps that are kept, the oldest first. From any thread."""
        return tuple(self._kept.copy())

    def note(self, steps: Iterable[Step]) -> None:
        """Keep these steps, without their secrets. By one thread at a time."""
        for step in steps:
            self._noted += 1
            self._kept.append(
                RecordedStep(
                    step.after.now,
                    event_name(step.event),
                    step.before.state,
                    step.after.state,
                    _attempt(step),
                    step.dropped,
                    getattr(step.event, "failure", None),
                    _expires_at(step),
                    tuple(map(_without_secrets, step.commands)),
                )
            )

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()


def _attempt(step: Step) -> int | None:
    """Which attempt the event answers or, if it answers none, begins."""
    answered: int | None = getattr(step.event, "attempt", None)
    begun = step.after.attempt if step.after.attempt != step.before.attempt else None
    return begun if answered is None else answered


def _expires_at(step: Step) -> float | None:
    credential: Credential | None = getattr(step.event, "credential", None)
    if credential is None or credential.expires_at is None:
        return None
    return credential.expires_at - step.after.offset


def _without_secrets(command: Command) -> RecordedCommand:
    name = type(command).__name__
    match command:
        case Persist(record):
            return RecordedCommand(name, detail="delete" if record is None else "store")
        case Announce(change):
            return RecordedCommand(name, reason=change.reason)
        case RunHook(call):
            return RecordedCommand(name, detail=call.hook)
        case ReleaseWaiters(attempt, failure):
            return RecordedCommand(name, attempt, failure)
        case OpenSession(attempt) | AskRenewal(attempt) | Renew(attempt) | Verify(attempt) | Revoke(attempt):
            return RecordedCommand(name, attempt)
        case RevokeOrphan():
            return RecordedCommand(name)
