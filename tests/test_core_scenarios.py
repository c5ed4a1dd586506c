"""The catalogue's sentences, one by one, as far as a core without I/O can show them."""

from typing import Any

import attrs
import pytest

from splus_session import _rules
from splus_session._commands import (
    Announce,
    AskRenewal,
    Change,
    Command,
    HookCall,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    Revoke,
    RevokeOrphan,
    RunHook,
    Verify,
)
from splus_session._core import NOT_ALLOWED, Denied, Granted, Waiting
from splus_session._credentials import (
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Grant,
    Record,
    SessionKind,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._events import (
    Event,
    HandlersChanged,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginFailed,
    LoginWithAccessToken,
    Logout,
    RenewalAnswered,
    RenewalDue,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    Resume,
    RevocationDoubted,
    RevocationFailed,
    SecureLogout,
    ServerClock,
    SessionOpened,
    TokenConfirmed,
    TokenOrphaned,
    TokenRefuted,
    TokenRejected,
    TokenRenewed,
    TokenRevoked,
    UserBanned,
    UserDeleted,
    VerificationFailed,
)
from splus_session._failures import RETRYABLE, Failure, FailureKind
from splus_session._secrets import AuthSignature, AuthToken
from splus_session._states import ChangeReason, SessionState, TerminationReason
from tests.lives import AUTH_TOKEN, DAY, HOUR, START, YEAR, Life, credential

NOT_LOGGED_IN, ESTABLISHING = SessionState.NOT_LOGGED_IN, SessionState.ESTABLISHING
ESTABLISHED, TOKEN_EXPIRED = SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED
TERMINATED = SessionState.TERMINATED

near: Any = pytest.approx  # it stands where a float does
FRESH = AuthTokenGrant("user-1", AuthToken("a fresh word"))
LOGINS: list[Event] = [
    Login("user-1", AUTH_TOKEN),
    LoginWithAccessToken(credential()),
    LoginAsVisitor(),
    LoginAsBot(),
    Resume(Record(SessionKind.AUTH_TOKEN, credential(), expired=False)),
]


def failure(kind: FailureKind, retry_after: float | None = None) -> Failure:
    return Failure(kind, retry_after=retry_after)


def name(something: object) -> str:
    return type(something).__name__


def establishing() -> Life:
    life = Life(tokens=True)
    life.tell(Login("user-1", AUTH_TOKEN))
    return life


def established() -> Life:
    return Life(tokens=True).log_in()


def token_expired() -> Life:
    """The token is dead, and the handler has been asked."""
    return Life(tokens=True, answer_timeout=DAY).log_in().expire()


def terminated() -> Life:
    life = established()
    life.tell(UserBanned())
    return life


def asked() -> Life:
    """Renewal is due and the handler has been asked: attempt 2."""
    life = established()
    assert life.until_due() == [AskRenewal(2)]
    return life


def renewing() -> Life:
    """The handler has answered and the platform has not: attempt 2."""
    life = asked()
    assert life.tell(RenewalAnswered(2, FRESH)) == [Renew(2, FRESH)]
    return life


def revoking() -> Life:
    """A secure logout has asked the platform: attempt 2."""
    life = established()
    assert life.tell(SecureLogout()) == [Revoke(2, credential())]
    return life


def of_user(life: Life) -> list[object]:
    """What the core keeps of a user."""
    now = life.snapshot
    return [
        now.kind,
        now.user_id,
        now.credential,
        now.renew_at,
        now.renewal,
        now.retry,
        now.verification,
        now.revocation,
    ]


def assert_forgotten(life: Life) -> None:
    assert of_user(life) == [None] * 8
    assert not life.snapshot.own_handler
    assert life.snapshot.credential_attempt == 0
    assert life.core.deadline is None


# ── Login ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGIN-1", "RESUME-1")
@pytest.mark.parametrize("login", LOGINS, ids=name)
@pytest.mark.parametrize("elsewhere", [establishing, established, token_expired, terminated])
def test_no_login_is_possible_but_while_not_logged_in(login: Event, elsewhere: Any) -> None:
    assert elsewhere().drop(login) == NOT_ALLOWED


@pytest.mark.requirement("LOGIN-1", "LOGIN-8")
@pytest.mark.parametrize(
    ("login", "grant", "kind"),
    [
        (
            Login("user-1", AUTH_TOKEN, "John"),
            AuthTokenGrant("user-1", AUTH_TOKEN, "John"),
            SessionKind.AUTH_TOKEN,
        ),
        (Login("user-1"), UserIdGrant("user-1"), SessionKind.DEVELOPMENT),
        (LoginWithAccessToken(credential()), AccessTokenGrant(credential()), SessionKind.ACCESS_TOKEN),
        (LoginAsVisitor(), VisitorGrant(), SessionKind.VISITOR),
        (
            LoginAsVisitor(AuthSignature("signed"), "2099-01-01"),
            VisitorGrant(AuthSignature("signed"), "2099-01-01"),
            SessionKind.SIGNED_VISITOR,
        ),
        (LoginAsBot(), BotGrant(), SessionKind.BOT),
    ],
    ids=lambda value: name(value),
)
def test_every_login_moves_to_establishing_and_presents_its_grant_once(
    login: Event, grant: Grant, kind: SessionKind
) -> None:
    life = Life(tokens=True, development=True)
    change = Change(ESTABLISHING, NOT_LOGGED_IN, ChangeReason.LOGIN, START)
    assert life.tell(login) == [Announce(change), OpenSession(1, grant)]
    assert life.snapshot.kind is kind
    assert life.opened().state() is ESTABLISHED


@pytest.mark.requirement("LOGIN-2", "RESUME-2", "HOOK-1")
def test_success_is_stored_then_told_then_hooked_then_released_with_everything_in_place() -> None:
    life = establishing()
    commands = life.tell(SessionOpened(credential(), 1))
    assert commands == [
        Persist(Record(SessionKind.AUTH_TOKEN, credential(), expired=False)),
        Announce(Change(ESTABLISHED, ESTABLISHING, ChangeReason.LOGGED_IN, START)),
        RunHook(HookCall("on_login", ESTABLISHED, ChangeReason.LOGGED_IN, "user-1", START)),
        ReleaseWaiters(1),
    ]
    assert life.snapshot.user_id == "user-1"
    assert life.core.authorization() == Granted(credential(), 1, START + HOUR - 35)


@pytest.mark.requirement("LOGIN-3", "LOGIN-5")
@pytest.mark.parametrize(
    "fact",
    [
        *(LoginFailed(1, failure(kind)) for kind in FailureKind),
        SessionOpened(credential(user="user-2"), 1),
        SessionOpened(credential(lifetime=0.0), 1),
        SessionOpened(credential(issued=START - HOUR), 1),
        UserBanned(attempt=1),
        UserDeleted(attempt=1),
    ],
    ids=repr,
)
def test_a_failed_login_says_why_and_leaves_nothing_behind(fact: Event) -> None:
    life = establishing()
    commands = life.tell(fact)
    told, released = commands[:2]
    assert isinstance(told, Announce)
    assert told.change.state is NOT_LOGGED_IN
    assert isinstance(released, ReleaseWaiters)
    assert released.attempt == 1
    assert released.failure is not None
    assert_forgotten(life)
    assert life.stored is None
    assert life.core.authorization() == Denied(NOT_LOGGED_IN)


@pytest.mark.requirement("LOGIN-3", "EXPIRE-4")
def test_a_token_is_expired_on_arrival_by_the_platforms_clock_and_not_by_ours() -> None:
    ahead = establishing()
    clock = ServerClock(START + DAY, START)
    released = ahead.tell(SessionOpened(credential(), 1, clock=clock))[1]
    assert released == ReleaseWaiters(1, failure(FailureKind.EXPIRED_ON_ARRIVAL))
    behind = establishing()
    behind.tell(SessionOpened(credential(issued=START - DAY), 1, clock=ServerClock(START - DAY, START)))
    assert behind.state() is ESTABLISHED


@pytest.mark.requirement("LOGIN-3", "LOGIN-8")
def test_the_token_of_a_visitor_that_is_dead_on_arrival_is_told_as_that_and_not_as_another_users() -> None:
    life = Life()
    life.tell(LoginAsVisitor())
    released = life.tell(SessionOpened(credential(lifetime=0.0), 1))[1]
    assert released == ReleaseWaiters(1, failure(FailureKind.EXPIRED_ON_ARRIVAL))


@pytest.mark.requirement("LOGIN-4")
def test_a_production_login_needs_an_auth_token_and_a_development_login_does_not() -> None:
    assert Life().drop(Login("user-1")) == "has_auth_token_or_development"
    assert OpenSession(1, UserIdGrant("user-1")) in Life(development=True).tell(Login("user-1"))


@pytest.mark.requirement("LOGIN-5", "BAN-2", "LOGIN-6")
@pytest.mark.parametrize(
    ("fact", "kind"),
    [(UserBanned(attempt=1), FailureKind.BANNED), (UserDeleted(attempt=1), FailureKind.DELETED)],
)
def test_a_ban_or_deletion_heard_during_a_login_fails_it_and_its_token_is_revoked(
    fact: Event, kind: FailureKind
) -> None:
    life = establishing()
    assert ReleaseWaiters(1, failure(kind)) in life.tell(fact)
    assert life.state() is NOT_LOGGED_IN
    assert life.tell(TokenOrphaned(credential())) == [RevokeOrphan(credential())]


@pytest.mark.requirement("LOGIN-6")
@pytest.mark.parametrize("user", ["user-1", "user-2"])
def test_the_answer_to_an_attempt_that_is_no_longer_current_changes_nothing_and_is_revoked(user: str) -> None:
    late = credential("late", user=user)
    cancelled = establishing()
    cancelled.tell(LoginCancelled(1))
    again = establishing()
    again.tell(LoginCancelled(1))
    again.tell(Login("user-1", AUTH_TOKEN))
    done = establishing()
    done.tell(LoginCancelled(1))
    done.log_in()
    ended = establishing()
    ended.tell(LoginCancelled(1))
    ended.log_in().tell(UserBanned())
    for life in (cancelled, again, done, ended):
        before = life.snapshot
        assert life.tell(SessionOpened(late, 1)) == [RevokeOrphan(late)]
        assert life.snapshot == before
        assert life.drop(SessionOpened(late, 1, minted=False)) == "is_minted"
        assert life.drop(LoginFailed(1, failure(FailureKind.REFUSED))) in (NOT_ALLOWED, "is_current_login")


@pytest.mark.requirement("LOGIN-6")
@pytest.mark.parametrize(
    "brought", [credential(user="user-2"), credential(lifetime=0.0)], ids=["wrong user", "dead"]
)
def test_a_token_that_came_with_an_answer_nobody_accepts_is_revoked_and_one_that_was_presented_is_not(
    brought: Any,
) -> None:
    assert RevokeOrphan(brought) in establishing().tell(SessionOpened(brought, 1))
    assert RevokeOrphan(brought) not in establishing().tell(SessionOpened(brought, 1, minted=False))


@pytest.mark.requirement("LOGIN-6")
def test_an_answer_that_is_heard_twice_does_not_revoke_the_token_in_use() -> None:
    assert established().drop(SessionOpened(credential(), 1)) == "is_minted"
    life = renewing()
    renewed = credential("second", issued=life.now)
    life.tell(TokenRenewed(renewed, 2))
    assert life.drop(TokenRenewed(renewed, 2)) == "is_minted"


@pytest.mark.requirement("LOGIN-6")
@pytest.mark.parametrize("make", [established, token_expired])
def test_the_token_in_use_is_no_orphan_though_it_comes_once_more_with_a_failure(make: Any) -> None:
    life: Life = make()
    assert life.drop(TokenOrphaned(credential())) == "not is_in_use"
    other = credential("other")
    assert life.tell(TokenOrphaned(other)) == [RevokeOrphan(other)]
    life.tell(Logout())
    assert life.tell(TokenOrphaned(credential())) == [RevokeOrphan(credential())]


@pytest.mark.requirement("LOGIN-7")
def test_an_access_token_needs_a_handler_and_to_be_alive_and_is_verified_first() -> None:
    assert Life().drop(LoginWithAccessToken(credential())) == "has_access_token_handler"
    dead = credential(lifetime=0.0)
    assert Life(tokens=True).drop(LoginWithAccessToken(dead)) == "presents_live_token"
    life = Life(tokens=True)
    assert OpenSession(1, AccessTokenGrant(credential())) in life.tell(LoginWithAccessToken(credential()))
    away = failure(FailureKind.UNREACHABLE)
    assert ReleaseWaiters(1, away) in life.tell(LoginFailed(1, away))


@pytest.mark.requirement("LOGIN-8")
@pytest.mark.parametrize(
    ("login", "grant"),
    [(LoginAsVisitor(), VisitorGrant()), (LoginAsBot(), BotGrant())],
    ids=["visitor", "bot"],
)
def test_visitors_and_bots_learn_from_the_platform_who_they_are_and_renew_as_what_they_are(
    login: Event, grant: Grant
) -> None:
    life = Life(handler=False)
    life.tell(login)
    before = life.snapshot
    life.opened(credential(user="device-7"))
    assert (before.user_id, life.snapshot.user_id) == (None, "device-7")
    assert life.until_due() == [Renew(2, grant)]
    life.tell(TokenRenewed(credential("second", user="device-7", issued=life.now), 2))
    assert life.expire().state() is TOKEN_EXPIRED


@pytest.mark.requirement("LOGIN-9")
@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (Logout(), FailureKind.LOGGED_OUT),
        (UserBanned(), FailureKind.BANNED),
        (UserDeleted(), FailureKind.DELETED),
        (LoginCancelled(1), FailureKind.CANCELLED),
    ],
    ids=name,
)
def test_whatever_ends_a_login_releases_its_caller_at_once(event: Event, kind: FailureKind) -> None:
    life = establishing()
    assert ReleaseWaiters(1, failure(kind)) in life.tell(event)
    assert life.state() is NOT_LOGGED_IN


