"""Random runs that look for an idle line which came too early.

It did if something appears in a later answer though nothing came from outside: no answer of the
platform was on its way, no command, no time. `python -m tests.conformance.early aio 2000` measures.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conformance.kit import Kit, as_child, in_process
from tests.subjects import own_aio, own_sync

SUBJECTS = {"aio": own_aio, "sync": own_sync}


class Early:
    """A random run, and what it found."""

    def __init__(self, kit: Kit, seed: int, pause: float = 0.0) -> None:
        self.kit = kit
        self.dice = random.Random(seed)
        self.pause = pause
        self.found: list[str] = []
        self.commands = 0
        self.seconds: list[float] = []
        self.folder = kit.folder
        self.begin()

    def begin(self) -> None:
        kit = self.kit
        kit.folder = Path(tempfile.mkdtemp(dir=self.folder))
        kit.begin()
        kit.open()
        self.observers = 1

    def play(self, commands: int) -> None:
        while self.commands < commands:
            if self.commands % 50 == 49:
                self.commands += 1
                self.begin()
            self.one()

    def one(self) -> None:
        kit, moves = self.kit, self.moves()
        name, named = moves[self.dice.randrange(len(moves))]()
        if name == "advance":
            kit.clock.advance(named["seconds"])
        began = time.perf_counter()
        kit.send(name, **named)
        self.seconds.append(time.perf_counter() - began)
        self.commands += 1
        # What is on the way to or from the platform may still lead to something; then it is late
        # enough to look when it has come.
        kit.settle()
        before = {key: kit.idle[key] for key in ("clients", "sent", "open")}
        if self.pause:
            time.sleep(self.pause)
        late = kit.send("settle")
        after = {key: kit.idle[key] for key in ("clients", "sent", "open")}
        if late or before != after:
            self.found.append(f"after {name} {named}: {late}, {before} -> {after}")

    def moves(self) -> list[Callable[[], tuple[str, dict[str, Any]]]]:
        kit, dice = self.kit, self.dice
        if not kit.looks:
            return [lambda: ("open", {"client": "a", "session_handler": True, "hooks": True})]
        asked = [e["renewal"] for e in kit.told if e["event"] == "renewal"]

        def login() -> tuple[str, dict[str, Any]]:
            return "login", {"client": "a", "user_id": "ann", "auth_token": kit.token()}

        def fail() -> tuple[str, dict[str, Any]]:
            kit.fake.disown("ann") if dice.random() < 0.5 else kit.fake.revoke("ann")
            return "settle", {}

        def observe() -> tuple[str, dict[str, Any]]:
            self.observers += 1
            how = dice.choice(["report", "raise", "logout"] if self.observers > 3 else ["report"])
            return "observe", {"client": "a", "observer": self.observers - 1, "how": how}

        def answer() -> tuple[str, dict[str, Any]]:
            number = dice.choice(asked[-2:])
            return "answer", {
                "client": "a",
                "renewal": number,
                "with": "auth_token",
                "auth_token": kit.token(),
            }

        moves: list[Callable[[], tuple[str, dict[str, Any]]]] = [
            login,
            login,
            fail,
            observe,
            lambda: ("advance", {"seconds": dice.choice([1.0, 60.0, 86400.0 * 25, 86400.0 * 40])}),
            lambda: ("advance", {"seconds": dice.choice([1.0, 60.0, 86400.0 * 25, 86400.0 * 40])}),
            lambda: ("jump", {"seconds": dice.choice([-3600.0, 3600.0])}),
            lambda: ("call", {"client": "a", "path": "/api/v3/network-settings/chat"}),
            lambda: ("renew_now", {"client": "a"}),
            lambda: ("secure_logout", {"client": "a"}),
            lambda: ("logout", {"client": "a"}),
            lambda: ("close", {"client": "a"}),
            lambda: ("realtime", {"client": "a", "event": "user.didGlobalBan", "user_id": "ann"}),
        ]
        return moves + [answer] * 4 if asked else moves


def main() -> None:
    name, commands, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    pause = float(sys.argv[4]) if len(sys.argv) > 4 else 0.003
    make = in_process if way == "host" else as_child
    with make(SUBJECTS[name]) as channel, tempfile.TemporaryDirectory() as folder:
        kit = Kit(channel, Path(folder))
        early = Early(kit, seed=1, pause=pause)
        early.play(commands)
        kit.stop()
    times = sorted(early.seconds)
    mean, middle = sum(times) / len(times), times[len(times) // 2]
    print(
        f"{name} {way}: {early.commands} commands, {len(early.found)} early; mean {mean * 1e3:.2f} ms, "
        f"median {middle * 1e3:.2f} ms, 95 % {times[int(len(times) * 0.95)] * 1e3:.2f} ms, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    for text in early.found[:5]:
        print("  ", text)


if __name__ == "__main__":
    main()
