"""Plays the conformance protocol with the small client, a right one or one with a mistake."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from client import Client, RenewalHandle
from mistakes import MISTAKES
from parts import Change, Promise
from wire import ClientError, Loop

FEATURES = [
    "development", "access_token", "visitor", "bot", "own_handler", "region", "secure_logout", "renew_now",
    "cancel", "call", "realtime", "observers", "reasons", "hooks", "close", "resume", "several", "time", "sleep", "jump", "again",
]  # fmt: skip
HOOKS = ("on_login", "on_renewal", "on_ban", "on_logout")


class HandlerError(Exception):
    """What a handler or an observer raises that is told to."""


class World:
    """One run: its clients, its time, and what the kit may still answer."""

    def __init__(self, begin: dict[str, Any], make_client: type[Client]) -> None:
        self.url: str = begin["url"]
        self.api_key: str = begin["api_key"]
        self.folder = Path(begin["store"])
        self.folder.mkdir(parents=True, exist_ok=True)
        self.make_client = make_client
        self.loop = Loop(begin["now"])
        self.loop.on_uncaught = lambda error: tell("uncaught", message=type(error).__name__)
        self.clients: dict[str, Client] = {}
        self.how: dict[str, str] = {}
        self.renewals: dict[int, RenewalHandle | Promise] = {}
        self.logins: dict[int, Promise] = {}

    # ── Time ────────────────────────────────────────────────────────────────────────────────────

    def advance(self, seconds: float) -> None:
        """Let time pass. What is due happens at its time; what has come from outside, before or after."""
        self.loop.run()
        until = self.loop.now + seconds
        while (due := self.next_due()) <= until:
            self.loop.move_to(max(due, self.loop.now))
            self.tick()
        self.loop.move_to(until)
        self.tick()

    def sleep(self, seconds: float) -> None:
        """Let time pass that nobody notices before it is over."""
        self.loop.now += seconds
        self.tick()

    def next_due(self) -> float:
        return min([client.deadline() for client in self.clients.values()], default=float("inf"))

    def tick(self) -> None:
        for client in list(self.clients.values()):
            client.tick()
        self.loop.work()

    # ── Clients ─────────────────────────────────────────────────────────────────────────────────

    def open(self, command: dict[str, Any]) -> None:
        name: str = command["client"]
        self.how[name] = "report"
        elsewhere = "region" in command or "endpoint" in command
        hooks = {hook: self.hook(name, hook) for hook in HOOKS} if command.get("hooks") else {}
        client = self.make_client(
            self.loop,
            self.folder,
            name,
            api_key=command.get("api_key", self.api_key),
            region=command.get("region"),
            endpoint=command.get("endpoint") if elsewhere else self.url,
            development=bool(command.get("development")),
            session_handler=SessionHandler(self, name, "client") if command.get("session_handler") else None,
            access_token_handler=TokenHandler(self, name) if command.get("access_token_handler") else None,
            hooks=hooks,
        )
        client.open()
        self.clients[name] = client
        self.observe(client, name, 0, "report")

    def hook(self, name: str, hook: str) -> Callable[[], None]:
        def run() -> None:
            client = self.clients.get(name)
            tell("hook", client=name, hook=hook, **({} if client is None else {"state": client.state}))

        return run

    def observe(self, client: Client, name: str, observer: int, how: str) -> None:
        def observed(change: Change) -> None:
            told = {
                "state": change.state,
                "previous": change.previous,
                "reason": change.reason,
                "at": change.at,
            }
            tell("state", client=name, observer=observer, **told, user_id=client.user_id)
            if how == "raise":
                raise HandlerError
            if how == "logout" and change.state == "established":
                client.logout()

        client.on_change(observed)

    def numbered(self, renewal: RenewalHandle | Promise) -> int:
        number = len(self.renewals) + 1
        self.renewals[number] = renewal
        return number

    def client(self, command: dict[str, Any]) -> Client:
        found = self.clients.get(command["client"])
        if found is None:
            raise ClientError("closed", "no client of this name is open")
        return found

    # ── Calls ───────────────────────────────────────────────────────────────────────────────────

    def call(self, command: dict[str, Any]) -> None:
        """Do what a command says, and tell what becomes of it, whenever that is clear."""
        number: int = command["id"]
        try:
            outcome = self.do(command)
        except ClientError as error:
            failed(number, error)
        except HandlerError:
            failed(number, ClientError("other", "it raised"))
        else:
            if isinstance(outcome, Promise):
                outcome.then(lambda promise: ended(number, promise))
            else:
                tell("done", of=number)

    def do(self, command: dict[str, Any]) -> Promise | None:
        what, name = command["do"], command.get("client", "")
        if what in ("open", "answer"):
            (self.open if what == "open" else self.answer)(command)
            return None
        client = self.client(command)
        if what in ("login", "login_with_access_token", "login_as_visitor", "login_as_bot"):
            promise = self.logins[command["id"]] = self.log_in(client, name, command)
            return promise
        match what:
            case "logout":
                return client.logout()
            case "secure_logout":
                return client.secure_logout()
            case "renew_now":
                return client.renew_now()
            case "close":
                del self.clients[name]
                client.close()
            case "cancel":
                client.cancel(self.logins.get(command["call"], settled()))
            case "set_access_token_handler":
                handlers = {"report": TokenHandler(self, name), "none": None, "wrong": 42}
                client.set_access_token_handler(handlers[command["to"]])
            case "handle":
                self.how[name] = command["how"]
            case "observe":
                self.observe(client, name, command["observer"], command["how"])
            case "call":
                return client.call(command["path"])
            case "realtime":
                kinds = {"user.didGlobalBan": "banned", "user.deleted": "deleted"}
                client.heard(kinds[command["event"]], command.get("user_id"))
            case _:
                raise ClientError("unsupported", f"there is no {what}")
        return None

    def log_in(self, client: Client, name: str, command: dict[str, Any]) -> Promise:
        match command["do"]:
            case "login":
                own = SessionHandler(self, name, "own") if command.get("own_handler") else None
                return client.login(
                    command["user_id"], command.get("auth_token"), command.get("display_name"), own
                )
            case "login_with_access_token":
                return client.login_with_access_token(command["access_token"])
            case "login_as_visitor":
                return client.login_as_visitor(
                    command.get("auth_signature"), command.get("auth_signature_expires_at")
                )
            case _:
                return client.login_as_bot()

    def answer(self, command: dict[str, Any]) -> None:
        renewal = self.renewals.get(command["renewal"])
        if renewal is None:
            raise ClientError("other", "there was no such renewal")
        given = command["with"]
        if isinstance(renewal, Promise):
            error = ClientError("other", "the handler failed") if given == "error" else None
            renewal.settle(command.get("access_token"), error)
        elif given == "renew":
            renewal.renew()
        elif given == "auth_token":
            renewal.renew_with_auth_token(command["auth_token"])
        elif given == "unable":
            renewal.unable_to_retrieve_auth_token()
        elif given == "auth_signature":
            renewal.renew_with_auth_signature(command["auth_signature"], command["expires_at"])
        elif given == "unable_signature":
            renewal.unable_to_retrieve_auth_signature()
        else:
            raise ClientError("unsupported", f"a session handler's renewal has no answer {given}")

    def idle(self) -> dict[str, object]:
        clients = {
            name: {"state": client.state, "user_id": client.user_id, "device_id": client.device_id}
            for name, client in self.clients.items()
        }
        return {"clients": clients, "sent": self.loop.sent, "open": self.loop.open}

    def end(self) -> None:
        """End as if killed: nobody is told, and nothing is on its way any more."""
        for client in self.clients.values():
            client.platform.close()


class SessionHandler:
    """Tells the kit, which answers, or not."""

    def __init__(self, world: World, name: str, whose: str) -> None:
        self._world = world
        self._name = name
        self._whose = whose

    def session_will_renew_access_token(self, renewal: RenewalHandle) -> None:
        number = self._world.numbered(renewal)
        client = self._world.clients.get(self._name)
        user_id = None if client is None else client.user_id
        tell("renewal", client=self._name, renewal=number, user_id=user_id, handler=self._whose)
        if self._world.how[self._name] != "report":
            raise HandlerError


class TokenHandler:
    """Tells the kit, and promises what that will answer."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def on_token_renew(self, user_id: str) -> object:
        promise = Promise()
        number = self._world.numbered(promise)
        tell("token_renew", client=self._name, renewal=number, user_id=user_id)
        how = self._world.how[self._name]
        if how == "raise":
            raise HandlerError
        return 42 if how == "garbage" else promise


