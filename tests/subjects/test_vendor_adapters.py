"""The adapters of the vendor's SDKs, by the protocol alone: a session's life, and known bugs that show.

Facts about the SDKs go by their numbers (B1 ...), as far as they are told here.
"""

import json
import math
import signal
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from splus_session.backend import sign_visitor
from splus_session.testing import Endpoint, FakePlatform, ManualClock, TokenTerms, faults
from tests.npm import CannotInstallError, installed

VENDOR: Final = Path(__file__).parent / "vendor"
TEN_MINUTES: Final = 600.0
DAY: Final = 86_400.0
RENEWAL: Final = math.ceil(0.8 * (30 * DAY - 300) / TEN_MINUTES) * TEN_MINUTES
"""When the SDKs first look at a token of thirty days after it should be renewed."""


@pytest.fixture(scope="session")
def packages() -> Path:
    try:
        return installed(VENDOR)
    except CannotInstallError as error:
        pytest.skip(f"the vendor's SDKs are not judged: {error}")


class Adapter:
    """One adapter in a process, a platform of its own, and whoever asks."""

    def __init__(self, process: "subprocess.Popen[str]", store: Path) -> None:
        self.clock = ManualClock()
        self.platform = FakePlatform(clock=self.clock)
        self.process = process
        self.store = store
        self.commands = 0
        self.url = ""
        self.idle: dict[str, Any] = {}

    def ask(self, do: str, **given: object) -> list[dict[str, Any]]:
        """Give one command, and the events until it is idle."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        command = {"id": self.commands, "do": do, **given}
        self.commands += 1
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        events = []
        while "idle" not in (line := json.loads(self.process.stdout.readline())):
            events.append(line)
        assert line["idle"] == command["id"]
        self.idle = line
        return events

    def quiet(self, do: str, *, held: int = 0, **given: object) -> list[dict[str, Any]]:
        """The same, until nothing is on the way but what the platform holds up."""
        return self.until_quiet(self.ask(do, **given), held)

    def until_quiet(self, events: list[dict[str, Any]], held: int = 0) -> list[dict[str, Any]]:
        deadline = time.monotonic() + 10
        while self.idle["sent"] != len(self.platform.requests) or self.idle["open"] != held:
            assert time.monotonic() < deadline, self.idle
            events += self.ask("settle")
        return events

    def begin(self, *, keep: bool = False) -> None:
        self.ask(
            "begin",
            url=self.url,
            api_key=self.platform.api_key.reveal(),
            now=self.clock.now(),
            store=str(self.store),
            keep=keep,
        )

    def open(self, client: str = "a", **given: object) -> list[dict[str, Any]]:
        flags = {"development": False, "session_handler": True, "access_token_handler": False, "hooks": False}
        return self.until_quiet(self.ask("open", client=client, **(flags | given)))

    def login(self, user_id: str = "ann", **given: Any) -> list[dict[str, Any]]:
        token = self.platform.issue_auth_token(user_id).reveal()
        return self.quiet("login", client="a", user_id=user_id, auth_token=token, **given)

    def answer(self, renewal: int, how: str, **given: object) -> list[dict[str, Any]]:
        what: dict[str, object] = {"client": "a", "renewal": renewal, "with": how, **given}
        return self.until_quiet(self.ask("answer", **what))

    def hear(self, event: str) -> list[dict[str, Any]]:
        return self.quiet("realtime", client="a", event=event, user_id="ann")

    def advance(self, seconds: float) -> list[dict[str, Any]]:
        self.clock.advance(seconds)
        return self.quiet("advance", seconds=seconds)

    @property
    def state(self) -> str:
        return str(self.idle["clients"]["a"]["state"])


@contextmanager
def started(packages: Path, sdk: str) -> Generator["subprocess.Popen[str]"]:
    """A process, which must end well when nobody asks any more; unless it was killed."""
    command = ["node", str(VENDOR / f"{sdk}.mjs"), str(packages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(5) in {0, -signal.SIGKILL}


@contextmanager
def adapter(packages: Path, sdk: str, store: Path) -> Generator[Adapter]:
    with started(packages, sdk) as process:
        adapter = Adapter(process, store)
        with adapter.platform.serve() as server:
            adapter.url = server.url
            yield adapter


@pytest.fixture(params=["ts6", "ts7"])
def subject(packages: Path, request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Adapter]:
    with adapter(packages, request.param, tmp_path) as its:
        its.begin()
        its.open()
        yield its


@pytest.fixture
def ts7(packages: Path, tmp_path: Path) -> Generator[Adapter]:
    with adapter(packages, "ts7", tmp_path) as its:
        its.begin()
        yield its


def states(events: list[dict[str, Any]]) -> list[str]:
    return [event["state"] for event in events if event["event"] == "state"]


def ends(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What became of calls, but for the words."""
    told = [event for event in events if event["event"] in {"done", "failed"}]
    return [{key: value for key, value in event.items() if key not in {"of", "message"}} for event in told]


