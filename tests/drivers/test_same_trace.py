"""The same script gives the same trace from the bare core and from every driver: step by step, snapshot
by snapshot, with what is stored, told, hooked, sent and asked, in order."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from splus_session import AccessToken, Credential, Failure, FailureKind
from splus_session.ports import Answer
from tests.drivers.faces import Face, face_of
from tests.drivers.lives import jwt, life
from tests.drivers.play import Play
from tests.drivers.script import START, Act, Answered, Bare, Call, Pass, Register, Reply, Tell

HOUR = 3600.0


def token(number: int, at: float = START, user_id: str = "ann", lifetime: float = HOUR) -> Answer:
    """An answer that brings a token."""
    return Answer(Credential(AccessToken(f"token-{number}"), user_id, at, at + lifetime))


def failure(kind: FailureKind, status: int | None = None) -> Answer:
    return Answer(failure=Failure(kind, status))


LOGIN = Call("login", ("ann",), {"auth_token": "an-auth-token"})
LOGGED_IN: list[Act] = [LOGIN, Reply(0, token(1))]
SEEDS = range(48)
DOWN = failure(FailureKind.UNREACHABLE)

SCENARIOS: dict[str, list[Act]] = {
    "a whole life": [
        *LOGGED_IN,
        Call("authorization"),
        Pass(3300.0),
        Answered(0, "renew_with_auth_token", ("second",)),
        Reply(0, token(2, START + 3300)),
        Pass(HOUR),
        Call("authorization"),
        Answered(1, "renew"),
        Reply(0, token(3, START + 3300 + HOUR)),
        Call("secure_logout"),
        Reply(0, Answer()),
    ],
    "everybody waits for one renewal, and shares its failure": [
        *LOGGED_IN,
        Pass(HOUR),
        *[Call("authorization")] * 5,
        Call("renew_now"),
        Answered(0, "unable_to_retrieve_auth_token"),
        Call("authorization"),
        Call("renew_now"),
        Answered(1, "renew_with_auth_token", ("third",)),
        Reply(0, DOWN),
        Pass(2.0),
        Reply(0, token(2, START + HOUR)),
    ],
    "answers that come too late": [
        LOGIN,
        Call("authorization"),
        Call("logout"),
        LOGIN,
        Reply(0, token(1)),
        Reply(0, token(2)),
        Pass(HOUR),
        Call("logout"),
        Answered(0, "renew"),
        Reply(0, Answer()),
    ],
    "a ban while a renewal is out": [
        *LOGGED_IN,
        Pass(HOUR),
        Call("authorization"),
        Answered(0, "renew"),
        Tell("note_ban", ("mallory",)),
        Tell("note_ban", ("ann",)),
        Reply(0, token(2)),
        Call("authorization"),
        Call("logout"),
        *LOGGED_IN,
    ],
    "rejections, sorted out by one verification": [
        *LOGGED_IN,
        *[Call("report_rejected", (1,))] * 3,
        Reply(0, failure(FailureKind.UNAVAILABLE, 503)),
        *[Call("report_rejected", (1,))] * 3,
        Reply(0, failure(FailureKind.UNAUTHORIZED, 401)),
        Call("authorization"),
        Answered(0, "renew"),
        Reply(0, token(2)),
        Call("report_rejected", (1,)),
    ],
    "a secure logout in doubt, joined, and overtaken": [
        *LOGGED_IN,
        Call("secure_logout"),
        Call("secure_logout"),
        Call("authorization"),
        Reply(0, failure(FailureKind.UNAUTHORIZED, 401)),
        Reply(0, Answer()),
        Call("secure_logout"),
        Pass(HOUR),
        Call("authorization"),
        Call("logout"),
        Reply(0, Answer()),
    ],
    "the clock is set back during a renewal": [
        *LOGGED_IN,
        Pass(HOUR),
        Pass(-1800.0, jump=True),
        Pass(59.0),
        Pass(1.0),
        Pass(600.0),
    ],
    "access tokens of the customer's own": [
        Register("access_token_handler", False),
        Call("login_with_access_token", (jwt("ann", 1, START, HOUR),)),
        Register("access_token_handler", True),
        Call("login_with_access_token", (jwt("ann", 2, START, HOUR),)),
        Reply(0, Answer(Credential(AccessToken(jwt("ann", 2, START, HOUR)), "ann", START, START + HOUR))),
        Pass(HOUR),
        Answered(0, "return", (jwt("mallory", 3, START + HOUR, HOUR),)),
        Call("renew_now"),
        Answered(1, "return", (jwt("ann", 4, START + HOUR, HOUR),)),
        Reply(0, DOWN),
        Pass(1.0),
    ],
    "a handler of its own, and none": [
        Register("session_handler", False),
        Call("login", ("ann",), {"auth_token": "t"}, own_handler=True),
        Reply(0, token(1)),
        Pass(HOUR),
        Answered(0, "renew"),
        Reply(0, token(2, START + HOUR)),
        Call("logout"),
        LOGIN,
        Reply(0, token(3, START + HOUR)),
        Pass(HOUR),
        Call("authorization"),
        Call("renew_now"),
    ],
}


@pytest.fixture(scope="module")
def faces() -> Iterator[list[Face]]:
    with ExitStack() as stack:
        yield [stack.enter_context(face_of(name)) for name in ("asyncio", "trio", "sync")]


def play_everywhere(script: list[Act], faces: list[Face]) -> list[tuple[str, str]]:
    outcomes = [Play(face).run(script) for face in faces]
    assert outcomes[0] == outcomes[1] == outcomes[2], "every caller hears the same, whatever the driver"
    return outcomes[0]


@pytest.mark.requirement(
    "LOGIN-1", "LOGIN-6", "RENEW-3", "RENEW-8", "RENEW-10", "HANDLER-1", "EXPIRE-1", "EXPIRE-3", "EXPIRE-4", "BAN-3",
    "BAN-5", "LOGOUT-3", "LOGOUT-4", "HOOK-1", "OBSERVE-1", "RESUME-2",
)  # fmt: skip
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_scenario_gives_the_same_trace_from_the_core_and_every_driver(
    scenario: str, faces: list[Face]
) -> None:
    play_everywhere(SCENARIOS[scenario], faces)


@pytest.mark.requirement("RENEW-3", "EXPIRE-5", "HOOK-1", "OBSERVE-1", "RESUME-2", "LOGOUT-4")
@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_life_gives_the_same_trace_from_the_core_and_every_driver(
    seed: int, faces: list[Face]
) -> None:
    play_everywhere(life(seed), faces)


def test_what_became_of_each_caller(faces: list[Face]) -> None:
    outcomes = play_everywhere(SCENARIOS["everybody waits for one renewal, and shares its failure"], faces)
    assert [outcome.partition(":")[0] for _, outcome in outcomes] == [
        "done", *["RenewalFailedError"] * 7, "UnavailableError",
    ]  # fmt: skip


def test_random_lives_get_everywhere() -> None:
    """Nothing above holds vacuously: together, the lives reach what there is to reach."""
    seen: set[str] = set()
    for seed in SEEDS:
        bare = Bare()
        for act in life(seed):
            bare.act(act)
        for step in bare.expected.steps:
            seen.add(type(step.event).__name__ if step.dropped is None else "dropped")
            seen.update(type(command).__name__ for command in step.commands)
    assert seen >= {
        "TokenRenewed", "TokenExpired", "RenewalAnswered", "RenewalUnable", "RenewalFailed", "AnswerOverdue",
        "TokenRevoked", "RevocationFailed", "RevocationDoubted", "UserBanned", "UserDeleted", "TokenRefuted",
        "TokenConfirmed", "TokenOrphaned", "RevokeOrphan", "SecureLogout", "RenewNow", "dropped",
    }, seen  # fmt: skip