@pytest.mark.requirement("LOGIN-9")
def test_cancelling_ends_that_attempt_and_no_other() -> None:
    life = establishing()
    life.tell(LoginCancelled(1))
    life.tell(Login("user-1", AUTH_TOKEN))
    assert life.drop(LoginCancelled(1)) == "is_current_login"
    life.opened()
    assert life.drop(LoginCancelled(1)) == "is_current_login"
    life.tell(Logout())
    life.tell(Resume(Record(SessionKind.AUTH_TOKEN, credential(), expired=False)))
    assert life.drop(LoginCancelled(2)) == "is_current_login"


@pytest.mark.requirement("LOGIN-9", "LOGIN-6", "RESUME-2", "HOOK-1")
@pytest.mark.parametrize("make", [established, renewing, revoking, token_expired])
def test_a_login_that_is_cancelled_at_the_very_moment_it_succeeds_is_undone(make: Any) -> None:
    life: Life = make()
    before, waiting = (
        life.state(),
        [
            flight.attempt
            for flight in (life.snapshot.renewal, life.snapshot.revocation)
            if flight is not None
        ],
    )
    assert life.tell(LoginCancelled(1)) == [
        Persist(None),
        Announce(Change(NOT_LOGGED_IN, before, ChangeReason.LOGIN_CANCELLED, life.now)),
        RunHook(HookCall("on_logout", NOT_LOGGED_IN, ChangeReason.LOGIN_CANCELLED, "user-1", life.now)),
        RevokeOrphan(credential()),
        *(ReleaseWaiters(attempt, failure(FailureKind.CANCELLED)) for attempt in waiting),
    ]
    assert_forgotten(life)


