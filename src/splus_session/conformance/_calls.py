"""What each command that is for one client does with it."""

from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from typing import Any, cast

import attrs
import httpx2

from splus_session.conformance._kinds import Unsupported
from splus_session.conformance._runners import settled
from splus_session.conformance._setup import App, AppError, resolve
from splus_session.conformance._traffic import Traffic

__all__ = ["COMMANDS", "NEEDS", "Client", "Command", "answer", "observe", "plain_value"]

Command = Mapping[str, Any]


@attrs.define
class Client:
    """A client that was opened."""

    made: Any
    app: App
    url: str
    """Where its platform is."""
    traffic: Traffic
    features: frozenset[str]
    threaded: bool


def plain_value(value: Any) -> Any:
    """The value of an enum's member; anything else as it is."""
    return getattr(value, "value", value)


_ANSWERS = {
    "renew": ("renew",),
    "auth_token": ("renew_with_auth_token", "auth_token"),
    "unable": ("unable_to_retrieve_auth_token",),
    "auth_signature": ("renew_with_auth_signature", "auth_signature", "expires_at"),
    "unable_signature": ("unable_to_retrieve_auth_signature",),
}


async def _method(client: Client, name: str, *arguments: object, **named: object) -> Any:
    """Call a client's method, and wait for its result."""
    method = getattr(client.made, name, None)
    if method is None:
        raise Unsupported(f"the client has no method {name}")
    return await settled(method(*arguments, **named))


async def _login(client: Client, command: Command) -> object:
    named = {key: command[key] for key in ("auth_token", "display_name") if command.get(key) is not None}
    if command.get("own_handler"):
        named["session_handler"] = client.app.session_handler("own")
    return await _method(client, "login", command["user_id"], **named)


async def _login_with_access_token(client: Client, command: Command) -> object:
    return await _method(client, "login_with_access_token", command["access_token"])


async def _login_as_visitor(client: Client, command: Command) -> object:
    keys = "auth_signature", "auth_signature_expires_at"
    named = {key: command[key] for key in keys if command.get(key) is not None}
    return await _method(client, "login_as_visitor", **named)


async def _plain(client: Client, command: Command) -> object:
    return await _method(client, command["do"])


async def _set_access_token_handler(client: Client, command: Command) -> None:
    to = command["to"]
    handler = {"none": None, "wrong": 42}[to] if to != "report" else client.app.access_token_handler()
    await _method(client, "set_access_token_handler", handler)


async def _handle(client: Client, command: Command) -> None:
    client.app.how = command["how"]


async def answer(asked: Any, command: Command) -> None:
    """Answer a renewal: on its object, or by what an access token handler waits for."""
    way = command["with"]
    if isinstance(asked, Future):
        token = cast("Future[str]", asked)
        if way == "access_token":
            resolve(token, command["access_token"])
        elif way == "error":
            resolve(token, error=AppError("the app has no access token"))
        else:
            raise Unsupported(f"{way} is no answer to an access token handler's call")
        return
    name, *keys = _ANSWERS[way]
    await settled(getattr(asked, name)(*(command[key] for key in keys)))


async def observe(client: Client, command: Command) -> None:
    """Have somebody begin to observe."""
    number, how = command["observer"], command["how"]

    def tell(change: Any) -> bool:
        state = plain_value(change.state)
        event: dict[str, object] = {"event": "state", "observer": number, "state": state}
        if "reasons" in client.features:
            event["previous"] = plain_value(change.previous)
            event["reason"] = plain_value(change.reason)
            event["at"] = change.at
        client.app.tell({**event, "user_id": getattr(client.made, "user_id", None)})
        if how == "raise":
            raise AppError("this observer is to raise")
        return bool(how == "logout" and state == "established")

    def observe_plain(change: Any) -> None:
        if tell(change):
            client.made.logout()

    async def observe_async(change: Any) -> None:
        if tell(change):
            await client.made.logout()

    await _method(client, "on_change", observe_plain if client.threaded else observe_async)


async def _realtime(client: Client, command: Command) -> None:
    methods = {"user.didGlobalBan": "note_ban", "user.deleted": "note_deletion"}
    await _method(client, methods[command["event"]], command["user_id"])


async def _call(client: Client, command: Command) -> int:
    # A client that reaches the platform without HTTP has an origin all the same, and its token is for that.
    url = getattr(client.made, "origin", client.url) + command["path"]
    auth = await _method(client, "auth")
    if client.threaded:
        with httpx2.Client(auth=auth, transport=client.traffic.transport(client.url), timeout=None) as http:
            return http.get(url).status_code
    transport = client.traffic.async_transport(client.url)
    async with httpx2.AsyncClient(auth=auth, transport=transport, timeout=None) as http_async:
        return (await http_async.get(url)).status_code


COMMANDS: Mapping[str, Callable[[Client, Command], Coroutine[Any, Any, object]]] = {
    "login": _login,
    "login_with_access_token": _login_with_access_token,
    "login_as_visitor": _login_as_visitor,
    "login_as_bot": _plain,
    "logout": _plain,
    "secure_logout": _plain,
    "renew_now": _plain,
    "set_access_token_handler": _set_access_token_handler,
    "handle": _handle,
    "observe": observe,
    "realtime": _realtime,
    "call": _call,
}

NEEDS = {"cancel": "cancel", "call": "call", "realtime": "realtime"}
"""Commands that stand and fall with a feature, whatever methods the client has."""
