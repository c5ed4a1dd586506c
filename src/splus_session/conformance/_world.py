"""One run's world in an adapter: its clients, the calls of their methods, and the renewals to answer."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from splus_session._errors import SessionClosed
from splus_session.conformance._calls import COMMANDS, NEEDS, Client, Command, answer, observe, plain_value
from splus_session.conformance._kinds import Unsupported, failure_of
from splus_session.conformance._runners import Runner, settled
from splus_session.conformance._setup import App, MakeClient, Setup
from splus_session.conformance._traffic import Traffic
from splus_session.testing.clock import ManualClock

__all__ = ["World"]

Tell = Callable[[dict[str, object]], object]


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
        self._clients: dict[str, Client] = {}
        self._at_close: dict[int, list[Callable[[], Any]]] = {}
        self._renewals: dict[int, Any] = {}
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
        return {name: _look(client.made) for name, client in list(self._clients.items())}

    def end(self) -> None:
        """Close whatever is open. From now on nothing is sent."""
        self.traffic.is_over = True
        for client in list(self._clients.values()):
            client.app.leave()
        self.runner.end()

    # ── The commands ────────────────────────────────────────────────────────────────────────────

    async def _carry_out(self, command: Command) -> object:
        name = command["do"]
        if name in NEEDS and NEEDS[name] not in self._features:
            raise Unsupported(f"{name} was not declared")
        match name:
            case "open":
                await self._open(command)
            case "close":
                client = self._client(command)
                del self._clients[command["client"]]
                await self._close(client)
            case "cancel":
                self._cancels[command["call"]]()
            case "answer":
                await answer(self._renewals[command["renewal"]], command)
            case _ if name in COMMANDS:
                return await COMMANDS[name](self._client(command), command)
            case _:
                raise Unsupported(f"there is no command {name}")
        return None

    def _client(self, command: Command) -> Client:
        client = self._clients.get(command["client"])
        if client is None:
            raise SessionClosed("no client of this name is open")
        return client

    async def _open(self, command: Command) -> None:
        name = command["client"]
        made: list[Any] = []
        app = App(
            lambda event: self._tell({**event, "client": name}),
            self._numbers,
            self._renewals,
            self.runner,
            threaded=self._threaded,
            user_id=lambda: getattr(made[0], "user_id", None) if made else None,
            state=lambda: plain_value(made[0].state) if made else None,
        )
        at_close: list[Callable[[], Any]] = []
        setup = self._setup(command, app, at_close.append)
        with self.traffic.at_work():  # whatever making one waits for, it is not the platform
            made.append(await settled(self._make_client(setup)))
        client = Client(made[0], app, setup.url, self.traffic, self._features, self._threaded)
        self._at_close[id(client)] = at_close
        try:
            await self.runner.open(client.made)
        except BaseException:
            await self._let_go(client)
            raise
        self._clients[name] = client
        await observe(client, {"observer": 0, "how": "report"})

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

    async def _close(self, client: Client) -> None:
        try:
            await self.runner.close(client.made)
        finally:
            await self._let_go(client)

    async def _let_go(self, client: Client) -> None:
        client.app.leave()
        for job in self._at_close.pop(id(client), ()):
            await settled(job())


_HOOKS = "on_login", "on_renewal", "on_ban", "on_logout"


def _hook(app: App, name: str) -> Callable[[object], None]:
    def run(_call: object) -> None:
        app.tell({"event": "hook", "hook": name, "state": app.state()})

    return run


def _look(made: Any) -> dict[str, object]:
    looks: dict[str, object] = {"state": plain_value(made.state), "user_id": getattr(made, "user_id", None)}
    device_id = getattr(made, "device_id", None)
    return looks if device_id is None else {**looks, "device_id": device_id}
