"""What is promised not to last for ever, and what nobody can promise."""

from splus_session._rules import can_renew
from splus_session._states import SessionState
from splus_session.explore._liveness import Eventually
from splus_session.explore._monitors import Edge
from splus_session.explore._world import IN_SESSION, LIVE, World


def _is_new_attempt(edge: Edge) -> bool:
    before, after = edge.before.session.renewal, edge.after.session.renewal
    return after is not None and (before is None or before.attempt != after.attempt)


def _has_token_that_dies(world: World) -> bool:
    session = world.session
    if session.state is not SessionState.ESTABLISHED or session.credential is None:
        return False
    return session.credential.expires_at is not None


def _is_replaced(edge: Edge) -> bool:
    return edge.before.session.credential_attempt != edge.after.session.credential_attempt


def _could_be_renewed(world: World) -> bool:
    session = world.session
    is_expired = session.state is SessionState.TOKEN_EXPIRED and session.revocation is None
    return is_expired and can_renew(session, session.kind)


EVENTUALLY: tuple[Eventually, ...] = (
    Eventually(
        "a login ends",
        ("LOGIN-2", "LOGIN-3"),
        lambda world: world.session.state is SessionState.ESTABLISHING,
    ),
    Eventually(
        "a renewal ends",
        ("RENEW-6", "EXPIRE-5"),
        lambda world: world.session.renewal is not None,
        _is_new_attempt,
    ),
    Eventually(
        "a verification ends",
        ("EXPIRE-3",),
        lambda world: world.session.verification is not None,
    ),
    Eventually(
        "a secure logout ends",
        ("LOGOUT-4", "EXPIRE-5"),
        lambda world: world.session.revocation is not None,
    ),
    Eventually(
        "a token is replaced before it is dead or told to be",
        ("EXPIRE-1",),
        _has_token_that_dies,
        _is_replaced,
    ),
    Eventually(
        "an expired session that can be renewed tries again",
        ("RENEW-7", "RENEW-9"),
        _could_be_renewed,
        _is_new_attempt,
    ),
    Eventually(
        "a ban of which the platform tells ends the session",
        ("BAN-1", "BAN-3", "BAN-5"),
        lambda world: world.session.state in IN_SESSION and world.session.session in world.notices,
    ),
    Eventually(
        "what is committed is stored and told",
        ("RESUME-2",),
        lambda world: bool(world.outbox),
        lambda edge: edge.label[0] in {"store", "tell"},
    ),
)
"""What is promised to end, if time passes and messages arrive."""

NOT_PROMISED: tuple[Eventually, ...] = (
    Eventually(
        "an expired session is renewed or ended",
        (),
        lambda world: world.session.state is SessionState.TOKEN_EXPIRED,
    ),
    Eventually(
        "a token that the platform has voided is found out",
        (),
        lambda world: world.is_void and world.session.state is SessionState.ESTABLISHED,
    ),
    Eventually(
        "a banned user's session ends",
        (),
        lambda world: bool(world.ended) and world.session.user_id == "a" and world.session.state in LIVE,
    ),
    Eventually(
        "a terminated session is left",
        (),
        lambda world: world.session.state is SessionState.TERMINATED,
    ),
)
"""What nobody can promise, since it takes somebody's help: for each of these there is a slice in which
it never comes to that. Were it not so, the slices would assume too much."""
