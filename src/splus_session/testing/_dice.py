"""Values and sessions, decided by dice: what the strategies of `strategies.py` draw.

The dice are one string of bytes, drawn by Hypothesis in one go. A draw for every decision would
cost some fifty times as much, and Hypothesis would spend five examples of six on exchanging
decisions that look alike to it. Shrinking works byte by byte: zero decides for the first option.
"""

import math
from typing import TypeVar

from splus_session import (
    AccessToken,
    AccessTokenGrant,
    AuthSignature,
    AuthToken,
    AuthTokenGrant,
    BotGrant,
    Config,
    Credential,
    Failure,
    FailureKind,
    Grant,
    Record,
    Retry,
    Revocation,
    ServerClock,
    SessionKind,
    SessionState,
    Snapshot,
    TerminationReason,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._snapshot import Renewal

_T = TypeVar("_T")

EPOCH = 1_750_000_000.0
"""The time around which strategies draw: 2025-06-15, in UTC seconds."""

USERS = ("ann", "bob", "cy")
LIFETIMES = (3600.0, 2_592_000.0, 600.0, 20.0, 1.0, 946_080_000.0)
"""Of tokens, in seconds: from a second to thirty years."""

BUSY_STATES = (*SessionState, SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED)
"""All, and twice those in which most happens."""

_HOUR, _DAY = 3600.0, 86400.0
_OFFSETS = (0.0, 1.0, -40.0, _HOUR, -3 * _DAY)
_KINDS = tuple(SessionKind)
_NAMELESS = {SessionKind.VISITOR, SessionKind.SIGNED_VISITOR, SessionKind.BOT}
_COMMON_CONFIGS = (Config(), Config(development=True, jitter=0.0))


class Dice:
    """Decides, byte by byte. When the bytes are used up, everything is zero: the first option."""

    def __init__(self, data: bytes) -> None:
        self._bytes = iter(data)

    def below(self, count: int) -> int:
        """A number from 0 up to `count`, which is at most 256."""
        return next(self._bytes, 0) % count

    def pick(self, options: tuple[_T, ...]) -> _T:
        """One of them."""
        return options[self.below(len(options))]

    def flag(self) -> bool:
        """Yes or no."""
        return self.below(2) == 1

    def rarely(self) -> bool:
        """Yes, once in six times."""
        return self.below(6) == 5

    def number(self, size: int) -> int:
        """A number of `size` bytes."""
        return int.from_bytes(bytes(self.below(256) for _ in range(size)), "big")

    def moment(self) -> float:
        """A time within some weeks of `EPOCH` (UTC seconds), in quarters."""
        return EPOCH + (self.number(3) - (8_388_608 if self.flag() else 0)) / 4


# ── Plain values ────────────────────────────────────────────────────────────────────────────────


def draw_grant(dice: Dice, kind: SessionKind, user: str, credential: Credential) -> Grant:
    """What a session of this kind presents."""
    match kind:
        case SessionKind.AUTH_TOKEN:
            return AuthTokenGrant(user, AuthToken("auth"))
        case SessionKind.DEVELOPMENT:
            return UserIdGrant(user)
        case SessionKind.ACCESS_TOKEN:
            return AccessTokenGrant(credential)
        case SessionKind.VISITOR:
            return VisitorGrant()
        case SessionKind.SIGNED_VISITOR:
            return VisitorGrant(AuthSignature("signed"))
        case SessionKind.BOT:
            return BotGrant()


def draw_credential(dice: Dice, now: float, user_id: str | None) -> Credential:
    lifetime = dice.pick(LIFETIMES)
    age = lifetime * dice.pick((0.0, 0.5, 0.75, 0.875, 1.0, 1.25))
    user = dice.pick(USERS) if user_id is None else user_id
    issued_at = now - age
    return Credential(
        draw_access_token(dice), user, issued_at, None if dice.rarely() else issued_at + lifetime
    )


def draw_access_token(dice: Dice) -> AccessToken:
    return AccessToken(f"access-{dice.below(100)}")


def draw_record(dice: Dice, now: float) -> Record:
    offset = dice.pick(_OFFSETS)
    return Record(dice.pick(_KINDS), draw_credential(dice, now + offset, None), dice.flag(), offset)


def draw_failure(dice: Dice, kinds: tuple[FailureKind, ...] = tuple(FailureKind)) -> Failure:
    retry_after = dice.pick((None, None, 2.0, _HOUR, math.inf, -1.0))
    return Failure(dice.pick(kinds), retry_after=retry_after)


def draw_clock(dice: Dice, now: float, offset: float) -> ServerClock:
    sent_at = now - dice.pick((0.25, 0.0, 30.0, -5.0))
    ahead = dice.pick((offset, *_OFFSETS))
    return ServerClock(math.floor(sent_at + ahead), sent_at)


def draw_config(dice: Dice) -> Config:
    if not dice.rarely():
        return dice.pick(_COMMON_CONFIGS)
    return Config(
        development=dice.flag(),
        renewal_share=dice.pick((0.8, 0.1, 1.0)),
        margin=dice.pick((300.0, 0.0, _DAY)),
        jitter=dice.pick((0.05, 0.0, 0.5)),
        leeway=dice.pick((35.0, 0.0, _DAY)),
        answer_timeout=dice.pick((60.0, 0.25, _DAY)),
        pause=dice.pick((600.0, 0.25, _DAY)),
        backoff=dice.pick((1.0, 0.25, _DAY)),
        auth_token_lifetime=dice.pick((600.0, 0.0, _DAY)),
        wait_limit=dice.pick((30.0, 0.25, _DAY)),
    )


# ── Sessions ────────────────────────────────────────────────────────────────────────────────────


def draw_snapshot(dice: Dice, states: tuple[SessionState, ...]) -> Snapshot:
    state = dice.pick(states)
    numbers = _Numbers(dice)
    common: dict[str, object] = {
        "config": draw_config(dice),
        "seed": dice.number(8),
        "state": state,
        "now": dice.moment(),
        "offset": dice.pick(_OFFSETS),
        "session": numbers.some(),
        "session_handler": dice.flag(),
        "access_token_handler": dice.flag(),
    }
    match state:
        case SessionState.NOT_LOGGED_IN:
            if dice.rarely():  # nothing has happened yet
                common |= {"now": -math.inf, "session": 0}
                numbers.last = 0
            own: dict[str, object] = {}
        case SessionState.TERMINATED:
            own = {"ended": dice.pick(tuple(TerminationReason))}
        case SessionState.ESTABLISHING:
            numbers.next()
            kind = dice.pick(_KINDS)
            user = None if kind in _NAMELESS else dice.pick(USERS)
            own = {"session": numbers.last, "kind": kind, "user_id": user}
            own["own_handler"] = dice.flag()
        case SessionState.ESTABLISHED | SessionState.TOKEN_EXPIRED:
            numbers.next()
            own = draw_in_session(dice, state, numbers, common)
    if state is not SessionState.ESTABLISHING and common["session"] != 0:
        numbers.skip()
    return Snapshot(**{**common, **own, "attempt": numbers.last})  # type: ignore[arg-type]


def draw_in_session(
    dice: Dice, state: SessionState, numbers: "_Numbers", common: dict[str, object]
) -> dict[str, object]:
    """What a session has while it is `established` or `tokenExpired`."""
    config, now, offset = common["config"], common["now"], common["offset"]
    assert isinstance(config, Config)  # noqa: S101 - for the type checker
    assert isinstance(now, float)  # noqa: S101
    assert isinstance(offset, float)  # noqa: S101
    own: dict[str, object] = {"session": numbers.last, "own_handler": dice.flag()}
    credential = draw_credential(dice, now + offset, None)
    kind = dice.pick(_KINDS)
    numbers.skip()
    own |= {"kind": kind, "user_id": credential.user_id, "credential": credential}
    own["credential_attempt"] = numbers.last
    if credential.expires_at is not None:
        window = config.renewal_share * (credential.lifetime - min(config.margin, credential.lifetime / 10))
        own["renew_at"] = credential.issued_at + window * (1 - config.jitter * dice.pick((0.0, 0.5)))
    if state is SessionState.ESTABLISHED and dice.flag():
        own["verification"] = numbers.next()
    revoking = dice.pick((None, None, "waiting", "sent", "checking"))
    renewing = dice.pick((None, "retry", "sent", "asking"))
    grant = draw_grant(
        dice, kind, credential.user_id, draw_credential(dice, now + offset, credential.user_id)
    )
    obtained_at = now - dice.pick((0.0, 1.0, config.auth_token_lifetime, 2 * _DAY))
    failed = dice.pick((0, 1, 2, 9, 63, 2_000))
    if renewing == "retry":
        kept = grant if dice.flag() else None
        failure = None if dice.rarely() else draw_failure(dice)
        at = now + (0.0 if failure is None else config.pause * dice.pick((1.0, 0.5, 0.0, -1.0)))
        own["retry"] = Retry(at, failed, failure, kept, obtained_at if kept else 0.0)
    elif renewing == "sent" and revoking in {None, "waiting"}:
        own["renewal"] = Renewal(numbers.next(), failed, None, grant, obtained_at)
    elif renewing == "asking" and revoking is None:
        deadline = now + config.answer_timeout * dice.pick((1.0, 0.5, 0.0, -1.0))
        own["renewal"] = Renewal(numbers.next(), failed, deadline)
    if revoking is not None:
        attempt = numbers.next()
        deadline = now + config.wait_limit * dice.pick((1.0, 0.5, 0.0, -1.0))
        check = numbers.next() if revoking == "checking" else None
        own["revocation"] = Revocation(attempt, deadline, revoking != "waiting", check)
    return own


class _Numbers:
    """Gives out numbers of attempts, with gaps."""

    def __init__(self, dice: Dice) -> None:
        self.last = 0
        self._dice = dice

    def some(self) -> int:
        """The first one of all."""
        self.last = self._dice.below(3)
        return self.last

    def skip(self) -> None:
        """Leave out none, one or some."""
        self.last += self._dice.below(3)

    def next(self) -> int:
        """One that was not there yet."""
        self.skip()
        self.last += 1
        return self.last