@pytest.mark.requirement("LOGIN-9", "LOGIN-6", "LOGIN-7")
def test_an_access_token_that_was_presented_outlives_a_login_that_is_undone() -> None:
    life = with_access_token()
    assert RevokeOrphan(credential()) not in life.tell(LoginCancelled(1))
    assert_forgotten(life)


@pytest.mark.requirement("LOGIN-9", "BAN-4")
def test_a_ban_stands_though_its_login_is_cancelled() -> None:
    assert terminated().drop(LoginCancelled(1)) == NOT_ALLOWED


# ── Handlers ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("HANDLER-1")
def test_handlers_of_the_client_survive_a_logout_and_a_sessions_own_does_not() -> None:
    life = Life(handler=False, tokens=True)
    life.tell(Login("user-1", AUTH_TOKEN, own_handler=True))
    life.opened()
    life.tell(HandlersChanged(session_handler=True, access_token_handler=True))
    life.tell(Logout())
    now = life.snapshot
    assert (now.session_handler, now.access_token_handler, now.own_handler) == (True, True, False)


@pytest.mark.requirement("HANDLER-1")
def test_the_kind_of_login_picks_the_handler() -> None:
    # There is a handler of one kind each, and the login is of the other.
    life = Life(handler=False, tokens=True).log_in().expire()
    assert life.core.authorization() == Denied(TOKEN_EXPIRED, failure(FailureKind.NO_HANDLER))
    life = Life(handler=True, tokens=True)
    life.tell(LoginWithAccessToken(credential()))
    life.opened()
    life.tell(HandlersChanged(session_handler=True, access_token_handler=False))
    life.expire()
    assert life.core.authorization() == Denied(TOKEN_EXPIRED, failure(FailureKind.NO_HANDLER))


@pytest.mark.requirement("HANDLER-1")
def test_a_sessions_own_handler_is_asked_where_the_client_has_none() -> None:
    life = Life(handler=False)
    life.tell(Login("user-1", AUTH_TOKEN, own_handler=True))
    life.opened()
    assert life.until_due() == [AskRenewal(2)]


@pytest.mark.requirement("HANDLER-2")
@pytest.mark.parametrize("life", [Life, establishing, established, token_expired, terminated])
def test_handlers_change_in_any_state_without_moving_it(life: Any) -> None:
    made: Life = life()
    before = made.state()
    assert made.tell(HandlersChanged(session_handler=True, access_token_handler=True)) == []
    assert made.state() is before
    assert made.snapshot.access_token_handler


# ── Renewal ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("RENEW-1")
@pytest.mark.parametrize(
    ("lifetime", "after"),
    [
        (30 * DAY, 0.8 * (30 * DAY - 300)),
        (HOUR, 0.8 * (HOUR - 300)),
        (3_000.0, 0.8 * 2_700),
        (60.0, 0.8 * 54),
        (1.0, 0.8 * 0.9),
        (40 * YEAR, 0.8 * (40 * YEAR - 300)),
    ],
)
def test_renewal_is_due_after_its_share_of_the_lifetime_less_the_margin(
    lifetime: float, after: float
) -> None:
    life = Life().log_in(credential(lifetime=lifetime))
    assert life.core.deadline == near(START + after)
    assert life.until_due() == [AskRenewal(2)]


@pytest.mark.requirement("RENEW-1")
def test_jitter_moves_renewal_earlier_and_never_later_and_differs_between_sessions() -> None:
    planned = [Life(seed=seed, jitter=0.05).log_in().core.deadline or 0.0 for seed in range(200)]
    latest = START + 0.8 * (HOUR - 300)
    assert all(latest - 0.05 * 0.8 * (HOUR - 300) <= when <= latest for when in planned)
    assert len(set(planned)) == 200
    assert max(planned) - min(planned) > 0.045 * 0.8 * (HOUR - 300)


@pytest.mark.requirement("RENEW-2")
def test_while_renewing_ahead_the_state_and_the_token_stay() -> None:
    for life in (asked(), renewing()):
        assert life.state() is ESTABLISHED
        assert life.core.authorization() == Granted(credential(), 1, START + HOUR - 35)


@pytest.mark.requirement("RENEW-3")
def test_nothing_starts_a_second_renewal() -> None:
    life = renewing()
    assert life.tell(RenewNow()) == []
    assert life.drop(TokenRejected(1)) == "not is_busy"
    assert life.expire().heard.count(Renew(2, FRESH)) == 1
    assert life.tell(RenewNow()) == []
    asks = [command for command in life.heard if isinstance(command, AskRenewal | Renew)]
    assert asks == [AskRenewal(2), Renew(2, FRESH)]
    assert life.core.authorization() == Waiting(2)


@pytest.mark.requirement("RENEW-3")
@pytest.mark.parametrize("make", [renewing, lambda: renewing().expire()], ids=["ahead", "expired"])
def test_all_who_wait_for_a_renewal_share_its_success_or_its_failure(make: Any) -> None:
    life: Life = make()
    assert life.tell(TokenRenewed(credential("second", issued=life.now), 2))[-1] == ReleaseWaiters(2)
    life = make()
    refused = failure(FailureKind.REFUSED)
    assert life.tell(RenewalFailed(2, refused)) == [ReleaseWaiters(2, refused)]


