"""One canary value in every secret place; then every error path there is, searched frame by frame."""

import base64
import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType, FunctionType, TracebackType
from typing import Any

import pytest

import splus_session
from splus_session import (
    AccessToken,
    ApiKey,
    AuthSignature,
    AuthToken,
    Credential,
    Event,
    Failure,
    FailureKind,
    SessionCore,
    Snapshot,
    Step,
)
from splus_session import Config as SessionConfig
from splus_session._credentials import Record
from splus_session.ports import Answer
from splus_session.stores import MemoryStore
from splus_session.testing import ManualClock
from tests.drivers.faces import PATIENCE, Face, Log
from tests.drivers.lives import jwt
from tests.drivers.script import START

PACKAGE = str(Path(splus_session.__file__).parent)
CANARY = "kanarienvogel"
HOUR = 3600.0


def shows(value: object) -> bool:
    """Whether printing it shows the canary, as it is or inside a JWT."""
    return any(CANARY in text for text in (repr(value), str(value)))


def frames_of(error: BaseException) -> Iterator[FrameType]:
    """Our package's frames in its traceback, and in those of the errors behind it."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        current = waiting.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        waiting += [current.__cause__, current.__context__]
        frames: TracebackType | None = current.__traceback__
        while frames is not None:
            if frames.tb_frame.f_code.co_filename.startswith(PACKAGE):
                yield frames.tb_frame
            frames = frames.tb_next


def betrays(error: BaseException) -> list[str]:
    """Where an error shows the canary: in its words, its attributes, or a local of a frame of ours."""
    found = [name for name in ("args", "__dict__") if shows(getattr(error, name))]
    if shows(error) or CANARY in "".join(traceback.format_exception(error)):
        found.append("its words")
    for frame in frames_of(error):
        # The fake's client and the tests' own doubles are not of the package that is judged here.
        if Path(frame.f_code.co_filename).is_relative_to(Path(PACKAGE) / "testing"):
            continue
        found += [
            f"{frame.f_code.co_filename}:{frame.f_lineno} {name}"
            for name, value in frame.f_locals.items()
            if shows(value)
        ]
    return found


class Platform:
    """Answers what it is told, in threads and in loops; keeps nothing to itself when it raises."""

    def __init__(self, answers: list[Answer | Exception]) -> None:
        self.answers = answers

    def answer(self) -> Answer:
        answer = self.answers.pop(0) if self.answers else Answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, face: Face) -> Any:
        platform = self

        class Threaded:
            def __getattr__(self, name: str) -> Any:
                return lambda *_, **__: platform.answer()

        class Async:
            def __getattr__(self, name: str) -> Any:
                async def method(*_: Any, **__: Any) -> Answer:
                    return platform.answer()

                return method

        return Threaded() if face.name == "sync" else Async()


def credential(user_id: str = "ann", lifetime: float = HOUR) -> Credential:
    return Credential(AccessToken(f"{CANARY}-access"), user_id, START, START + lifetime)


def failed(kind: FailureKind, *, with_token: bool = False) -> Answer:
    return Answer(credential() if with_token else None, Failure(kind, 400))


class Handlers:
    """Both kinds, and both indiscreet."""

    def __init__(self) -> None:
        self.log = Log()
        self.answer: Callable[[Any], Any] = lambda renewal: None

    def session_will_renew_access_token(self, renewal: Any) -> None:
        self.answer(renewal)
        self.log.add(renewal)

    def on_token_renew(self, user_id: str) -> Any:
        self.log.add(user_id)
        return self.answer(user_id)


class LeakyStore(MemoryStore):
    """Raises with all it knows."""

    def save(self, key: str, record: Record) -> None:
        raise ValueError(record.credential.access_token.reveal())

    def delete(self, key: str) -> None:
        raise ValueError(f"{CANARY}-in-the-message")


TOKEN = f"{CANARY}-auth"
LOGIN: tuple[str, tuple[Any, ...], dict[str, Any]] = ("login", ("ann",), {"auth_token": TOKEN})
GOOD_JWT = jwt("ann", 1, START, HOUR).replace(".mac", f".{CANARY}")


def claiming(claims: dict[str, Any]) -> str:
    """A JWT of a backend that puts more into it than it should."""
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.mac"


NOSY = {"publicUserId": "ann", "refreshToken": CANARY}

BAD_CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("login", ("",), {"auth_token": TOKEN}),
    ("login", (None,), {"auth_token": TOKEN}),
    ("login", ("ann",), {"auth_token": CANARY * 20}),
    ("login", ("ann",), {"auth_token": [TOKEN]}),
    ("login", ("ann",), {"auth_token": TOKEN.encode()}),
    ("login", ("ann",), {"auth_token": AccessToken(TOKEN)}),
    ("login", ("ann",), {"auth_token": TOKEN, "display_name": 7}),
    ("login", ("ann",), {"auth_token": TOKEN, "session_handler": 7}),
    ("login_with_access_token", (TOKEN,), {}),
    ("login_with_access_token", (CANARY * 2000,), {}),
    ("login_with_access_token", ([TOKEN],), {}),
    ("login_with_access_token", (f"e30.{CANARY}.{CANARY}",), {}),
    ("login_with_access_token", (f"e30.W10.{CANARY}",), {}),
    ("login_with_access_token", (jwt("ann", 1, START - 9 * HOUR, HOUR).replace(".mac", f".{CANARY}"),), {}),
    ("login_with_access_token", (jwt("ann", 1, START, -HOUR).replace(".mac", f".{CANARY}"),), {}),
    ("login_with_access_token", (jwt("", 1, START, HOUR).replace(".mac", f".{CANARY}"),), {}),
    ("login_with_access_token", (claiming({"user": {"refreshToken": CANARY}, "exp": 4e9}),), {}),
    ("login_with_access_token", (claiming({"user": NOSY, "iat": 5e9, "exp": 4e9}),), {}),
    ("login_with_access_token", (claiming({"user": NOSY, "iat": CANARY, "exp": 4e9}),), {}),
    ("login_with_access_token", (claiming({"user": NOSY, "exp": {"until": CANARY}}),), {}),
    ("login_with_access_token", (claiming({"user": NOSY, "exp": START - HOUR}),), {}),
    ("login_as_visitor", (), {"auth_signature": CANARY}),
    ("login_as_visitor", (), {"auth_signature": CANARY * 2000, "auth_signature_expires_at": "9999"}),
    ("login_as_visitor", (), {"auth_signature": [CANARY], "auth_signature_expires_at": "9999"}),
    ("login_as_visitor", (), {"auth_signature": CANARY, "auth_signature_expires_at": 7}),
]


class Noting(SessionCore):
    """A core that writes its steps down."""

    def __init__(self, steps: list[Step], snapshot: Snapshot) -> None:
        super().__init__()
        self.snapshot, self.steps = snapshot, steps

    def receive(self, event: Event, now: float) -> list[Step]:
        taken = super().receive(event, now)
        self.steps += taken
        return taken


class Scene:
    """A session with the canary everywhere, at DEBUG."""

    def __init__(self, face: Face, answers: list[Answer | Exception], **arguments: Any) -> None:
        self.face, self.clock, self.handlers = face, ManualClock(START), Handlers()
        self.heard = Log()
        arguments = {
            "api_key": f"{CANARY}-key",
            "platform": Platform(answers).client(face),
            "clock": self.clock,
            "session_handler": self.handlers,
            "access_token_handler": self.handlers,
            "hooks": {"on_login": face.callback(self.heard.add)},
            **arguments,
        }
        self.session = face.make(**arguments)

    def error(self, method: str, *arguments: Any, **named: Any) -> BaseException:
        error = self.face.start(self.session, method, *arguments, **named).exception(PATIENCE)
        assert error is not None, method
        return error


@pytest.fixture(autouse=True)
def discreet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does: no log record shows the canary, nor does one's traceback."""
    caplog.set_level(logging.DEBUG)
    yield
    for record in caplog.get_records("call"):
        if record.name == "splus_session":
            assert not shows(record.getMessage()), record.getMessage()
            assert record.exc_info is None or record.exc_info[1] is None or betrays(record.exc_info[1]) == []


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize("number", range(len(BAD_CALLS)))
def test_a_bad_call_betrays_nothing(number: int, face: Face) -> None:
    method, arguments, named = BAD_CALLS[number]
    scene = Scene(face, [])
    with face.open(scene.session):
        error = scene.error(method, *arguments, **named)
    assert list(frames_of(error)), "there are frames to search"
    assert betrays(error) == []


