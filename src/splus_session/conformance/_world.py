"""One run's world in an adapter: its clients, the calls of their methods, and the renewals to answer."""

import itertools
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import attrs
import httpx2

from splus_session.conformance._kinds import Unsupported, failure_of
from splus_session.conformance._runners import Runner, settled
from splus_session.conformance._setup import App, AppError, MakeClient, Setup, resolve
from splus_session.conformance._traffic import Traffic
from splus_session.testing.clock import ManualClock

__all__ = ["World"]

Command = Mapping[str, Any]
Tell = Callable[[dict[str, object]], object]


@attrs.define
class _Client:
    """A client that is being opened, open, or being closed."""

    made: Any
    app: App
    url: str
    at_close: list[Callable[[], Any]]
    is_open: bool = False


class World:
    """Carries out the calls of one run.

    Args:
        begin: the command that began it.
        make_client: makes its clients.
        runner: where they live.
        clock: their time.
        traffic: what counts their requests.
        tell: tells the kit of an event.
        features: what was declared.
        threaded: whether clients are for threads.
    """

    def __init__(
        self,
        begin: Command,
        make_client: MakeClient,
        runner: Runner,
        clock: ManualClock,
        traffic: Traffic,
        tell: Tell,
        features: frozenset[str],
        *,
        threaded: bool,
    ) -> None:
        self.clock = clock
        self.traffic = traffic
        self.runner = runner
        self._begin = begin
        self._make_client = make_client
        self._tell = tell
        self._features = features
        self._threaded = threaded
        self._clients: dict[str, _Client] = {}
        self._cancels: dict[object, Callable[[], object]] = {}
        self._numbers = itertools.count(1)

    def start(self, command: Command) -> None:
        """Start a call. What becomes of it is told by an event."""
        number = command["id"]

        async def job() -> None:
            try:
                value = await self._carry_out(command)
            except BaseException as error:
                self._tell({"event": "failed", "of": number, **failure_of(error)})
            else:
                said = {"value": value} if isinstance(value, bool | int | float | str) else {}
                self._tell({"event": "done", "of": number, **said})

        self._cancels[number] = self.runner.start(job)

    def looks(self) -> dict[str, dict[str, object]]:
        """How each open client looks now."""
        return {name: _look(client.made) for name, client in self._clients.items() if client.is_open}

    def end(self) -> None:
        """Close whatever is open. From now on nothing is sent."""
        self.traffic.is_over = True
        for client in list(self._clients.values()):
            client.app.leave()
        self.runner.end()

    # ── The commands ────────────────────────────────────────────────────────────────────────────

    async def _carry_out(self, command: Command) -> object:
        name = command["do"]
        if name == "open":
            return await self._open(command)
        carry_out = _COMMANDS.get(name)
        feature = _NEEDS.get(name, "")
        if carry_out is None or (feature and feature not in self._features):
            raise Unsupported(f"{name} is not supported")
        return await carry_out(self, self._clients[command["client"]], command)

    async def _open(self, command: Command) -> None:
        name = command["client"]
        made: list[Any] = []
        app = App(
            lambda event: self._tell({**event, "client": name}),
            self._numbers,
            self.runner,
            threaded=self._threaded,
            user_id=lambda: getattr(made[0], "user_id", None) if made else None,
        )
        at_close: list[Callable[[], Any]] = []
        setup = self._setup(command, app, at_close.append)
        with self.traffic.at_work():  # whatever making one waits for, it is not the platform
            made.append(await settled(self._make_client(setup)))
        client = _Client(made[0], app, setup.url, at_close)
        try:
            await self.runner.open(client.made)
        except BaseException:
            await self._let_go(client)
            raise
        self._clients[name] = client
        client.is_open = True
        await self._observe(client, {"observer": 0, "how": "report"})

    def _setup(self, command: Command, app: App, at_close: Callable[[Callable[[], Any]], None]) -> Setup:
        url = self._begin["url"]
        region, endpoint = command.get("region"), command.get("endpoint")
        hooks = _HOOKS if command.get("hooks") else ()
        return Setup(
            client=command["client"],
            url=url,
            api_key=command.get("api_key", self._begin["api_key"]),
            region=region,
            endpoint=url if endpoint is None and region is None else endpoint,
            development=bool(command.get("development")),
            session_handler=app.session_handler("client") if command.get("session_handler") else None,
            access_token_handler=app.access_token_handler() if command.get("access_token_handler") else None,
            hooks={name: _hook(app, name) for name in hooks},
            clock=self.clock,
            store=Path(self._begin["store"]),
            traffic=self.traffic,
            at_close=at_close,
        )

    async def _close(self, client: _Client, command: Command) -> None:
        client.is_open = False
        try:
            await self.runner.close(client.made)
        finally:
            if self._clients.get(command["client"]) is client:
                del self._clients[command["client"]]
            await self._let_go(client)

    async def _let_go(self, client: _Client) -> None:
        client.app.leave()
        for job in client.at_close:
            await settled(job())

    async def _login(self, client: _Client, command: Command) -> object:
        named = {key: command[key] for key in ("auth_token", "display_name") if command.get(key) is not None}
        if command.get("own_handler"):
            named["session_handler"] = client.app.session_handler("own")
        return await _method(client, "login", command["user_id"], **named)

    async def _login_with_access_token(self, client: _Client, command: Command) -> object:
        return await _method(client, "login_with_access_token", command["access_token"])

    async def _login_as_visitor(self, client: _Client, command: Command) -> object:
        keys = "auth_signature", "auth_signature_expires_at"
        named = {key: command[key] for key in keys if command.get(key) is not None}
        return await _method(client, "login_as_visitor", **named)

    async def _plain(self, client: _Client, command: Command) -> object:
        return await _method(client, command["do"])

    async def _cancel(self, _client: _Client, command: Command) -> None:
        self._cancels[command["call"]]()

    async def _set_access_token_handler(self, client: _Client, command: Command) -> None:
        to = command["to"]
        handler = {"none": None, "wrong": 42}[to] if to != "report" else client.app.access_token_handler()
        await _method(client, "set_access_token_handler", handler)

    async def _handle(self, client: _Client, command: Command) -> None:
        client.app.how = command["how"]

    async def _answer(self, client: _Client, command: Command) -> None:
        asked, way = client.app.renewals[command["renewal"]], command["with"]
        if isinstance(asked, Future):
            if way == "access_token":
                resolve(asked, command["access_token"])
            elif way == "error":
                resolve(asked, error=AppError("the app has no access token"))
            else:
                raise Unsupported(f"{way} is no answer to an access token handler's call")
            return
        name, *keys = _ANSWERS[way]
        await settled(getattr(asked, name)(*(command[key] for key in keys)))

    async def _observe(self, client: _Client, command: Command) -> None:
        number, how = command["observer"], command["how"]

        def tell(change: Any) -> bool:
            state = _plain_value(change.state)
            event: dict[str, object] = {"event": "state", "observer": number, "state": state}
            if "reasons" in self._features:
                event["previous"] = _plain_value(change.previous)
                event["reason"] = _plain_value(change.reason)
                event["at"] = change.at
            client.app.tell({**event, "user_id": getattr(client.made, "user_id", None)})
            if how == "raise":
                raise AppError("this observer is to raise")
            return how == "logout" and state == "established"

        def observe(change: Any) -> None:
            if tell(change):
                client.made.logout()

        async def observe_async(change: Any) -> None:
            if tell(change):
                await client.made.logout()

        await _method(client, "on_change", observe if self._threaded else observe_async)

    async def _realtime(self, client: _Client, command: Command) -> None:
        methods = {"user.didGlobalBan": "note_ban", "user.deleted": "note_deletion"}
        await _method(client, methods[command["event"]], command["user_id"])

    async def _call(self, client: _Client, command: Command) -> int:
        url, auth = client.url + command["path"], await _method(client, "auth", gives=True)
        if self._threaded:
            with httpx2.Client(auth=auth, transport=self.traffic.transport(), timeout=None) as http:
                return http.get(url).status_code
        transport = self.traffic.async_transport()
        async with httpx2.AsyncClient(auth=auth, transport=transport, timeout=None) as http_async:
            return (await http_async.get(url)).status_code


