"""The small client keeps the protocol's contract, and what a session must do, as far as a few lives show.

The kit judges it in full; this is so quick that one sees at once which of the two is wrong.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from splus_session.requirements import REQUIREMENTS
from splus_session.testing import Endpoint, FakePlatform, ManualClock, TokenTerms, faults

PROGRAM = Path(__file__).parent / "subjects" / "small" / "client.py"


class Kit:
    """Speaks the protocol with the small client, one command after the other."""

    def __init__(self, url: str, platform: FakePlatform, clock: ManualClock, store: Path) -> None:
        self.platform = platform
        self.clock = clock
        self.store = store
        self.events: list[dict[str, Any]] = []
        """What was told since the last look."""
        self.idle: dict[str, Any] = {}
        self._url = url
        self._number = 0
        self.start()

    def start(self, *, keep: bool = False) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, PROGRAM], stdin=pipe, stdout=pipe, text=True)
        self.do("hello", protocol=1)
        begin = {"url": self._url, "api_key": self.platform.api_key.reveal(), "store": str(self.store)}
        self.do("begin", **begin, now=self.clock.now(), keep=keep)
        self._before = len(self.platform.requests)

    def kill(self) -> None:
        self.process.kill()
        self._clean()

    def bye(self) -> int:
        self.do("bye")
        return self._clean()

    def _clean(self) -> int:
        with self.process:
            return self.process.wait(5)

    def do(self, what: str, **fields: object) -> int:
        """Give a command. Its events come to the others; gives its number."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self._number += 1
        self.process.stdin.write(json.dumps({"id": self._number, "do": what, **fields}) + "\n")
        self.process.stdin.flush()
        while "idle" not in (line := json.loads(self.process.stdout.readline())):
            self.events.append(line)
        assert line["idle"] == self._number
        self.idle = line
        return self._number

    def a(self, what: str, *, held: int = 0, **fields: object) -> int:
        """Have client a do something, and wait until nothing is on its way but what is held."""
        number = self.do(what, client="a", **fields)
        self.settle(held)
        return number

    def settle(self, held: int = 0) -> None:
        while self.idle["open"] != held or self.idle["sent"] != len(self.platform.requests) - self._before:
            self.do("settle")

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.do("advance", seconds=seconds)
        self.settle()

    def open(self) -> int:
        return self.a("open", development=False, session_handler=True, access_token_handler=False, hooks=True)

    def answer(self, renewal: int) -> int:
        what: dict[str, Any] = {"with": "auth_token"}
        return self.a("answer", renewal=renewal, auth_token=self.auth_token(), **what)

    def login(self, *, held: int = 0) -> int:
        return self.a("login", held=held, user_id="ann", auth_token=self.auth_token())

    def auth_token(self) -> str:
        return self.platform.issue_auth_token("ann").reveal()

    def told(self) -> list[str]:
        """What happened since the last look, in a word each."""
        events, self.events = self.events, []
        return [_word(event) for event in events]

    @property
    def state(self) -> str:
        return str(self.idle["clients"]["a"]["state"])


def _word(event: dict[str, Any]) -> str:
    match event["event"]:
        case "state":
            return str(event["state"])
        case "hook":
            return str(event["hook"])
        case "done":
            return f"{event['of']} {event['value']}" if "value" in event else f"{event['of']} done"
        case "failed":
            return f"{event['of']} {event['kind']}"
        case kind:
            return f"{kind} {event['renewal']}"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    clock = ManualClock()
    platform = FakePlatform(clock=clock)
    platform.rules.terms = TokenTerms(lifetime=3600.0)
    with platform.serve() as server:
        kit = Kit(server.url, platform, clock, tmp_path)
        yield kit
        if kit.process.poll() is None:
            assert kit.bye() == 0