@pytest.mark.requirement("SECRET-1")
@pytest.mark.parametrize(
    "answer",
    [
        *(failed(kind) for kind in FailureKind if kind.name != "NO_HANDLER"),
        *(failed(kind, with_token=True) for kind in (FailureKind.BANNED, FailureKind.DELETED)),
        Answer(credential("mallory")),
        Answer(credential(lifetime=0.0)),
        Answer(),
        ValueError(f"{CANARY} in an adapter's message"),
    ],
    ids=lambda answer: type(answer).__name__ if isinstance(answer, Exception) else str(answer.failure),
)
def test_a_failed_login_betrays_nothing(answer: Answer | Exception, face: Face) -> None:
    scene = Scene(face, [answer, Answer()])
    with face.open(scene.session):
        error = scene.error(*LOGIN[:1], *LOGIN[1], **LOGIN[2])
    assert betrays(error) == []


@pytest.mark.requirement("SECRET-1")
def test_a_session_its_steps_and_its_refusals_betray_nothing(face: Face) -> None:
    steps: list[Any] = []
    scene = Scene(
        face, [Answer(credential()), failed(FailureKind.UNAVAILABLE), failed(FailureKind.UNREACHABLE)]
    )
    scene.session._engine._core = Noting(steps, scene.session._engine._core.snapshot)
    errors: list[BaseException] = []
    with face.open(scene.session):
        assert not shows(scene.session)
        face.call(scene.session, LOGIN[0], *LOGIN[1], **LOGIN[2])
        header = face.call(scene.session, "authorization")
        assert CANARY in header.header
        assert not shows(header)
        snapshot = scene.session._engine.snapshot
        assert not shows(snapshot)
        assert not shows(snapshot.credential)
        errors.append(scene.error(LOGIN[0], *LOGIN[1], **LOGIN[2]))
        errors.append(scene.error("secure_logout"))
        scene.handlers.answer = lambda renewal: renewal.renew_with_auth_token(TOKEN)
        errors.append(scene.error("renew_now"))
        scene.clock.advance(HOUR)
        errors.append(scene.error("authorization"))
        scene.session.note_ban("ann")
        errors.append(scene.error("authorization"))
        for call in scene.heard:
            assert not shows(call)
    errors.append(scene.error("authorization"))
    assert [betrays(error) for error in errors] == [[]] * 6
    assert len(steps) > 8
    for step in steps:
        assert not any(shows(each) for each in (step, step.event, step.before, step.after, *step.commands))
    assert not shows(scene.session)
    assert not shows(scene.session._engine)
    assert not any(shows(value) for value in vars(scene.session).values())


