"""Which actions make sense, of a client with these features and where the run stands."""

import math
from collections.abc import Callable, Mapping
from typing import Final

from splus_session import SessionState
from splus_session.conformance._actions import LOGINS, Action
from splus_session.conformance._client import Client
from splus_session.conformance._moment import Call
from splus_session.conformance._real_time import LONGEST
from splus_session.conformance._stage import Stage

OF_CLIENT: Final = {
    *LOGINS,
    "logout", "secure_logout", "renew_now", "cancel", "set_access_token_handler", "handle", "observe", "call",
    "close", "realtime", "answer",
}  # fmt: skip
"""Actions that a client must be open for; the first one opens it."""
_NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "login_with_access_token": frozenset({"access_token"}),
    "set_access_token_handler": frozenset({"access_token"}),
    "login_as_visitor": frozenset({"visitor"}),
    "login_as_bot": frozenset({"bot"}),
    "secure_logout": frozenset({"secure_logout"}),
    "renew_now": frozenset({"renew_now"}),
    "cancel": frozenset({"cancel"}),
    "observe": frozenset({"observers"}),
    "call": frozenset({"call"}),
    "next_call": frozenset({"call"}),
    "close": frozenset({"close"}),
    "kill": frozenset({"resume", "process"}),
    "realtime": frozenset({"realtime"}),
    "advance": frozenset({"time"}),
    "sleep": frozenset({"sleep"}),
    "jump": frozenset({"jump"}),
    "skew": frozenset({"time"}),
}
_NEEDS_OF_WAYS: Final[Mapping[tuple[str, str], frozenset[str]]] = {
    ("open", "development"): frozenset({"development"}),
    ("open", "no_key"): frozenset({"process"}),
    ("open", "no_region"): frozenset({"process", "region"}),
    ("open", "plain_http"): frozenset({"process"}),
    ("login", "ann_own_handler"): frozenset({"own_handler"}),
}
"""What some ways of doing an action need besides."""


def needs(action: Action) -> frozenset[str]:
    """The features that an action needs."""
    nothing = frozenset[str]()
    of_client = frozenset({"several"}) if action.client == "b" else nothing
    of_way = _NEEDS_OF_WAYS.get((action.do, action.how), nothing)
    return _NEEDS.get(action.do, nothing) | of_client | of_way


class Sense:
    """See the module."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.checks: Mapping[str, Callable[[Action], bool]] = {
            "open": self._can_open,
            "cancel": lambda action: self.login_of(action.client) is not None,
            "kill": self._can_kill,
            "answer": self._can_answer,
            "release": lambda _: stage.desk.held() > 0,
            "until": lambda action: self.time_of(action) is not None,
            "platform": self._can_platform,
            "skew": lambda _: not stage.clients,
            **dict.fromkeys(_OF_OPEN_CLIENT, self._can_with_open_client),
        }
        """What else must be so for actions to make sense."""

    def makes(self, action: Action) -> bool:
        """Whether it makes sense."""
        if action.do == "nothing" or not needs(action) <= self._stage.features:
            return False
        if action.do in OF_CLIENT:
            client = self._stage.clients.get(action.client)
            if (client is None and action.client == "b") or (client is not None and not client.is_open):
                return False
        check = self.checks.get(action.do)
        return check is None or check(action)

    # ── By action ───────────────────────────────────────────────────────────────────────────────

    def _can_open(self, action: Action) -> bool:
        client = self._stage.clients.get(action.client)
        if action.client in ("b", "c"):
            return client is None
        if action.opens_again:
            return client is not None and not client.is_open
        return client is None

    def _can_kill(self, action: Action) -> bool:
        clients = self._stage.clients.values()
        return bool(clients) and all(client.is_open for client in clients)

    def _can_with_open_client(self, action: Action) -> bool:
        return self._stage.open_client(action.client) is not None

    def _can_answer(self, action: Action) -> bool:
        client = self._stage.open_client(action.client)
        if client is None:
            return False
        return (client.old_ask() if action.how == "old" else client.open_ask()) is not None

    def _can_platform(self, action: Action) -> bool:
        return action.how in _RULES or bool(self._stage.clients)

    # ── What actions are about ──────────────────────────────────────────────────────────────────

    def login_of(self, name: str) -> Call | None:
        """The login of a client that is on its way."""
        return next(
            (
                call
                for call in self._stage.calls.values()
                if call.client == name and call.do in LOGINS and not call.is_due and call.ended is None
            ),
            None,
        )

    def time_of(self, action: Action) -> float | None:
        """When it is what `until` names, if that is to come."""
        client = self._stage.open_client(action.client)
        if client is None:
            return None
        when, now = _time_of(client, action.how), self._stage.clock.now()
        longest = LONGEST if self._stage.in_real_time else math.inf
        return None if when is None or not now < when < math.inf or when > now + longest else when


def _time_of(client: Client, how: str) -> float | None:
    snapshot = client.oracle.snapshot
    if how == "due":
        return client.oracle.deadline
    if how == "renewal":
        is_ahead = snapshot.renew_at is not None and snapshot.renewal is None
        return snapshot.renew_at - snapshot.offset if is_ahead and snapshot.renew_at is not None else None
    credential = snapshot.credential
    if snapshot.state is not SessionState.ESTABLISHED or not credential or not credential.expires_at:
        return None
    expiry = credential.expires_at - snapshot.offset
    return expiry - min(10.0, credential.lifetime / 20) if how == "almost_expiry" else expiry + 1


_OF_OPEN_CLIENT: Final = ("close", "logout", "secure_logout", "renew_now", "observe", "handle", "realtime")
"""They don't open the client themselves."""
_RULES: Final = ("admit_banned", "fail_settings", "short_lived", "down")
"""What may be so at the platform before there is any client."""
