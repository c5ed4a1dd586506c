"""What an app does with a client that is open: logins, logouts, handlers, observers, requests, pushes."""

from typing import Final

from splus_session import (
    AccessToken,
    AuthSignature,
    AuthToken,
    Event,
    HandlersChanged,
    InvalidAccessTokenError,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginWithAccessToken,
    Logout,
    RenewNow,
    SecureLogout,
    SessionState,
    Step,
    UserBanned,
    UserDeleted,
    credential_from_jwt,
)
from splus_session._core import authorize
from splus_session._explain import refused
from splus_session.conformance._actions import Action
from splus_session.conformance._client import Client
from splus_session.conformance._moment import Call
from splus_session.conformance._sense import Sense
from splus_session.conformance._sorting import Sorting
from splus_session.conformance._stage import Stage

_KNOWN: Final = frozenset({"not_allowed", "auth_token_required", "handler_required", "invalid_access_token"})
_CHANNELS: Final = "/api/v3/channels"


class Using:
    """See the module. Each method does the action of its name."""

    def __init__(self, stage: Stage, sense: Sense, sorting: Sorting) -> None:
        self._stage = stage
        self._sense = sense
        self._sorting = sorting
        self._observers = 0

    def _call(self, action: Action, **fields: object) -> tuple[Client, Call]:
        client = self._stage.clients[action.client]
        return client, self._stage.call(client, action.do, action.words(), **fields)

    def _feed(self, client: Client, event: Event) -> Step:
        return client.oracle.feed(event, self._stage.clock.now())

    def _ask_for(self, client: Client, call: Call, event: Event) -> Step:
        """What may be refused for the state."""
        step = self._feed(client, event)
        call.kinds = frozenset()
        if step.row is None:
            call.kinds = frozenset({refused(step).code, "not_allowed"}) & _KNOWN
        return step

    # ── Logging in ──────────────────────────────────────────────────────────────────────────────

    def login(self, action: Action) -> None:
        """Somebody logs in, with an auth token or without."""
        user = action.how.partition("_")[0]
        fields: dict[str, object] = {}
        is_invalid = action.how in ("nobody", "long_name", "bob_long_name")
        token: str | None = self._stage.desk.auth_token(user)
        match action.how:
            case "refused":
                user, token = "ann", "made-up-by-nobody"
            case "nobody":
                user = ""
            case "long_name":
                user = "a" * 51
            case "bob_long_name":
                fields["display_name"] = "b" * 101
            case "ann_without":
                token = None
            case _:
                pass
        if token is not None:
            fields["auth_token"] = token
        own = action.how == "ann_own_handler"
        if own:
            fields["own_handler"] = True
        client, call = self._call(action, user_id=user, **fields)
        if is_invalid:  # refused before anything else is looked at, or for the state
            call.kinds = frozenset({"invalid_argument", "not_allowed"})
            return
        grant = None if token is None else AuthToken(token)
        # Which of two reasons is told is open.
        besides = frozenset({"auth_token_required"}) if token is None else frozenset[str]()
        self._log_in(client, call, Login(user, grant, own_handler=own), own_handler=own, besides=besides)

    def _log_in(
        self,
        client: Client,
        call: Call,
        event: Event,
        *,
        own_handler: bool = False,
        besides: frozenset[str] = frozenset(),
    ) -> None:
        step = self._ask_for(client, call, event)
        if step.row is None:
            call.kinds = (call.kinds or frozenset()) | besides
        else:
            client.own_handler = own_handler
            call.attempt, call.kinds = client.oracle.snapshot.session, None

    def login_with_access_token(self, action: Action) -> None:
        """Somebody logs in with an access token, or with what is none."""
        token = self._stage.desk.access_token(action.how)
        client, call = self._call(action, access_token=token)
        now = client.oracle.snapshot.offset + self._stage.clock.now()
        try:
            credential = credential_from_jwt(AccessToken(token), now)
        except InvalidAccessTokenError:
            call.kinds = frozenset({"invalid_access_token", "not_allowed", "handler_required"})
        else:
            besides = frozenset({"invalid_access_token"}) if action.how == "expired" else frozenset[str]()
            self._log_in(client, call, LoginWithAccessToken(credential), besides=besides)

    def login_as_visitor(self, action: Action) -> None:
        """A visitor logs in, signed or not."""
        fields: dict[str, object] = {}
        event = LoginAsVisitor()
        if action.how != "unsigned":
            device_id = self._stage.clients[action.client].device_id
            signature, expires_at = self._stage.desk.signature(device_id)
            if action.how == "badly_signed":
                signature = "0" * len(signature)
            fields = {"auth_signature": signature, "auth_signature_expires_at": expires_at}
            event = LoginAsVisitor(AuthSignature(signature), expires_at)
        client, call = self._call(action, **fields)
        self._log_in(client, call, event)

    def login_as_bot(self, action: Action) -> None:
        """A bot logs in."""
        client, call = self._call(action)
        self._log_in(client, call, LoginAsBot())

    def cancel(self, action: Action) -> None:
        """The login on its way is given up."""
        client, login = self._stage.clients[action.client], self._sense.login_of(action.client)
        assert login is not None  # noqa: S101  the action makes sense
        call = self._stage.call(client, "cancel", "cancel the login", call=login.id)
        call.kinds = frozenset()
        client.notes["cancelled"] = True
        self._feed(client, LoginCancelled(login.attempt or 0))

    # ── Logging out, renewing ───────────────────────────────────────────────────────────────────

    def logout(self, action: Action) -> None:
        """Whoever is logged in logs out."""
        client, call = self._call(action)
        self._feed(client, Logout())
        call.kinds = frozenset()

    def secure_logout(self, action: Action) -> None:
        """The same, after the token was revoked."""
        client, call = self._call(action)
        step = self._ask_for(client, call, SecureLogout())
        revocation = step.after.revocation
        if step.row is None or revocation is None:
            return
        call.attempt = revocation.attempt
        current = client.oracle.snapshot.revocation
        # It may be over already: the oracle's step went on at once.
        is_on = current is not None and current.attempt == call.attempt
        call.kinds = None if is_on else frozenset()

    def renew_now(self, action: Action) -> None:
        """The app wants a new token."""
        client, call = self._call(action)
        step = self._ask_for(client, call, RenewNow())
        renewal = client.oracle.snapshot.renewal
        if step.row is not None and renewal is not None:
            call.attempt, call.kinds = renewal.attempt, None
            call.may_fail = True  # how its failure is named is not the requirement's matter

    # ── Handlers and observers ──────────────────────────────────────────────────────────────────

    def set_access_token_handler(self, action: Action) -> None:
        """The handler for access tokens is set, taken away, or set to what is none."""
        client, call = self._call(action, to=action.how)
        if action.how == "wrong":
            call.kinds = frozenset({"invalid_handler"})
            return
        call.kinds = frozenset()
        oracle = client.oracle
        oracle.access_token_handler = action.how == "report"
        self._feed(client, HandlersChanged(oracle.session_handler, oracle.access_token_handler))

    def handle(self, action: Action) -> None:
        """From now on handlers do this."""
        client, call = self._call(action, how=action.how)
        call.kinds = frozenset()
        client.how = action.how

    def observe(self, action: Action) -> None:
        """Somebody begins to observe."""
        client = self._stage.clients[action.client]
        self._observers += 1
        client.observers[self._observers] = action.how
        client.joined[self._observers] = client.oracle.snapshot.state
        _, call = self._call(action, observer=self._observers, how=action.how)
        call.kinds = frozenset()
        if action.how == "logout" and client.oracle.snapshot.state is SessionState.ESTABLISHED:
            self._feed(client, Logout())

    # ── Requests and pushes ─────────────────────────────────────────────────────────────────────

    def call(self, action: Action) -> None:
        """An API request is made, or two."""
        client = self._stage.clients[action.client]
        self._request(client)
        if action.how == "twice":
            # What a rejection of the first leads to is kept waiting meanwhile.
            self._sorting.digest()
            self._request(client)

    def _request(self, client: Client) -> None:
        client.notes["call_when"] = authorize(client.oracle.snapshot)
        self._stage.call(client, "call", f"GET {_CHANNELS}", path=_CHANNELS)

    def realtime(self, action: Action) -> None:
        """A push tells of a ban or a deletion, and what it tells is so."""
        client, platform = self._stage.clients[action.client], self._stage.desk.platform
        own = client.oracle.snapshot.user_id or "ann"
        user = "somebody-else" if action.how.startswith("other") else own
        deleted = action.how.endswith("deletion")
        event = "user.deleted" if deleted else "user.didGlobalBan"
        (platform.delete if deleted else platform.ban)(user)
        label = f"push: {event} {user}"
        call = self._stage.call(client, "realtime", label, event=event, user_id=user)
        call.kinds = frozenset()
        self._feed(client, (UserDeleted if deleted else UserBanned)(user))