@pytest.mark.requirement("RENEW-4", "RENEW-8", "HOOK-1")
def test_a_renewal_asks_sends_what_is_answered_and_replaces_the_token() -> None:
    life = renewing()
    renewed = credential("second", issued=life.now)
    assert life.tell(TokenRenewed(renewed, 2)) == [
        Persist(Record(SessionKind.AUTH_TOKEN, renewed, expired=False)),
        RunHook(HookCall("on_renewal", ESTABLISHED, ChangeReason.TOKEN_RENEWED, "user-1", life.now)),
        ReleaseWaiters(2),
    ]
    assert life.core.authorization() == Granted(renewed, 2, life.now + HOUR - 35)


@pytest.mark.requirement("RENEW-5")
@pytest.mark.parametrize("answer", [RenewalAnswered(2, FRESH), RenewalUnable(2)], ids=name)
def test_a_renewal_is_settled_once(answer: Event) -> None:
    answered = renewing()
    late = asked()
    late.wait(60.0)
    out = asked()
    out.tell(Logout())
    banned = asked()
    banned.tell(UserBanned())
    newer = asked()
    newer.wait(60.0)
    newer.tell(RenewNow())
    for life in (answered, late, out, banned, newer):
        assert life.drop(answer) in (NOT_ALLOWED, "is_current_ask")


@pytest.mark.requirement("RENEW-6")
def test_a_handler_that_is_unable_or_silent_is_asked_again_after_the_pause() -> None:
    life = asked()
    assert life.tell(RenewalUnable(2)) == [ReleaseWaiters(2, failure(FailureKind.UNABLE))]
    assert life.wait(599.9) == []
    assert life.wait(0.2) == [AskRenewal(3)]
    assert life.snapshot.retry is None
    assert life.wait(59.9) == []
    assert life.wait(0.2) == [ReleaseWaiters(3, failure(FailureKind.NO_ANSWER))]
    assert life.core.deadline == near(life.now + 600)


@pytest.mark.requirement("RENEW-7")
@pytest.mark.parametrize("kind", [kind for kind in FailureKind if kind not in RETRYABLE])
def test_what_will_not_pass_by_itself_pauses_the_asking(kind: FailureKind) -> None:
    life = renewing()
    life.tell(RenewalFailed(2, failure(kind)))
    assert life.core.deadline == near(life.now + 600)
    assert life.until_due() in ([AskRenewal(3)], [])  # the pause may end after the token
    assert life.state() in (ESTABLISHED, TOKEN_EXPIRED)


@pytest.mark.requirement("RENEW-7")
def test_retries_back_off_exponentially_with_full_jitter_up_to_the_pause() -> None:
    waits: list[list[float]] = [[] for _ in range(12)]
    for seed in range(300):
        life = Life(seed=seed, auth_token_lifetime=DAY).log_in(credential(lifetime=40 * YEAR))
        life.until_due()
        life.tell(RenewalAnswered(2, FRESH))
        for attempt, seen in enumerate(waits, start=2):
            life.tell(RenewalFailed(attempt, failure(FailureKind.UNAVAILABLE)))
            assert life.core.deadline is not None
            seen.append(life.core.deadline - life.now)
            assert life.until_due() == [Renew(attempt + 1, FRESH)]
    for failures, seen in enumerate(waits):
        bound = min(600.0, 2.0**failures)
        assert all(0 <= wait <= bound for wait in seen)
        assert min(seen) < 0.05 * bound
        assert max(seen) > 0.95 * bound


@pytest.mark.requirement("RENEW-7")
def test_retry_after_is_honoured_and_capped_by_the_pause() -> None:
    for said, least, most in (
        (30.0, 30.0, 30.0),
        (1e9, 600.0, 600.0),
        (float("nan"), 0.0, 1.0),
        (-5.0, 0.0, 1.0),
    ):
        life = renewing()
        life.tell(RenewalFailed(2, failure(FailureKind.RATE_LIMITED, said)))
        assert life.core.deadline is not None
        assert least - 0.01 <= life.core.deadline - life.now <= most + 0.01


@pytest.mark.requirement("RENEW-7")
def test_the_same_auth_token_is_sent_again_while_it_is_young_and_then_asked_anew() -> None:
    life = renewing()
    life.tell(RenewalFailed(2, failure(FailureKind.UNREACHABLE)))
    assert life.until_due() == [Renew(3, FRESH)]
    life.wait(600.0)
    life.tell(RenewalFailed(3, failure(FailureKind.UNREACHABLE)))
    assert life.until_due() == [AskRenewal(4)]


@pytest.mark.requirement("RENEW-7")
def test_a_refused_auth_token_is_not_sent_again() -> None:
    life = renewing()
    life.tell(RenewalFailed(2, failure(FailureKind.REFUSED)))
    life.tell(RenewNow())
    assert life.heard[-1] == AskRenewal(3)


@pytest.mark.requirement("RENEW-8")
def test_from_token_expired_a_session_recovers_any_number_of_times() -> None:
    life = Life(answer_timeout=DAY).log_in()
    for turn in range(2, 7):
        life.expire()
        before = life.snapshot
        life.tell(RenewalAnswered(turn, FRESH))
        renewed = credential(f"number {turn}", issued=life.now)
        told = life.tell(TokenRenewed(renewed, turn))
        assert Announce(Change(ESTABLISHED, TOKEN_EXPIRED, ChangeReason.TOKEN_RENEWED, life.now)) in told
        after = life.snapshot
        assert (after.user_id, after.kind, after.session) == (before.user_id, before.kind, before.session)
        assert after.session_handler
        assert life.core.deadline == near(life.now + 0.8 * (HOUR - 300))


@pytest.mark.requirement("RENEW-9", "EXPIRE-5")
def test_a_failed_renewal_of_a_dead_token_stays_and_says_when_it_goes_on() -> None:
    life = token_expired()
    life.tell(RenewalUnable(2))
    assert life.state() is TOKEN_EXPIRED
    assert life.core.authorization() == Denied(
        TOKEN_EXPIRED, failure(FailureKind.UNABLE), near(life.now + 600)
    )


@pytest.mark.requirement("RENEW-9")
@pytest.mark.parametrize("make", [asked, token_expired])
def test_renew_now_ends_a_pause(make: Any) -> None:
    life: Life = make()
    life.tell(RenewalUnable(2))
    assert life.tell(RenewNow()) == [AskRenewal(3)]


@pytest.mark.requirement("RENEW-9", "RENEW-7")
def test_renew_now_during_a_backoff_presents_the_same_again_and_counts_on() -> None:
    life = renewing()
    life.tell(RenewalFailed(2, failure(FailureKind.UNREACHABLE)))
    assert life.tell(RenewNow()) == [Renew(3, FRESH)]
    assert life.snapshot.renewal is not None
    assert life.snapshot.renewal.failures == 1


