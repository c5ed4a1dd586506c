"""The platform as a session sees it, without sockets: both ports, both loops, no time but the clock's."""

import threading

import anyio
import pytest

from splus_session import ports
from splus_session._answers import Answer
from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    Grant,
    UserIdGrant,
    VisitorGrant,
    credential_from_jwt,
)
from splus_session._failures import FailureKind
from splus_session._secrets import AccessToken
from splus_session.testing import Endpoint, FakePlatform, ManualClock, faults


def kind(answer: Answer) -> FailureKind | None:
    return None if answer.failure is None else answer.failure.kind


def credential(answer: Answer) -> Credential:
    assert answer.failure is None
    assert answer.credential is not None
    return answer.credential


@pytest.fixture(params=["sync", "async"])
def opened(request: pytest.FixtureRequest, platform: FakePlatform) -> "Opened":
    return Opened(platform, is_async=request.param == "async")


class Opened:
    """Either port, called the same way."""

    def __init__(self, platform: FakePlatform, is_async: bool) -> None:
        self.sync: ports.Platform = platform.client()
        self.aio: ports.AsyncPlatform = platform.async_client()
        self.is_async = is_async

    def open_session(self, grant: Grant, device_id: str = "d") -> Answer:
        if not self.is_async:
            return self.sync.open_session(grant, device_id=device_id)
        return anyio.run(lambda: self.aio.open_session(grant, device_id=device_id))

    def verify(self, token: AccessToken) -> Answer:
        return anyio.run(self.aio.verify, token) if self.is_async else self.sync.verify(token)

    def revoke(self, token: AccessToken) -> Answer:
        return anyio.run(self.aio.revoke, token) if self.is_async else self.sync.revoke(token)

    def close(self) -> None:
        anyio.run(self.aio.aclose) if self.is_async else self.sync.close()


def test_every_kind_of_grant_opens_a_session(opened: Opened, platform: FakePlatform) -> None:
    ann = credential(opened.open_session(AuthTokenGrant("ann", platform.issue_auth_token("ann"), "Ann")))
    assert (ann.user_id, ann.expires_at) == ("ann", platform.now() + 30 * 24 * 3600)
    assert platform.user("ann").display_name == "Ann"
    assert kind(opened.open_session(UserIdGrant("ann"))) is FailureKind.REFUSED
    platform.rules.secure_mode = False
    assert credential(opened.open_session(UserIdGrant("bob"))).user_id == "bob"
    assert credential(opened.open_session(VisitorGrant())).user_id.startswith("visitor-")
    assert credential(opened.open_session(BotGrant())).user_id.startswith("bot-")
    brought = credential_from_jwt(platform.issue_access_token("eve"), 0)
    assert credential(opened.open_session(AccessTokenGrant(brought))) == brought


def test_a_token_is_verified_revoked_and_dead(opened: Opened, platform: FakePlatform) -> None:
    token = credential(opened.open_session(BotGrant())).access_token
    assert kind(opened.verify(token)) is None
    assert kind(opened.revoke(token)) is None
    assert kind(opened.revoke(token)) is FailureKind.UNAUTHORIZED
    assert kind(opened.verify(token)) is FailureKind.UNAUTHORIZED
    opened.close()