BAD_ANSWERS: list[Callable[[Any], object]] = [
    lambda renewal: renewal.renew_with_auth_token(CANARY * 20),
    lambda renewal: renewal.renew_with_auth_token([CANARY]),
    lambda renewal: renewal.renew_with_auth_token(AccessToken(CANARY)),
    lambda renewal: renewal.renew_with_auth_signature(CANARY, "9999-01-01"),
    lambda renewal: renewal.renew_with_auth_signature(AuthSignature(CANARY), None),
    lambda renewal: renewal.renew_with_auth_signature([CANARY], "9999-01-01"),
]


@pytest.mark.requirement("SECRET-1", "RENEW-6")
@pytest.mark.parametrize("number", range(len(BAD_ANSWERS)))
def test_a_handlers_bad_answer_betrays_nothing(number: int, face: Face) -> None:
    raised: list[BaseException] = []
    done = threading.Event()

    def answer(renewal: Any) -> None:
        assert not shows(renewal)
        try:
            BAD_ANSWERS[number](renewal)
        except Exception as error:
            raised.append(error)
            done.set()
            raise
        finally:
            done.set()

    scene = Scene(face, [Answer(credential())])
    scene.handlers.answer = answer
    with face.open(scene.session):
        face.call(scene.session, LOGIN[0], *LOGIN[1], **LOGIN[2])
        error = scene.error("renew_now")
        assert done.wait(PATIENCE)
    assert betrays(error) == []
    [at_handler] = raised
    assert betrays(at_handler) == []