@pytest.mark.requirement("RENEW-9")
def test_renew_now_renews_before_it_is_due_and_not_where_nobody_can() -> None:
    assert established().tell(RenewNow()) == [AskRenewal(2)]
    assert Life(handler=False).log_in().drop(RenewNow()) == "is_renewable"


def with_access_token() -> Life:
    life = Life(handler=False, tokens=True)
    life.tell(LoginWithAccessToken(credential()))
    return life.opened(credential())


@pytest.mark.requirement("RENEW-10")
def test_an_access_token_session_asks_for_a_token_and_has_it_verified() -> None:
    life = with_access_token()
    assert life.until_due() == [AskRenewal(2)]
    fresh = credential("second", issued=life.now)
    assert life.tell(RenewalAnswered(2, AccessTokenGrant(fresh))) == [Renew(2, AccessTokenGrant(fresh))]
    away = failure(FailureKind.UNREACHABLE)
    assert life.tell(RenewalFailed(2, away)) == [ReleaseWaiters(2, away)]
    assert life.until_due() == [Renew(3, AccessTokenGrant(fresh))]
    life.tell(TokenRenewed(fresh, 3, minted=False))
    assert life.snapshot.credential == fresh


@pytest.mark.requirement("RENEW-10", "EXPIRE-4")
@pytest.mark.parametrize("offset", [0.0, 500.0, -500.0])
def test_an_access_token_is_presented_again_until_it_is_dead_by_the_platforms_clock(offset: float) -> None:
    life = with_access_token()
    life.until_due()
    fresh = credential("second", issued=life.now)
    life.tell(RenewalAnswered(2, AccessTokenGrant(fresh)))
    life.tell(RenewalFailed(2, failure(FailureKind.UNREACHABLE)))
    dies = life.now + HOUR - 35 - offset
    for now, young in ((dies - 0.5, True), (dies, False)):
        later = attrs.evolve(life.snapshot, now=now, offset=offset)
        assert _rules.has_grant_to_resend(later, RenewalDue()) is young


@pytest.mark.requirement("RENEW-10", "RENEW-11")
@pytest.mark.parametrize(
    ("brought", "kind"),
    [
        (credential("second", user="user-2"), FailureKind.WRONG_USER),
        (credential("second", lifetime=0.0), FailureKind.EXPIRED_ON_ARRIVAL),
    ],
    ids=["another user's", "expired on arrival"],
)
def test_an_unacceptable_answer_is_a_failed_renewal_and_changes_nothing(
    brought: Any, kind: FailureKind
) -> None:
    life = renewing()
    assert life.tell(TokenRenewed(brought, 2)) == [ReleaseWaiters(2, failure(kind)), RevokeOrphan(brought)]
    assert life.snapshot.credential == credential()
    assert life.stored == Record(SessionKind.AUTH_TOKEN, credential(), expired=False)
    presented = with_access_token()
    presented.until_due()
    presented.tell(RenewalAnswered(2, AccessTokenGrant(brought)))
    assert presented.tell(TokenRenewed(brought, 2, minted=False)) == [ReleaseWaiters(2, failure(kind))]
    assert presented.snapshot.credential == credential()


@pytest.mark.requirement("RENEW-11")
def test_the_newest_answer_replaces_the_token_even_if_it_lives_shorter_and_an_older_one_never_does() -> None:
    life = renewing()
    shorter = credential("shorter", issued=life.now, lifetime=60.0)
    life.tell(TokenRenewed(shorter, 2))
    assert life.snapshot.credential == shorter
    life.tell(RenewNow())
    older = credential("older", issued=life.now, lifetime=DAY)
    assert life.tell(TokenRenewed(older, 2)) == [RevokeOrphan(older)]
    assert life.snapshot.credential == shorter


@pytest.mark.requirement("RENEW-1", "RENEW-7")
def test_a_token_that_comes_too_late_to_be_renewed_as_planned_has_a_respite() -> None:
    life = renewing()
    life.until(START + HOUR - 35 - 512)
    for attempt, left in enumerate([512.0, 256.0, 128.0], start=2):
        # The same token each time, and each time half of what is left of it goes by.
        life.tell(TokenRenewed(credential(), attempt))
        assert life.core.deadline == life.now + left / 2
        assert life.until_due() == [AskRenewal(attempt + 1)]
        life.tell(RenewalAnswered(attempt + 1, FRESH))


@pytest.mark.requirement("RENEW-7")
def test_the_same_token_again_at_the_very_time_of_its_renewal_has_a_respite_too() -> None:
    life = renewing()
    assert life.now == life.snapshot.renew_at
    life.tell(TokenRenewed(credential(), 2))
    assert life.core.deadline == life.now + (START + HOUR - 35 - life.now) / 2


@pytest.mark.requirement("RENEW-7", "EXPIRE-5")
def test_a_token_that_dies_during_its_respite_is_renewed_after_a_backoff_and_that_is_told() -> None:
    life = renewing()
    life.until(START + HOUR - 35 - 0.25)
    life.tell(TokenRenewed(credential(), 2))
    again = life.now + 1.0
    life.wait(0.25)
    dead = Denied(TOKEN_EXPIRED, failure(FailureKind.EXPIRED_ON_ARRIVAL), again)
    assert life.core.authorization() == dead
    assert life.until_due() == [AskRenewal(3)]
    assert life.now == again


@pytest.mark.requirement("RENEW-7")
def test_a_respite_is_no_longer_than_the_pause() -> None:
    life = established()
    life.tell(RenewNow())
    life.tell(RenewalAnswered(2, FRESH))
    life.tell(TokenRenewed(credential("cached", issued=life.now - 39 * YEAR, lifetime=40 * YEAR), 2))
    assert life.core.deadline == life.now + 600.0


@pytest.mark.requirement("RENEW-4", "RENEW-12")
def test_what_a_session_presents_when_its_backend_has_nothing_new_goes_by_its_kind() -> None:
    assert {kind: _rules.unaided_grant(kind, "user-1") for kind in SessionKind} == {
        SessionKind.AUTH_TOKEN: UserIdGrant("user-1"),
        SessionKind.DEVELOPMENT: UserIdGrant("user-1"),
        SessionKind.ACCESS_TOKEN: UserIdGrant("user-1"),
        SessionKind.VISITOR: VisitorGrant(),
        SessionKind.SIGNED_VISITOR: VisitorGrant(),
        SessionKind.BOT: BotGrant(),
    }


@pytest.mark.requirement("RENEW-12")
@pytest.mark.parametrize(
    ("login", "grant"),
    [
        (Login("user-1"), UserIdGrant("user-1")),
        (LoginAsVisitor(), VisitorGrant()),
        (LoginAsBot(), BotGrant()),
    ],
    ids=name,
)
def test_sessions_that_need_nobody_renew_themselves_unless_there_is_a_handler(
    login: Event, grant: Grant
) -> None:
    alone = Life(handler=False, development=True)
    alone.tell(login)
    assert alone.opened().until_due() == [Renew(2, grant)]
    led = Life(handler=True, development=True)
    led.tell(login)
    assert led.opened().until_due() == [AskRenewal(2)]


