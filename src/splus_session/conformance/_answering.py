"""Answering renewals, as an app does: by itself when its handler is asked, or later."""

from collections.abc import Callable

from splus_session import (
    AccessToken,
    AccessTokenGrant,
    AuthSignature,
    AuthToken,
    AuthTokenGrant,
    Event,
    InvalidAccessTokenError,
    RenewalAnswered,
    RenewalUnable,
    SessionKind,
    VisitorGrant,
    credential_from_jwt,
)
from splus_session._credentials import Grant
from splus_session._rules import unaided_grant
from splus_session.conformance._actions import Action
from splus_session.conformance._client import Client
from splus_session.conformance._oracle import Ask
from splus_session.conformance._sorting import Sorting
from splus_session.conformance._stage import Stage

Fields = dict[str, object]
Reply = tuple[Fields, Callable[[int], Event] | None]
"""The command's fields, and what the oracle is told of an attempt; None: the argument is malformed."""


class Answering:
    """See the module."""

    def __init__(self, stage: Stage, sorting: Sorting) -> None:
        self._stage = stage
        self._sorting = sorting
        self._plans: list[str] = []

    def plan(self, action: Action) -> None:
        """Answer the next renewal so."""
        self._plans.append(action.how)

    def answer(self, action: Action) -> None:
        """A renewal that the app was asked for before is answered now."""
        client = self._stage.clients[action.client]
        is_old = action.how == "old"
        ask = client.old_ask() if is_old else client.open_ask()
        assert ask is not None  # noqa: S101  the action makes sense
        self._give(client, ask, "well" if is_old else action.how)

    # ── By itself ───────────────────────────────────────────────────────────────────────────────

    def answer_next(self) -> bool:
        """Answer what a handler was asked, if there is any such thing. Whether there was."""
        for client in self._stage.open_clients():
            for ask in client.oracle.asks:
                if ask.renewal is None or ask.answered:
                    continue
                ask.answered = True
                how = self._plans.pop(0) if self._plans else "well"
                client.notes["app"] = how
                if how != "hold" and client.is_open_ask(ask):
                    self._answer(client, ask, how)
                    return True
        return False

    def _answer(self, client: Client, ask: Ask, how: str) -> None:
        if how == "twice":
            self._answer_twice(client, ask)
            return
        self._give(client, ask, how)
        if how == "malformed" and client.is_open_ask(ask):
            self._give(client, ask, "well")

    def _answer_twice(self, client: Client, ask: Ask) -> None:
        """The second answer comes before the platform's to the first."""
        stage = self._stage
        others = stage.desk.held()
        stage.desk.plan_renewal("hold")
        self._give(client, ask, "well")
        self._sorting.digest()
        self._give(client, ask, "well")
        self._sorting.digest()
        if stage.desk.held() > others:
            stage.desk.release("well", newest=True)
            stage.talk.ask_again()
            stage.talk.settle()

    # ── What is answered ────────────────────────────────────────────────────────────────────────

    def _give(self, client: Client, ask: Ask, how: str) -> None:
        now = self._stage.clock.now()
        ask.came_back = True
        fields, event = self._token_reply(client, how) if ask.is_token else self._reply(client, how)
        is_open = client.is_open_ask(ask)
        label = f"answer #{ask.renewal}: {fields['with']}"
        call = self._stage.call(client, "answer", label, renewal=ask.renewal, **fields)
        call.kinds = frozenset({"invalid_argument"}) if event is None else frozenset()
        call.may_fail = not is_open  # a late answer may be refused in any way
        client.notes["answered_open"] = is_open
        if event is not None:
            client.oracle.feed(event(ask.command.attempt), now)

    def _reply(self, client: Client, how: str) -> Reply:
        kind = client.oracle.snapshot.kind or client.kind or SessionKind.AUTH_TOKEN
        user, signed = _user_of(client), kind is SessionKind.SIGNED_VISITOR
        if how in ("unable", "error"):
            return {"with": "unable_signature" if signed else "unable"}, RenewalUnable
        if signed and how != "renew":
            signature, until = self._stage.desk.signature(client.device_id)
            if how == "malformed":
                return {"with": "auth_signature", "auth_signature": "", "expires_at": until}, None
            fields: Fields = {"with": "auth_signature", "auth_signature": signature, "expires_at": until}
            return fields, _answered(VisitorGrant(AuthSignature(signature), until))
        if how == "renew" or kind in (SessionKind.VISITOR, SessionKind.BOT, SessionKind.DEVELOPMENT):
            return {"with": "renew"}, _answered(unaided_grant(kind, user))
        if how == "malformed":
            return {"with": "auth_token", "auth_token": ""}, None
        token = "made-up-by-nobody" if how == "refused" else self._stage.desk.auth_token(user)
        return {"with": "auth_token", "auth_token": token}, _answered(AuthTokenGrant(user, AuthToken(token)))

    def _token_reply(self, client: Client, how: str) -> Reply:
        user, desk = _user_of(client), self._stage.desk
        match how:
            case "unable" | "error" | "renew":
                return {"with": "error"}, RenewalUnable
            case "malformed":
                token = "no token at all"
            case "wrong_user":
                token = desk.access_token_of("mallory")
            case "refused":
                token = desk.access_token("unknown")
            case _:
                token = desk.access_token_of(user)
        fields: Fields = {"with": "access_token", "access_token": token}
        now = client.oracle.snapshot.offset + self._stage.clock.now()
        try:
            credential = credential_from_jwt(AccessToken(token), now)
        except InvalidAccessTokenError:
            return fields, RenewalUnable
        if credential.user_id != user:
            return fields, RenewalUnable
        return fields, _answered(AccessTokenGrant(credential))


def _user_of(client: Client) -> str:
    return client.oracle.snapshot.user_id or "ann"


def _answered(grant: Grant) -> Callable[[int], Event]:
    return lambda attempt: RenewalAnswered(attempt, grant)