@pytest.mark.requirement("SECRET-1", "RENEW-6")
@pytest.mark.parametrize(
    "answer", [CANARY, [CANARY], f"e30.{CANARY}.x", jwt("mallory", 1, START, HOUR).replace(".mac", f".{CANARY}"), ValueError(CANARY)], ids=str
)  # fmt: skip
def test_an_access_token_handlers_bad_answer_betrays_nothing(answer: Any, face: Face) -> None:
    def give(user_id: str) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    scene = Scene(face, [Answer(Credential(AccessToken(GOOD_JWT), "ann", START, START + HOUR))])
    scene.handlers.answer = give
    with face.open(scene.session):
        face.call(scene.session, "login_with_access_token", GOOD_JWT)
        error = scene.error("renew_now")
    assert betrays(error) == []


@pytest.mark.requirement("SECRET-1", "LOGOUT-1")
def test_a_leaky_store_betrays_nothing(face: Face) -> None:
    scene = Scene(face, [Answer(credential())], store=LeakyStore())
    with face.open(scene.session):
        face.call(scene.session, LOGIN[0], *LOGIN[1], **LOGIN[2])
        error = scene.error("logout")
    assert betrays(error) == []


@pytest.mark.requirement("SECRET-1", "CLIENT-1")
@pytest.mark.parametrize(
    "arguments",
    [
        {"api_key": f"{CANARY}-key", "region": "mars"},
        {"api_key": f"{CANARY}-key", "endpoint": "ftp://elsewhere"},
        {"api_key": f"{CANARY}-key", "session_handler": 7},
        {"api_key": f"{CANARY}-key", "hooks": {"on_lunch": print}},
        {"api_key": CANARY * 2000},
        {"api_key": [CANARY]},
        {"api_key": AuthToken(CANARY)},
        {"api_key": ApiKey(CANARY), "slot": 7, "store": 7, "region": ""},
    ],
    ids=str,
)
def test_a_session_that_cannot_be_made_betrays_nothing(arguments: dict[str, Any], face: Face) -> None:
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one is told elsewhere
        face.make(**arguments)
    assert betrays(raised.value) == []


@pytest.mark.requirement("SECRET-1", "RESUME-1")
def test_a_session_that_cannot_be_resumed_betrays_nothing(face: Face) -> None:
    store = MemoryStore()
    scene = Scene(face, [Answer(credential())], store=store)
    with face.open(scene.session):
        face.call(scene.session, LOGIN[0], *LOGIN[1], **LOGIN[2])
    again = Scene(face, [], store=store, session_handler=None, config=SessionConfig())
    again.clock.advance(HOUR)
    with pytest.raises(Exception) as raised, face.open(again.session):  # noqa: PT011
        pass
    assert list(frames_of(raised.value))
    assert betrays(raised.value) == []


def test_the_search_finds_what_there_is_to_find() -> None:
    """The search itself can fail: a frame of ours that holds the canary is found."""
    secret = CANARY

    def ours() -> None:
        raise ValueError(len(secret))

    code = ours.__code__.replace(co_filename=f"{PACKAGE}/_made_up.py")
    caught: BaseException | None = None
    try:
        FunctionType(code, globals(), "ours", None, ours.__closure__)()
    except ValueError as error:
        caught = error
    assert caught is not None
    assert [where.rpartition(" ")[2] for where in betrays(caught)] == ["secret"]
    assert sys.exc_info() == (None, None, None)