@pytest.mark.requirement("RENEW-12")
def test_a_production_session_without_a_handler_expires_and_recovers_when_one_comes() -> None:
    life = Life(handler=False).log_in()
    deadlines = [life.core.deadline, life.expire().core.deadline]
    assert deadlines == [START + HOUR - 35, None]  # of the expiry: no renewal is planned
    assert life.core.authorization() == Denied(TOKEN_EXPIRED, failure(FailureKind.NO_HANDLER))
    assert life.tell(HandlersChanged(session_handler=True, access_token_handler=False)) == [AskRenewal(2)]


# ── Expiry and rejection ────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("EXPIRE-1", "RESUME-2")
def test_at_expiry_observers_hear_exactly_one_change() -> None:
    life = Life(handler=False).log_in()
    life.heard.clear()
    assert life.expire().heard == [
        Persist(Record(SessionKind.AUTH_TOKEN, credential(), expired=True)),
        Announce(Change(TOKEN_EXPIRED, ESTABLISHED, ChangeReason.TOKEN_EXPIRED, START + HOUR)),
    ]
    assert life.wait(DAY) == []


@pytest.mark.requirement("EXPIRE-1")
def test_at_expiry_renewal_starts() -> None:
    # With the whole lifetime as its share, renewal is planned for after the leeway has begun.
    life = Life(renewal_share=1.0, margin=0.0).log_in()
    life.wait(HOUR - 36)
    assert life.state() is ESTABLISHED
    assert life.until_due()[-1] == AskRenewal(2)
    assert life.states[-1] is TOKEN_EXPIRED


@pytest.mark.requirement("EXPIRE-1")
def test_a_renewal_in_flight_goes_on_over_the_expiry() -> None:
    life = renewing().expire()
    assert life.state() is TOKEN_EXPIRED
    assert life.core.authorization() == Waiting(2)
    life.tell(TokenRenewed(credential("second", issued=life.now), 2))
    assert life.states == [ESTABLISHING, ESTABLISHED, TOKEN_EXPIRED, ESTABLISHED]


@pytest.mark.requirement("EXPIRE-2")
@pytest.mark.parametrize(("lifetime", "leeway"), [(HOUR, 35.0), (350.0, 35.0), (60.0, 6.0), (1.0, 0.1)])
def test_a_token_is_given_out_until_the_leeway_before_its_end(lifetime: float, leeway: float) -> None:
    life = Life(handler=False).log_in(credential(lifetime=lifetime))
    assert life.core.authorization() == Granted(
        credential(lifetime=lifetime), 1, near(START + lifetime - leeway)
    )
    life.until(START + lifetime - leeway + 1e-3)
    assert isinstance(life.core.authorization(), Denied)


@pytest.mark.requirement("EXPIRE-3")
def test_a_rejection_is_verified_once_for_everybody() -> None:
    life = established()
    assert life.tell(TokenRejected(1)) == [Verify(2, credential())]
    for _ in range(3):
        assert life.drop(TokenRejected(1)) == "not is_busy"


@pytest.mark.requirement("EXPIRE-3")
def test_a_rejection_of_an_older_token_is_dropped() -> None:
    life = renewing()
    life.tell(TokenRenewed(credential("second", issued=life.now), 2))
    assert life.drop(TokenRejected(1)) == "is_current_credential"
    assert life.tell(TokenRejected(2)) == [Verify(3, credential("second", issued=life.now))]


@pytest.mark.requirement("EXPIRE-3", "EXPIRE-1")
def test_a_verification_ends_in_expiry_or_termination_or_in_nothing() -> None:
    def verifying() -> Life:
        life = established()
        life.tell(TokenRejected(1))
        return life

    refuted = verifying()
    assert refuted.tell(TokenRefuted(2)) == [
        Persist(Record(SessionKind.AUTH_TOKEN, credential(), expired=True)),
        Announce(Change(TOKEN_EXPIRED, ESTABLISHED, ChangeReason.TOKEN_REJECTED, START)),
        ReleaseWaiters(2),
        AskRenewal(3),
    ]
    banned = verifying()
    assert ReleaseWaiters(2) in banned.tell(UserBanned(attempt=2))
    assert banned.state() is TERMINATED
    for fact in (TokenConfirmed(2), VerificationFailed(2, failure(FailureKind.UNAVAILABLE))):
        life = verifying()
        before = life.snapshot
        assert life.tell(fact) == [ReleaseWaiters(2)]
        assert (life.state(), life.snapshot.credential) == (ESTABLISHED, before.credential)
        assert life.drop(fact) == "is_revocation_check"
        assert life.drop(TokenRefuted(2)) == "is_revocation_check"


@pytest.mark.requirement("EXPIRE-3")
@pytest.mark.parametrize("make", [asked, renewing])
def test_while_a_renewal_is_in_flight_a_rejection_waits_for_that(make: Any) -> None:
    assert make().drop(TokenRejected(1)) == "not is_busy"


@pytest.mark.requirement("EXPIRE-5", "LOGIN-9", "LOGOUT-4")
@pytest.mark.parametrize("ending", [Logout(), UserBanned(), UserDeleted()], ids=name)
def test_the_end_of_a_session_releases_everybody_who_waits(ending: Event) -> None:
    life = renewing()
    life.tell(SecureLogout())
    life.wait(1.0)
    released = [command for command in life.tell(ending) if isinstance(command, ReleaseWaiters)]
    assert {command.attempt for command in released} == {2, 3}
    assert all(command.failure is not None for command in released)
    verifying = established()
    verifying.tell(TokenRejected(1))
    assert ReleaseWaiters(2) in verifying.tell(ending)


# ── Ban and deletion ────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("BAN-1", "BAN-4", "HOOK-1", "RESUME-2")
@pytest.mark.parametrize("make", [established, token_expired, renewing, revoking])
@pytest.mark.parametrize(
    ("fact", "reason"),
    [(UserBanned(), TerminationReason.GLOBAL_BAN), (UserDeleted(), TerminationReason.USER_DELETED)],
    ids=["ban", "deletion"],
)
def test_a_ban_or_deletion_terminates_and_leaves_nothing(
    make: Any, fact: Event, reason: TerminationReason
) -> None:
    life: Life = make()
    before = life.state()
    commands: list[Command] = life.tell(fact)
    assert commands[:3] == [
        Persist(None),
        Announce(Change(TERMINATED, before, reason, life.now)),
        RunHook(HookCall("on_ban", TERMINATED, reason, "user-1", life.now)),
    ]
    assert all(isinstance(command, ReleaseWaiters) for command in commands[3:])
    assert_forgotten(life)
    assert life.core.authorization() == Denied(TERMINATED, reason=reason)