def test_a_life(kit: Kit) -> None:
    opened = kit.open()
    login = kit.login()
    assert kit.told() == [
        f"{opened} done",
        "notLoggedIn",
        "establishing",
        "established",
        "on_login",
        f"{login} done",
    ]

    kit.advance(0.8 * 3300)
    assert kit.told() == ["renewal 1"]
    assert kit.state == "established"
    answer = kit.answer(1)
    assert kit.told() == [f"{answer} done", "on_renewal"]

    kit.platform.expire("ann")
    call = kit.a("call", path="/api/v3/channels")
    assert kit.told() == ["tokenExpired", "renewal 2"]
    answer = kit.answer(2)
    assert kit.told() == [f"{answer} done", "established", "on_renewal", f"{call} 200"]

    logout = kit.a("logout")
    assert kit.told() == ["notLoggedIn", "on_logout", f"{logout} done"]
    assert kit.idle["clients"]["a"]["user_id"] is None


def test_an_answer_that_comes_after_a_logout_is_dropped_and_its_token_revoked(kit: Kit) -> None:
    kit.open()
    hold = kit.platform.hold(Endpoint.LOGIN, carried_out=True)
    login = kit.login(held=1)
    logout = kit.a("logout", held=1)
    assert kit.told()[-3:] == ["notLoggedIn", f"{login} interrupted", f"{logout} done"]
    hold.release()
    while not kit.platform.requests_to(Endpoint.REVOKE):
        kit.do("settle")
    kit.settle()
    assert kit.told() == []
    assert not kit.platform.is_alive(kit.platform.tokens_of("ann")[0].token)


def test_a_banned_user_does_not_log_in(kit: Kit) -> None:
    kit.open()
    kit.platform.fail(Endpoint.LOGIN, faults.flagged("isGlobalBanned"))
    login = kit.login()
    assert kit.told()[-2:] == ["notLoggedIn", f"{login} user_banned"]


def test_a_secure_logout_that_fails_leaves_everything_as_it_was(kit: Kit) -> None:
    kit.open()
    kit.login()
    kit.told()
    kit.platform.fail(Endpoint.REVOKE, faults.drop(carried_out=False))
    logout = kit.a("secure_logout")
    call = kit.a("call", path="/api/v3/channels")
    assert kit.told() == [f"{logout} unavailable", f"{call} 200"]
    assert kit.state == "established"


def test_a_killed_client_resumes(kit: Kit) -> None:
    kit.open()
    kit.login()
    device = kit.idle["clients"]["a"]["device_id"]
    kit.kill()
    kit.told()
    kit.start(keep=True)
    opened = kit.open()
    assert kit.told() == [f"{opened} done", "established"]
    assert kit.idle["clients"]["a"] == {"state": "established", "user_id": "ann", "device_id": device}
    kit.a("logout")
    kit.kill()
    kit.told()
    kit.start(keep=True)
    opened = kit.open()
    assert kit.told() == [f"{opened} done", "notLoggedIn"]


def test_what_is_due_happens_in_order_and_at_its_time(kit: Kit) -> None:
    kit.open()
    kit.login()
    kit.told()
    start = kit.clock.now()
    kit.advance(3600)
    assert [(_word(event), event.get("at", start) - start) for event in kit.events] == [
        ("renewal 1", 0.0),  # at 2640; nobody answers for a minute, then there is a pause of ten
        ("renewal 2", 0.0),  # at 3300; another minute
        ("tokenExpired", 3565.0),
    ]


# What no command of the protocol could show.
UNSEEN = {"HOOK-2", "LOGOUT-5", "RESUME-3", "BACKEND-1", "BACKEND-2", "BACKEND-3"}


def test_for_every_requirement_that_shows_there_is_a_client_that_breaks_it() -> None:
    listed = json.loads(subprocess.check_output([sys.executable, PROGRAM, "--mistakes"], text=True))
    assert {entry["requirement"] for entry in listed.values()} == REQUIREMENTS.keys() - UNSEEN
    assert len({entry["sentence"] for entry in listed.values()}) == len(listed)