_HOOKS = "on_login", "on_renewal", "on_ban", "on_logout"

_ANSWERS = {
    "renew": ("renew",),
    "auth_token": ("renew_with_auth_token", "auth_token"),
    "unable": ("unable_to_retrieve_auth_token",),
    "auth_signature": ("renew_with_auth_signature", "auth_signature", "expires_at"),
    "unable_signature": ("unable_to_retrieve_auth_signature",),
}

_COMMANDS: dict[str, Callable[[World, _Client, Command], Any]] = {
    "close": World._close,
    "login": World._login,
    "login_with_access_token": World._login_with_access_token,
    "login_as_visitor": World._login_as_visitor,
    "login_as_bot": World._plain,
    "logout": World._plain,
    "secure_logout": World._plain,
    "renew_now": World._plain,
    "cancel": World._cancel,
    "set_access_token_handler": World._set_access_token_handler,
    "handle": World._handle,
    "answer": World._answer,
    "observe": World._observe,
    "realtime": World._realtime,
    "call": World._call,
}

# What stands and falls with a feature, whatever methods the client has.
_NEEDS = {"cancel": "cancel", "call": "call", "realtime": "realtime"}


async def _method(client: _Client, name: str, *arguments: object, gives: bool = False, **named: object) -> Any:
    """Call a client's method. `gives`: what it gives is the result, though it could be awaited."""
    method = getattr(client.made, name, None)
    if method is None:
        raise Unsupported(f"the client has no method {name}")
    result = method(*arguments, **named)
    return result if gives else await settled(result)


def _hook(app: App, name: str) -> Callable[[object], None]:
    def run(_call: object) -> None:
        app.tell({"event": "hook", "hook": name})

    return run


def _look(made: Any) -> dict[str, object]:
    looks = {"state": _plain_value(made.state), "user_id": getattr(made, "user_id", None)}
    device_id = getattr(made, "device_id", None)
    return looks if device_id is None else {**looks, "device_id": device_id}


def _plain_value(value: Any) -> Any:
    """The value of an enum's member; anything else as it is."""
    return getattr(value, "value", value)