@pytest.mark.requirement("BAN-3")
def test_a_ban_of_another_user_or_of_an_earlier_session_or_a_second_one_is_dropped() -> None:
    assert established().drop(UserBanned("user-2")) == "concerns_this_session"
    again = established()
    again.tell(Logout())
    again.log_in()
    assert again.drop(UserBanned("user-1", attempt=1)) == "concerns_this_session"
    assert again.drop(UserDeleted(attempt=1)) == "concerns_this_session"
    resumed = established()
    resumed.tell(Logout())
    resumed.tell(Resume(Record(SessionKind.AUTH_TOKEN, credential(), expired=False)))
    assert resumed.drop(UserBanned("user-1", attempt=1)) == "concerns_this_session"
    assert Life().drop(UserBanned("user-1")) == NOT_ALLOWED
    assert terminated().drop(UserBanned("user-1")) == NOT_ALLOWED
    assert terminated().drop(UserDeleted()) == NOT_ALLOWED


@pytest.mark.requirement("BAN-3")
@pytest.mark.parametrize(
    "fact",
    [
        UserBanned("user-1"),
        UserBanned("user-1", 1),
        UserBanned(attempt=2),
        UserBanned(attempt=1),
        UserBanned(),
    ],
    ids=repr,
)
def test_a_ban_is_one_and_the_same_fact_wherever_it_comes_from(fact: Event) -> None:
    life = renewing()
    life.tell(fact)
    assert life.state() is TERMINATED


@pytest.mark.requirement("BAN-4")
@pytest.mark.parametrize("way_out", [Logout(), SecureLogout()], ids=name)
def test_only_logout_leads_out_of_terminated_and_time_brings_nothing(way_out: Event) -> None:
    life = terminated()
    assert life.wait(40 * YEAR) == []
    assert life.drop(RenewNow()) == NOT_ALLOWED
    assert life.tell(way_out)[0] == Persist(None)
    assert life.state() is NOT_LOGGED_IN
    assert life.snapshot.ended is None


@pytest.mark.requirement("BAN-5")
@pytest.mark.parametrize(
    ("facts", "state"),
    [
        ([UserBanned(attempt=2)], TERMINATED),
        ([UserDeleted("user-1")], TERMINATED),
        ([TokenRejected(2), TokenRefuted(3)], TOKEN_EXPIRED),
        ([], TOKEN_EXPIRED),
    ],
    ids=["ban", "deletion", "rejection", "expiry"],
)
def test_the_next_login_hears_everything_again(facts: list[Event], state: SessionState) -> None:
    life = terminated()
    life.tell(Logout())
    life.log_in()
    for fact in facts:
        life.tell(fact)
    if not facts:
        life.expire()
    assert life.state() is state


# ── Logout ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("LOGOUT-1", "LOGOUT-2", "RESUME-2", "HOOK-1")
@pytest.mark.parametrize(
    "make", [establishing, established, token_expired, terminated, asked, renewing, revoking]
)
def test_logout_forgets_here_and_now_and_is_told_once_the_record_is_gone(make: Any) -> None:
    life: Life = make()
    commands = life.tell(Logout())
    assert commands[0] == Persist(None)
    told = commands[1]
    assert isinstance(told, Announce)
    assert (told.change.state, told.change.reason) == (NOT_LOGGED_IN, ChangeReason.LOGOUT)
    network = (OpenSession, Renew, Verify, Revoke, RevokeOrphan, AskRenewal)
    assert not any(isinstance(command, network) for command in commands)
    assert_forgotten(life)
    assert life.core.authorization() == Denied(NOT_LOGGED_IN)


@pytest.mark.requirement("LOGOUT-1")
def test_repeating_a_logout_changes_nothing_but_makes_sure_of_the_record() -> None:
    life = established()
    life.tell(Logout())
    before = life.snapshot
    assert life.tell(Logout()) == [Persist(None)]
    assert life.snapshot == before


@pytest.mark.requirement("LOGOUT-2", "LOGIN-6")
def test_what_was_on_its_way_at_a_logout_finds_nobody_and_its_token_is_revoked() -> None:
    life = renewing()
    life.tell(Logout())
    late = credential("late")
    assert life.tell(TokenRenewed(late, 2)) == [RevokeOrphan(late)]
    assert life.drop(RenewalFailed(2, failure(FailureKind.REFUSED))) == NOT_ALLOWED
    life.log_in()
    assert life.snapshot.attempt == 3  # numbers outlive a logout


@pytest.mark.requirement("LOGOUT-3", "HOOK-1")
def test_a_secure_logout_revokes_first_and_logs_out_when_that_worked() -> None:
    life = revoking()
    assert life.state() is ESTABLISHED
    assert life.tell(TokenRevoked(2)) == [
        Persist(None),
        Announce(Change(NOT_LOGGED_IN, ESTABLISHED, ChangeReason.SECURE_LOGOUT, START)),
        RunHook(HookCall("on_logout", NOT_LOGGED_IN, ChangeReason.SECURE_LOGOUT, "user-1", START)),
        ReleaseWaiters(2),
    ]
    assert_forgotten(life)


@pytest.mark.requirement("LOGOUT-3")
@pytest.mark.parametrize("kind", [FailureKind.UNREACHABLE, FailureKind.UNAVAILABLE, FailureKind.REFUSED])
def test_a_secure_logout_that_failed_leaves_the_session_exactly_as_it_was(kind: FailureKind) -> None:
    before = established().snapshot
    life = revoking()
    assert life.tell(RevocationFailed(2, failure(kind))) == [ReleaseWaiters(2, failure(kind))]
    after = life.snapshot
    assert (after.state, after.credential, after.renew_at, after.revocation) == (
        before.state,
        before.credential,
        before.renew_at,
        None,
    )
    assert life.drop(TokenRevoked(2)) == "is_current_revocation"


@pytest.mark.requirement("LOGOUT-3")
def test_a_401_to_the_revocation_counts_only_after_one_verification() -> None:
    def doubted() -> Life:
        life = revoking()
        assert life.tell(RevocationDoubted(2)) == [Verify(3, credential())]
        return life

    void = doubted()
    assert ReleaseWaiters(2) in void.tell(TokenRefuted(3))
    assert void.state() is NOT_LOGGED_IN
    alive = doubted()
    assert alive.tell(TokenConfirmed(3)) == [ReleaseWaiters(2, failure(FailureKind.UNAUTHORIZED))]
    assert alive.state() is ESTABLISHED
    unclear = doubted()
    away = failure(FailureKind.UNREACHABLE)
    assert unclear.tell(VerificationFailed(3, away)) == [ReleaseWaiters(2, away)]
    assert unclear.state() is ESTABLISHED
    assert doubted().drop(RevocationDoubted(2)) == "is_current_revocation"