def settled() -> Promise:
    promise = Promise()
    promise.settle()
    return promise


def ended(number: int, promise: Promise) -> None:
    if promise.error is not None:
        failed(number, promise.error)
    elif promise.value is None:
        tell("done", of=number)
    else:
        tell("done", of=number, value=promise.value)


def failed(number: int, error: ClientError) -> None:
    tell("failed", of=number, kind=error.kind, retryable=error.retryable, message=str(error))


def tell(event: str, **fields: object) -> None:
    write({"event": event, **fields})


def write(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def play(make_client: type[Client]) -> None:
    """Do what the kit says until it says `bye`."""
    world: World | None = None
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        number, what = command["id"], command["do"]
        idle: dict[str, object] = {"idle": number}
        if what == "bye":
            write(idle)
            return
        if what == "hello":
            idle |= {"protocol": 1, "name": "small client", "version": "1", "features": FEATURES}
        elif what == "begin":
            if world is not None:
                world.end()
            world = World(command, make_client)
            idle |= world.idle()
        elif world is not None:
            world.loop.run()
            if what == "advance":
                world.advance(command["seconds"])
            elif what in ("sleep", "jump"):
                world.sleep(command["seconds"])
            elif what != "settle":
                world.call(command)
            world.loop.run()
            idle |= world.idle()
        write(idle)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="client.py")
    parser.add_argument("--mistake", choices=sorted(MISTAKES), help="make this mistake")
    parser.add_argument("--mistakes", action="store_true", help="list them, as JSON")
    options = parser.parse_args(arguments)
    if options.mistakes:
        listed = {
            slug: {"requirement": one.requirement, "sentence": one.sentence} for slug, one in MISTAKES.items()
        }
        print(json.dumps(listed, indent=1))
        return 0
    play(MISTAKES[options.mistake].client if options.mistake else Client)
    return 0