def test_answers_bring_the_platforms_clock_and_the_clients(
    opened: Opened, platform: FakePlatform, clock: ManualClock
) -> None:
    clock.jump(-5000)
    platform.clock_offset = 100
    told = opened.open_session(BotGrant()).clock
    assert told is not None
    assert (told.date, told.sent_at) == (platform.now(), clock.now())
    assert told.date - told.sent_at == 5100


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (faults.drop(), FailureKind.UNREACHABLE),
        (faults.drop(carried_out=True), FailureKind.UNREACHABLE),
        (faults.cut_short(), FailureKind.UNREACHABLE),
        (faults.server_error(503), FailureKind.UNAVAILABLE),
        (faults.rate_limited(3), FailureKind.RATE_LIMITED),
        (faults.malformed(), FailureKind.MALFORMED),
        (faults.not_an_object(), FailureKind.MALFORMED),
        (faults.huge(), FailureKind.MALFORMED),
        (faults.deep(), FailureKind.MALFORMED),
        (faults.unauthorized(), FailureKind.REFUSED),
        (faults.redirect("https://elsewhere.example/"), FailureKind.MALFORMED),
        (faults.flagged("isGlobalBan"), FailureKind.BANNED),
        (faults.flagged("isGlobalBanned"), FailureKind.BANNED),
        (faults.flagged("isDeleted"), FailureKind.DELETED),
        (faults.wrong_user("mallory"), FailureKind.WRONG_USER),
    ],
)
def test_a_fault_is_a_failure_of_its_kind(
    fault: faults.Fault, expected: FailureKind, opened: Opened, platform: FakePlatform
) -> None:
    platform.rules.secure_mode = False
    platform.fail(Endpoint.LOGIN, fault)
    assert kind(opened.open_session(UserIdGrant("ann"))) is expected
    assert kind(opened.open_session(UserIdGrant("ann"))) is None


# ── Waiting ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.anyio
async def test_a_held_request_holds_up_its_task_alone(platform: FakePlatform) -> None:
    client = platform.async_client()
    hold = platform.hold(Endpoint.BOT_LOGIN)
    answers: list[Answer] = []

    async def ask(device_id: str) -> None:
        answers.append(await client.open_session(BotGrant(), device_id=device_id))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, "held")
        await hold.arrived
        await ask("free")
        assert [answer.failure for answer in answers] == [None]
        assert [request.carried_out for request in platform.requests] == [False, True]
        hold.release()
    assert [answer.failure for answer in answers] == [None, None]


@pytest.mark.anyio
@pytest.mark.parametrize("carried_out", [False, True])
async def test_whoever_is_cancelled_meanwhile_leaves(platform: FakePlatform, carried_out: bool) -> None:
    hold = platform.hold(Endpoint.BOT_LOGIN, carried_out=carried_out)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: platform.async_client().open_session(BotGrant(), device_id="d"))
        await hold.arrived
        tasks.cancel_scope.cancel()
    hold.release()
    [request] = platform.requests
    assert (request.carried_out, request.status) == (carried_out, None)


@pytest.mark.anyio
@pytest.mark.parametrize("fault", [faults.delay(31), faults.delay(31, carried_out=True), faults.drip(1, 0.1)])
async def test_a_request_takes_no_longer_than_its_timeout(
    fault: faults.Fault, platform: FakePlatform, clock: ManualClock
) -> None:
    platform.fail(Endpoint.BOT_LOGIN, fault)
    answers: list[Answer] = []

    async def ask() -> None:
        answers.append(await platform.async_client(timeout=30).open_session(BotGrant(), device_id="d"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        await anyio.wait_all_tasks_blocked()
        clock.advance(29)
        await anyio.wait_all_tasks_blocked()
        assert answers == []
        clock.advance(1)
    assert [kind(answer) for answer in answers] == [FailureKind.UNREACHABLE]


@pytest.mark.anyio
async def test_a_slow_answer_within_the_timeout_is_an_answer(
    platform: FakePlatform, clock: ManualClock
) -> None:
    platform.fail(Endpoint.BOT_LOGIN, faults.delay(10), faults.delay(10, carried_out=True))
    answers: list[Answer] = []

    async def ask() -> None:
        answers.append(await platform.async_client(timeout=30).open_session(BotGrant(), device_id="d"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask)
        for _ in range(2):
            await anyio.wait_all_tasks_blocked()
            assert answers == []
            clock.advance(10)
    assert [kind(answer) for answer in answers] == [None]


def test_threads_wait_likewise(platform: FakePlatform, clock: ManualClock) -> None:
    hold = platform.hold(Endpoint.BOT_LOGIN)
    answers: list[Answer] = []
    client = platform.client(timeout=30)
    thread = threading.Thread(
        target=lambda: answers.append(client.open_session(BotGrant(), device_id="d")), daemon=True
    )
    thread.start()
    hold.arrived.wait()
    clock.advance(30)
    thread.join(30)
    assert [kind(answer) for answer in answers] == [FailureKind.UNREACHABLE]
    assert not platform.requests[0].carried_out