@pytest.mark.requirement("LOGOUT-4")
def test_by_state_a_secure_logout_is_a_logout_or_refused_or_revokes() -> None:
    nobody = Life()
    assert nobody.tell(SecureLogout()) == [Persist(None)]
    assert establishing().drop(SecureLogout()) == NOT_ALLOWED
    expired = Life(handler=False).log_in().expire()
    assert expired.tell(SecureLogout()) == [Revoke(2, credential())]
    assert expired.state() is TOKEN_EXPIRED
    expired.tell(TokenRevoked(2))
    assert expired.state() is NOT_LOGGED_IN
    ended = terminated()
    ended.tell(SecureLogout())
    assert ended.state() is NOT_LOGGED_IN


@pytest.mark.requirement("LOGOUT-4")
def test_a_second_secure_logout_joins_the_first() -> None:
    for life in (revoking(), renewing()):
        life.tell(SecureLogout())
        before = life.snapshot
        assert life.tell(SecureLogout()) == []
        assert life.snapshot == before


@pytest.mark.requirement("LOGOUT-4")
def test_a_renewal_in_flight_is_awaited_so_that_the_current_token_is_revoked() -> None:
    life = renewing()
    assert life.tell(SecureLogout()) == []
    renewed = credential("second", issued=life.now)
    assert Revoke(3, renewed) in life.tell(TokenRenewed(renewed, 2))
    failing = renewing()
    failing.tell(SecureLogout())
    assert failing.tell(RenewalFailed(2, failure(FailureKind.UNREACHABLE)))[-1] == Revoke(3, credential())


@pytest.mark.requirement("LOGOUT-3", "LOGOUT-4", "RENEW-3")
@pytest.mark.parametrize("make", [renewing, lambda: renewing().expire()], ids=["ahead", "expired"])
def test_a_secure_logout_that_waited_for_a_renewal_as_long_as_it_may_leaves_all_as_it_was(make: Any) -> None:
    life: Life = make()
    before = life.snapshot
    life.tell(SecureLogout())
    assert life.wait(29.9) == []
    assert life.wait(0.2) == [ReleaseWaiters(3, failure(FailureKind.UNREACHABLE))]
    assert life.snapshot == attrs.evolve(before, now=life.now, attempt=3)
    # A second renewal must not be on the wire beside the first, nor a token revoked that is replaced.
    assert life.tell(RenewNow()) == []
    renewed = credential("second", issued=life.now)
    life.tell(TokenRenewed(renewed, 2))
    assert life.snapshot.credential == renewed
    assert life.tell(SecureLogout()) == [Revoke(4, renewed)]


@pytest.mark.requirement("LOGOUT-4")
def test_an_open_question_to_the_handler_is_withdrawn_and_no_renewal_starts_meanwhile() -> None:
    life = asked()
    assert life.tell(SecureLogout()) == [
        ReleaseWaiters(2, failure(FailureKind.SUPERSEDED)),
        Revoke(3, credential()),
    ]
    assert life.drop(RenewalAnswered(2, FRESH)) == "is_current_ask"
    assert life.drop(RenewNow()) == "not is_revoking"
    assert not any(isinstance(command, AskRenewal | Renew) for command in life.wait(HOUR))
    # Afterwards, if it failed, renewing goes on where it stood.
    assert life.tell(RevocationFailed(3, failure(FailureKind.UNAVAILABLE)))[-1] == AskRenewal(4)


@pytest.mark.requirement("LOGOUT-4", "EXPIRE-1")
def test_meanwhile_a_ban_terminates_an_expiry_expires_and_a_plain_logout_wins() -> None:
    banned = revoking()
    assert ReleaseWaiters(2, failure(FailureKind.BANNED)) in banned.tell(UserBanned())
    assert banned.state() is TERMINATED
    expired = revoking().expire()
    assert expired.state() is TOKEN_EXPIRED
    assert ReleaseWaiters(2) in expired.tell(TokenRevoked(2))
    plain = revoking()
    assert ReleaseWaiters(2, failure(FailureKind.LOGGED_OUT)) in plain.tell(Logout())
    for life in (banned, plain):
        assert life.drop(TokenRevoked(2)) == NOT_ALLOWED


# ── Resume and storage ──────────────────────────────────────────────────────────────────────────


@pytest.mark.requirement("RESUME-1")
def test_a_valid_record_resumes_offline_and_an_expired_one_renews() -> None:
    alive = Life()
    record = Record(SessionKind.AUTH_TOKEN, credential(), expired=False, offset=5.0)
    assert alive.tell(Resume(record)) == [
        Persist(record),
        Announce(Change(ESTABLISHED, NOT_LOGGED_IN, ChangeReason.RESUMED, START)),
    ]
    assert alive.core.authorization() == Granted(credential(), 1, START + HOUR - 40)
    dead = Life()
    dead.now += DAY
    commands = dead.tell(Resume(record))
    assert dead.state() is TOKEN_EXPIRED
    assert commands[-1] == AskRenewal(2)


@pytest.mark.requirement("RESUME-1", "EXPIRE-2")
@pytest.mark.parametrize("offset", [0.0, 5.0])
def test_a_record_is_dead_from_the_very_moment_at_which_its_token_is(offset: float) -> None:
    record = Record(SessionKind.AUTH_TOKEN, credential(), expired=False, offset=offset)
    for early, states in ((0.5, [ESTABLISHED]), (0.0, [TOKEN_EXPIRED])):
        life = Life(answer_timeout=DAY)
        life.now = START + HOUR - 35 - offset - early
        life.tell(Resume(record))
        assert life.states == states


@pytest.mark.requirement("RESUME-1", "EXPIRE-4")
def test_a_session_that_was_told_to_be_expired_resumes_expired_whatever_the_clock_says() -> None:
    life = Life()
    life.tell(Resume(Record(SessionKind.AUTH_TOKEN, credential(), expired=True)))
    assert life.state() is TOKEN_EXPIRED


@pytest.mark.requirement("RESUME-1")
@pytest.mark.parametrize(
    "kind", [SessionKind.AUTH_TOKEN, SessionKind.ACCESS_TOKEN, SessionKind.SIGNED_VISITOR]
)
def test_an_expired_record_that_nobody_can_renew_is_refused_and_kept(kind: SessionKind) -> None:
    life = Life(handler=False)
    assert life.drop(Resume(Record(kind, credential(), expired=True))) == "record_is_renewable"
    assert life.stored is None


@pytest.mark.requirement("RESUME-2")
def test_a_process_killed_after_any_command_resumes_to_the_last_change_told_or_a_later_one() -> None:
    life = Life(answer_timeout=DAY).log_in().expire()
    life.tell(RenewalAnswered(2, FRESH))
    life.tell(TokenRenewed(credential("second", issued=life.now), 2))
    life.tell(UserBanned())
    life.tell(Logout())
    told: SessionState = NOT_LOGGED_IN
    record: Record | None = None
    for command in life.heard:
        if isinstance(command, Persist):
            record = command.record
        if isinstance(command, Announce):
            told = command.change.state
            stored = NOT_LOGGED_IN if record is None else TOKEN_EXPIRED if record.expired else ESTABLISHED
            assert stored is (told if told in (ESTABLISHED, TOKEN_EXPIRED) else NOT_LOGGED_IN)
