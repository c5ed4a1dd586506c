"""What comes out of the core: what a step asks its driver to do, in order.

The order is part of the contract: `Persist` comes before `Announce` (stored before told,
RESUME-2), both before `RunHook`, and what goes to the network, the handler or waiting callers
comes last.
"""

from splus_session._credentials import Credential, Grant, Record
from splus_session._failures import Failure
from splus_session._states import Reason, SessionState
from splus_session._value import value


@value
class Change:
    """A session moved from one state to another. Never holds a secret. [OBSERVE-4]"""

    state: SessionState
    previous: SessionState | None
    """None: nothing happened yet."""
    reason: Reason
    at: float
    """UTC seconds."""


@value
class HookCall:
    """What a side-effect hook is told. Never holds a secret. [HOOK-1]"""

    hook: str
    """`on_login`, `on_renewal`, `on_ban` or `on_logout`."""
    state: SessionState
    """Where the session is after the step."""
    reason: Reason
    user_id: str | None
    """Whose session it is, or was."""
    at: float
    """UTC seconds."""


@value
class Persist:
    """Write the record, or delete what is stored (None)."""

    record: Record | None


@value
class Announce:
    """Tell the observers."""

    change: Change


@value
class RunHook:
    """Run what the client supplied for a hook, if anything."""

    call: HookCall


@value
class OpenSession:
    """Log in: present the grant to the platform."""

    attempt: int
    grant: Grant


@value
class AskRenewal:
    """Ask the handler for something to renew with."""

    attempt: int


@value
class Renew:
    """Renew: present the grant to the platform."""

    attempt: int
    grant: Grant


@value
class Verify:
    """Ask the platform whether the token is alive."""

    attempt: int
    credential: Credential


@value
class Revoke:
    """Ask the platform to void the token, and report how that went."""

    attempt: int
    credential: Credential


@value
class RevokeOrphan:
    """Ask the platform, once and best effort, to void a token that nobody will use."""

    credential: Credential


@value
class ReleaseWaiters:
    """The attempt ended: wake whoever waits for it, with its failure or, if None, its success."""

    attempt: int
    failure: Failure | None = None


Command = (
    Persist
    | Announce
    | RunHook
    | OpenSession
    | AskRenewal
    | Renew
    | Verify
    | Revoke
    | RevokeOrphan
    | ReleaseWaiters
)