def renewals(events: list[dict[str, Any]]) -> list[int]:
    return [event["renewal"] for event in events if event["event"] in {"renewal", "token_renew"}]


DONE: Final = {"event": "done"}
YES: Final = {"event": "done", "value": True}
REFUSED: Final = {"event": "failed", "kind": "refused"}


# ── A session's life ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sdk", "name", "version", "more"),
    [
        ("ts6", "@amityco/ts-sdk", "6.35.3", []),
        ("ts7", "@amityco/ts-sdk-react-native", "7.20.0", ["access_token", "visitor", "bot", "resume"]),
    ],
)
def test_an_adapter_says_what_its_sdk_can_do(
    packages: Path, tmp_path: Path, sdk: str, name: str, version: str, more: list[str]
) -> None:
    with adapter(packages, sdk, tmp_path) as its:
        its.ask("hello", protocol=1)
        common = [
            "development",
            "own_handler",
            "region",
            "secure_logout",
            "call",
            "realtime",
            "observers",
            "several",
        ]
        features = [*common, *more, "time", "sleep", "jump", "again"]
        assert its.idle == {"idle": 0, "protocol": 1, "name": name, "version": version, "features": features}


def test_it_logs_in_renews_when_a_token_of_thirty_days_is_due_and_logs_out(subject: Adapter) -> None:
    events = subject.login()
    assert (states(events), ends(events)) == (["establishing", "established"], [YES])
    assert subject.idle["clients"]["a"]["user_id"] == "ann"
    assert subject.advance(RENEWAL - 1) == []
    [renewal] = renewals(subject.advance(1))
    token = subject.platform.issue_auth_token("ann").reveal()
    events = subject.answer(renewal, "auth_token", auth_token=token)
    assert (states(events), ends(events)) == (["establishing", "established"], [DONE])
    events = subject.quiet("logout", client="a")
    assert (states(events), ends(events)) == (["notLoggedIn"], [YES])
    login, renewed = subject.platform.requests_to(Endpoint.LOGIN)
    assert login.device_id == renewed.device_id == subject.idle["clients"]["a"]["device_id"]


def test_a_call_tells_the_status_and_a_login_that_is_refused_its_kind(subject: Adapter) -> None:
    assert ends(subject.quiet("login", client="a", user_id="ann", auth_token="made up")) == [REFUSED]
    subject.login()
    assert ends(subject.quiet("call", client="a", path="/api/v3/users/ann")) == [
        {"event": "done", "value": 200}
    ]
    subject.platform.ban("ann")
    assert ends(subject.quiet("call", client="a", path="/api/v3/users/ann")) == [
        {"event": "done", "value": 403}
    ]


def test_nothing_of_a_run_is_left_in_the_next(subject: Adapter) -> None:
    subject.login()
    hold = subject.platform.hold(Endpoint.LOGIN)
    token = subject.platform.issue_auth_token("ann").reveal()
    subject.ask("login", client="a", user_id="ann", auth_token=token)
    hold.arrived.wait(5)
    subject.begin()
    assert subject.idle == {"idle": subject.commands - 1, "clients": {}, "sent": 0, "open": 0}
    assert subject.ask("advance", seconds=DAY) == []
    subject.ask("open", client="a", session_handler=True)
    assert subject.state == "notLoggedIn"


def test_it_ends_when_it_is_told_to(subject: Adapter) -> None:
    assert subject.process.stdin is not None
    subject.process.stdin.write('{"id": 99, "do": "bye"}\n')
    subject.process.stdin.flush()
    assert subject.process.wait(5) == 0


def test_what_it_cannot_do_is_unsupported(subject: Adapter) -> None:
    events = subject.quiet("renew_now", client="a")
    assert ends(events) == [{"event": "failed", "kind": "unsupported"}]


def test_a_machine_that_slept_looks_once_on_waking(subject: Adapter) -> None:
    subject.login()
    subject.clock.sleep(RENEWAL)
    assert len(renewals(subject.quiet("sleep", seconds=RENEWAL))) == 1


def test_an_access_token_is_renewed_by_its_handler(ts7: Adapter) -> None:
    ts7.open(access_token_handler=True)
    token = ts7.platform.issue_access_token("ann", TokenTerms(lifetime=3600)).reveal()
    events = ts7.quiet("login_with_access_token", client="a", access_token=token)
    assert (states(events), ends(events)) == (["establishing", "established"], [YES])
    [renewal] = renewals(ts7.advance(3000))
    token = ts7.platform.issue_access_token("ann").reveal()
    events = ts7.answer(renewal, "access_token", access_token=token)
    assert (states(events), ends(events)) == ([], [DONE])
    assert ends(ts7.quiet("call", client="a", path="/api/v3/channels")) == [{"event": "done", "value": 200}]
    [call] = ts7.platform.requests_to(Endpoint.GET_CHANNELS)
    assert call.access_token is not None
    assert call.access_token.reveal() == token


