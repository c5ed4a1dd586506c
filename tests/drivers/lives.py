"""Random lives: scripts drawn by chance, each act chosen by where the bare core is."""

import base64
import json
from random import Random
from typing import Any

from splus_session import AccessToken, Credential, Failure, FailureKind, ServerClock, SessionState
from splus_session._commands import OpenSession, Renew, RevokeOrphan, Verify
from splus_session._core import Granted
from splus_session._credentials import AccessTokenGrant, AuthTokenGrant, UserIdGrant
from splus_session._renewals import HandlersRenewal
from splus_session.ports import Answer
from tests.drivers.script import Act, Answered, Bare, Call, Pass, Register, Reply, Tell

USERS = ("ann", "mallory")
FAILURES = (
    Failure(FailureKind.REFUSED, 401, 400100),
    Failure(FailureKind.UNAUTHORIZED, 401),
    Failure(FailureKind.BANNED, 403, 400312),
    Failure(FailureKind.DELETED, 404, 400400),
    Failure(FailureKind.RATE_LIMITED, 429, 400311, 5.0),
    Failure(FailureKind.UNAVAILABLE, 503),
    Failure(FailureKind.UNREACHABLE),
    Failure(FailureKind.MALFORMED, 200),
)


def jwt(user_id: str, number: int, issued_at: float, lifetime: float) -> str:
    """An access token as a customer's backend might issue it."""
    claims = {"userId": user_id, "iat": int(issued_at), "exp": int(issued_at + lifetime), "jti": number}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.mac"


def life(seed: int, length: int = 24) -> list[Act]:
    """A life, by chance and the same each time."""
    chance, bare, script = Random(seed), Bare(), list[Act]()
    for number in range(length):
        act = _act(chance, bare, number)
        bare.act(act)
        script.append(act)
    return script


def _act(chance: Random, bare: Bare, number: int) -> Act:
    options: list[Any] = ["pass", "call"]
    snapshot = bare.core.snapshot
    if snapshot.state is SessionState.NOT_LOGGED_IN:
        options += ["login"] * 6
    if bare.pending:
        options += ["reply"] * 6
    if _open_questions(bare):
        options += ["answer"] * 4
    if snapshot.state in (SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED):
        options += ["pass", "call", "world"]
    options += ["tell"]
    match chance.choice(options):
        case "login":
            return _login(chance, bare, number)
        case "reply":
            return _reply(chance, bare, number)
        case "answer":
            return _answer(chance, bare, number)
        case "pass":
            return _pass(chance, bare)
        case "call":
            methods = ("authorization", "authorization", "logout", "secure_logout", "renew_now")
            return Call(chance.choice(methods))
        case "world":
            return _world(chance, bare)
        case _:
            which = chance.choice(("session_handler", "access_token_handler"))
            return Register(which, chance.random() < 0.5)


def _open_questions(bare: Bare) -> list[int]:
    return [i for i in range(len(bare.asked)) if i not in bare.settled]


def _login(chance: Random, bare: Bare, number: int) -> Act:
    own = chance.random() < 0.5
    match chance.randint(0, 5):
        case 0 | 1:
            return Call("login", ("ann",), {"auth_token": f"auth-{number}"}, own)
        case 2:
            return Call("login", ("ann",), {}, own)
        case 3:
            return Call("login_as_visitor", own_handler=own)
        case 4:
            return Call("login_as_bot", own_handler=own)
        case _:
            return Call("login_with_access_token", (jwt("ann", number, bare.now, 3600.0),))


def _reply(chance: Random, bare: Bare, number: int) -> Act:
    index = chance.randrange(len(bare.pending))
    command = bare.pending[index]
    clock = chance.choice((None, ServerClock(float(int(bare.now)) + 40.0, bare.now)))
    failure = chance.choice((None, None, None, *FAILURES))
    credential = None
    if isinstance(command, OpenSession | Renew):
        if failure is None or chance.randint(0, 3) == 0:
            credential = _credential(chance, bare, command, number)
    elif isinstance(command, Verify | RevokeOrphan):
        failure = chance.choice((None, *FAILURES[1:4], FAILURES[6]))
    return Reply(index, Answer(credential, failure, clock))


def _credential(chance: Random, bare: Bare, command: OpenSession | Renew, number: int) -> Credential:
    grant = command.grant
    if isinstance(grant, AccessTokenGrant):
        return grant.credential
    named = grant.user_id if isinstance(grant, AuthTokenGrant | UserIdGrant) else "a-device-user"
    user_id = chance.choice((named, named, named, "mallory"))
    lifetime = chance.choice((600.0, 600.0, 3600.0, 3600.0, 0.0, None))
    issued_at = bare.now + bare.core.snapshot.offset
    expires_at = None if lifetime is None else issued_at + lifetime
    return Credential(AccessToken(f"token-{number}"), user_id, issued_at, expires_at)


def _answer(chance: Random, bare: Bare, number: int) -> Act:
    index = chance.choice(_open_questions(bare))
    question = bare.asked[index]
    if not isinstance(question, HandlersRenewal):
        user_id = chance.choice(("ann", "ann", "mallory"))
        token = chance.choice((jwt(user_id, number, bare.now, 3600.0), "garbage", 7))
        return Answered(index, "return", (token,))
    # What a kind does not take is refused by the question itself, and leaves it open. [RENEW-4]
    takes_token = bare.core.snapshot.kind is not None and "authToken" in question_kind(question)
    verb = chance.choice(("renew", "unable_to_retrieve_auth_token", "renew_with_auth_token"))
    if verb == "renew_with_auth_token":
        return Answered(index, verb, (f"auth-{number}",)) if takes_token else Answered(index, "renew")
    return Answered(index, verb)


def question_kind(question: HandlersRenewal) -> str:
    """The kind of session that it is about."""
    return question._kind.value


def _pass(chance: Random, bare: Bare) -> Act:
    deadline = bare.core.deadline
    if deadline is not None and chance.randint(0, 3):
        return Pass(min(deadline - bare.now, 24 * 3600.0))
    seconds = chance.choice((0.5, 61.0, 601.0))
    return Pass(-seconds, jump=True) if chance.randint(0, 4) == 0 else Pass(seconds)


def _world(chance: Random, bare: Bare) -> Act:
    snapshot = bare.core.snapshot
    attempt = snapshot.credential_attempt - chance.choice((0, 0, 1))
    match chance.randint(0, 5):
        case 0:
            return Tell("note_ban", (chance.choice(USERS),), {"attempt": attempt})
        case 1:
            return Tell("note_deletion", (chance.choice(USERS),))
        case 2:
            return Call("report_banned", (attempt,))
        case _:
            live = isinstance(bare.core.authorization(), Granted)
            return Call("report_rejected", (attempt,)) if live else Call("renew_now")