def test_visitors_and_bots_log_in(ts7: Adapter) -> None:
    ts7.open()
    for do in ("login_as_bot", "logout", "login_as_visitor"):
        assert YES in ends(ts7.quiet(do, client="a"))
    assert ts7.state == "established"


def test_a_visitor_shows_what_the_backend_signed(ts7: Adapter) -> None:
    ts7.platform.rules.signed_visitors = True
    ts7.open()
    device_id = ts7.idle["clients"]["a"]["device_id"]
    until = ts7.clock.now() + 3600
    signed = sign_visitor(device_id, ts7.platform.visitor_secret, until)
    shown: dict[str, Any] = {"auth_signature": signed.signature.reveal()}
    assert YES not in ends(ts7.quiet("login_as_visitor", client="a"))
    for expires_at in (signed.expires_at, until):
        shown["auth_signature_expires_at"] = expires_at
        assert ends(ts7.quiet("login_as_visitor", client="a", **shown)) == [YES]


# ── Known bugs ──────────────────────────────────────────────────────────────────────────────────


def test_b1_a_login_that_is_answered_after_logout_logs_in(subject: Adapter) -> None:
    hold = subject.platform.hold(Endpoint.LOGIN, carried_out=True)
    token = subject.platform.issue_auth_token("ann").reveal()
    assert states(subject.ask("login", client="a", user_id="ann", auth_token=token)) == ["establishing"]
    hold.arrived.wait(5)
    subject.quiet("logout", client="a", held=1)
    hold.release()
    subject.quiet("settle")
    assert subject.state == "established"


def test_b4_a_failed_login_leaves_it_establishing(subject: Adapter) -> None:
    events = subject.quiet("login", client="a", user_id="ann", auth_token="made up")
    assert states(events) == ["establishing", "notLoggedIn"]
    assert subject.state == "establishing"


def test_b2_an_expired_token_is_not_told_of_but_in_passing(subject: Adapter) -> None:
    subject.platform.rules.terms = TokenTerms(lifetime=3600)
    subject.login()
    subject.advance(3000)
    assert states(subject.advance(TEN_MINUTES)) == ["tokenExpired", "notLoggedIn"]


def test_b5_a_failed_renewal_leaves_a_good_session_establishing(subject: Adapter) -> None:
    subject.login()
    [renewal] = renewals(subject.advance(RENEWAL))
    subject.platform.fail(Endpoint.LOGIN, faults.server_error(503))
    events = subject.answer(renewal, "auth_token", auth_token="x")
    assert [event["event"] for event in events if event["event"] == "uncaught"] == ["uncaught"]
    assert subject.state == "establishing"


def test_b9_each_login_looks_after_the_token_once_more(subject: Adapter) -> None:
    subject.login()
    subject.quiet("logout", client="a")
    subject.login()
    assert len(renewals(subject.advance(RENEWAL))) == 2


def test_b14_a_call_that_is_refused_for_another_reason_ends_the_session(subject: Adapter) -> None:
    subject.login()
    subject.platform.fail(Endpoint.GET_CHANNELS, faults.unauthorized())
    events = subject.quiet("call", client="a", path="/api/v3/channels")
    assert (states(events), ends(events)) == (["terminated"], [{"event": "done", "value": 401}])


def test_b7_after_another_login_it_does_not_hear_of_a_ban(subject: Adapter) -> None:
    subject.login()
    assert states(subject.hear("user.didGlobalBan")) == ["terminated"]
    subject.login()
    assert states(subject.hear("user.didGlobalBan")) == []


def test_b17_a_terminated_session_stays_so_after_logout(subject: Adapter) -> None:
    subject.login()
    subject.hear("user.deleted")
    assert ends(subject.quiet("logout", client="a")) == [YES]
    assert subject.state == "terminated"


def test_b24_a_second_client_is_the_first(subject: Adapter) -> None:
    subject.open("b")
    subject.login()
    assert {its["state"] for its in subject.idle["clients"].values()} == {"established"}


def test_b18_a_resumed_session_is_never_established(packages: Path, tmp_path: Path, ts7: Adapter) -> None:
    ts7.open()
    ts7.login()
    ts7.process.kill()
    with started(packages, "ts7") as ts7.process:
        ts7.begin(keep=True)
        sent = len(ts7.platform.requests)
        events = ts7.ask("open", client="a", session_handler=True)
        while not ends(events):
            events += ts7.ask("settle")
        assert (states(events), ends(events), ts7.state) == (["establishing"], [YES], "establishing")
        assert [request.endpoint for request in ts7.platform.requests[sent:]] == [
            Endpoint.VERIFY,
            Endpoint.GET_USER,
            Endpoint.GET_SETTINGS,
        ]
