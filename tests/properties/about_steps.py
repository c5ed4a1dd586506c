"""What is true of every single step, as named sentences.

They say again, in the words of the requirements and without a look at the chart or its rules, what
each event may do and what it must do. Where a sentence needs a figure (when a token is dead, who
can renew), it works that out for itself.
"""

import math
from typing import Any, TypeVar

import attrs

from splus_session import (
    AccessTokenGrant,
    Announce,
    AnswerOverdue,
    AskRenewal,
    AuthTokenGrant,
    ChangeReason,
    Config,
    Credential,
    Event,
    Failure,
    FailureKind,
    Grant,
    HandlersChanged,
    Login,
    LoginAsBot,
    LoginAsVisitor,
    LoginCancelled,
    LoginFailed,
    LoginWithAccessToken,
    Logout,
    OpenSession,
    Persist,
    Reason,
    Record,
    ReleaseWaiters,
    Renew,
    RenewalAnswered,
    RenewalDue,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    Resume,
    Retry,
    RevocationDoubted,
    RevocationDue,
    RevocationFailed,
    Revoke,
    RevokeOrphan,
    RunHook,
    SecureLogout,
    SessionKind,
    SessionOpened,
    SessionState,
    Snapshot,
    Step,
    TerminationReason,
    TokenConfirmed,
    TokenExpired,
    TokenOrphaned,
    TokenRefuted,
    TokenRejected,
    TokenRenewed,
    TokenRevoked,
    UserBanned,
    UserDeleted,
    VerificationFailed,
    Verify,
)
from tests.properties.about_snapshots import IN_SESSION, LIVE, ROUNDING, flights
from tests.properties.monitors import about_steps

NOT_LOGGED_IN, ESTABLISHING = SessionState.NOT_LOGGED_IN, SessionState.ESTABLISHING
ESTABLISHED, TOKEN_EXPIRED = SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED
TERMINATED = SessionState.TERMINATED

ARROWS = {
    (NOT_LOGGED_IN, ESTABLISHING): "login() is called",
    (ESTABLISHING, ESTABLISHED): "successful login",
    (ESTABLISHING, NOT_LOGGED_IN): "login failure, or logout",
    (NOT_LOGGED_IN, ESTABLISHED): "app start with a stored session",
    (NOT_LOGGED_IN, TOKEN_EXPIRED): "app start with a stored session whose token expired",
    (ESTABLISHED, TOKEN_EXPIRED): "the token expires",
    (TOKEN_EXPIRED, ESTABLISHED): "successful token renewal",
    (ESTABLISHED, TERMINATED): "the user is banned or deleted",
    (TOKEN_EXPIRED, TERMINATED): "the user is banned or deleted while the token is expired",
    (ESTABLISHED, NOT_LOGGED_IN): "logout, or the login is undone",
    (TOKEN_EXPIRED, NOT_LOGGED_IN): "logout while the token is expired, or the login is undone",
    (TERMINATED, NOT_LOGGED_IN): "logout, the only way out",
}
"""The vendor's diagram: which state follows which, by what."""

C = TypeVar("C")


# ── Worked out anew ─────────────────────────────────────────────────────────────────────────────


def commands(step: Step, kind: type[C]) -> list[C]:
    """The step's commands of this kind."""
    return [command for command in step.commands if isinstance(command, kind)]


def dies_at(config: Config, credential: Credential) -> float:
    """When a token counts as expired, by the platform's clock."""
    if credential.expires_at is None:
        return math.inf
    lifetime = credential.expires_at - credential.issued_at
    return credential.expires_at - min(config.leeway, lifetime / 10)


def is_live(s: Snapshot, credential: Credential, offset: float) -> bool:
    """Whether a token is alive at the session's time, if the platform's clock is `offset` ahead."""
    return s.now + offset < dies_at(s.config, credential)


def can_renew(s: Snapshot, kind: SessionKind | None) -> bool:
    """Whether anybody can renew a session of this kind."""
    if kind is SessionKind.ACCESS_TOKEN:
        return s.access_token_handler
    if kind in {SessionKind.AUTH_TOKEN, SessionKind.SIGNED_VISITOR}:
        return s.own_handler or s.session_handler
    return kind is not None


def is_current(s: Snapshot, event: Event) -> bool | None:
    """Whether an answer is to something that is in flight now; None if it is no answer."""
    renewal, revocation = s.renewal, s.revocation
    match event:
        case SessionOpened() | LoginFailed():
            return s.state is ESTABLISHING and event.attempt == s.session
        case LoginCancelled():  # perhaps at the very moment at which it succeeds
            return s.state in IN_SESSION and event.attempt == s.session
        case TokenRenewed() | RenewalFailed():
            return renewal is not None and renewal.deadline is None and event.attempt == renewal.attempt
        case RenewalAnswered() | RenewalUnable():
            return renewal is not None and renewal.deadline is not None and event.attempt == renewal.attempt
        case TokenConfirmed() | TokenRefuted() | VerificationFailed():
            return event.attempt == s.verification or answers_check(s, event)
        case TokenRevoked() | RevocationDoubted() | RevocationFailed():
            if revocation is None or not revocation.sent or revocation.check is not None:
                return False
            return event.attempt == revocation.attempt
        case TokenRejected():
            return s.state is ESTABLISHED and event.attempt == s.credential_attempt
        case _:
            return None


def answers_check(s: Snapshot, event: TokenConfirmed | TokenRefuted | VerificationFailed) -> bool:
    """Whether a verification's answer is to the one that a doubted revocation caused."""
    return s.revocation is not None and event.attempt == s.revocation.check


def concerns(s: Snapshot, event: UserBanned | UserDeleted) -> bool:
    """Whether a ban is of this session's user, and not heard over an earlier session."""
    if event.attempt is not None and event.attempt < s.session:
        return False
    return event.user_id is None or event.user_id == s.user_id


def is_accepted(step: Step, event: SessionOpened | TokenRenewed) -> bool:
    """Whether an answer is current, the right user's, and brings a live token."""
    s = step.before
    right_user = s.user_id is None or s.user_id == event.credential.user_id
    return is_current(s, event) is True and right_user and is_live(s, event.credential, step.after.offset)


def record_of(s: Snapshot) -> Record | None:
    """What a store has to hold, so that a killed process goes on with this session."""
    if s.state not in LIVE or s.kind is None or s.credential is None:
        return None
    return Record(s.kind, s.credential, s.state is TOKEN_EXPIRED, s.offset)


def same_but(step: Step, **changes: Any) -> bool:
    """Whether the step changed nothing else. What the answer told of the clock is no change."""
    return attrs.evolve(step.before, offset=step.after.offset, **changes) == step.after


def holds_token(s: Snapshot, credential: Credential) -> bool:
    """Whether this is the token in use."""
    return s.credential is not None and s.credential.access_token == credential.access_token


# ── States ──────────────────────────────────────────────────────────────────────────────────────


@about_steps("LOGIN-1", "LOGIN-2", "LOGIN-3", "EXPIRE-1", "RENEW-8", "BAN-1", "LOGOUT-1")
def states_change_along_the_documented_arrows_only(step: Step) -> bool | None:
    states = (step.before.state, step.after.state)
    return None if states[0] is states[1] else states in ARROWS


@about_steps("BAN-4")
def terminated_is_left_by_logout_alone(step: Step) -> bool | None:
    if step.before.state is not TERMINATED or step.after.state is TERMINATED:
        return None
    return isinstance(step.event, Logout | SecureLogout)


@about_steps("BAN-1", "BAN-3")
def only_a_ban_or_deletion_of_this_user_terminates(step: Step) -> bool | None:
    if step.after.state is not TERMINATED or step.before.state is TERMINATED:
        return None
    event = step.event
    if not isinstance(event, UserBanned | UserDeleted) or not concerns(step.before, event):
        return False
    banned = isinstance(event, UserBanned)
    reason = TerminationReason.GLOBAL_BAN if banned else TerminationReason.USER_DELETED
    return step.after.ended is reason and _reasons_told(step) == [reason]


def _reasons_told(step: Step) -> list[Reason]:
    return [command.change.reason for command in commands(step, Announce)]


@about_steps("BAN-1", "BAN-2", "LOGIN-5")
def a_ban_of_this_user_is_never_lost(step: Step) -> bool | None:
    event, state = step.event, step.before.state
    if not isinstance(event, UserBanned | UserDeleted) or not concerns(step.before, event):
        return None
    if state is ESTABLISHING:
        banned = isinstance(event, UserBanned)
        failures = [command.failure for command in commands(step, ReleaseWaiters)]
        kind = FailureKind.BANNED if banned else FailureKind.DELETED
        return step.after.state is NOT_LOGGED_IN and failures == [event.failure or Failure(kind)]
    return step.after.state is TERMINATED if state in LIVE else step.dropped is not None


@about_steps("BAN-3")
def a_ban_of_somebody_else_or_of_an_earlier_session_is_dropped(step: Step) -> bool | None:
    event = step.event
    if not isinstance(event, UserBanned | UserDeleted) or concerns(step.before, event):
        return None
    return step.dropped is not None


@about_steps("LOGOUT-1", "LOGOUT-2", "LOGOUT-4")
def logout_works_from_everywhere(step: Step) -> bool | None:
    if not isinstance(step.event, Logout):
        return None
    return step.after.state is NOT_LOGGED_IN and Persist(None) in step.commands


@about_steps("LOGOUT-3", "LOGIN-9")
def a_session_is_logged_out_by_logout_a_proven_revocation_or_its_login_undone_alone(
    step: Step,
) -> bool | None:
    if step.before.state not in LIVE or step.after.state is not NOT_LOGGED_IN:
        return None
    match step.event:
        case Logout():
            return True
        case TokenRevoked():
            return is_current(step.before, step.event)
        case TokenRefuted():
            return answers_check(step.before, step.event)
        case LoginCancelled():
            its_own = step.event.attempt == step.before.session
            return its_own and _reasons_told(step) == [ChangeReason.LOGIN_CANCELLED]
        case _:
            return False


@about_steps("EXPIRE-1", "EXPIRE-3")
def a_token_is_expired_by_time_or_by_a_verification_alone(step: Step) -> bool | None:
    if step.before.state is not ESTABLISHED or step.after.state is not TOKEN_EXPIRED:
        return None
    match step.event:
        case TokenExpired():
            credential = step.before.credential
            return (
                credential is not None
                and step.before.now >= dies_at(step.before.config, credential) - step.before.offset
            )
        case TokenRefuted():
            return step.event.attempt == step.before.verification
        case _:
            return False


@about_steps("EXPIRE-1", "RENEW-7")
def expiry_lets_a_renewal_go_on_and_a_pause_last(step: Step) -> bool | None:
    if not isinstance(step.event, TokenExpired):
        return None
    return same_but(step, state=TOKEN_EXPIRED, verification=None)


@about_steps("EXPIRE-4", "RENEW-8", "RENEW-9")
def expiry_is_undone_by_a_renewal_alone(step: Step) -> bool | None:
    if step.before.state is not TOKEN_EXPIRED or step.after.state is not ESTABLISHED:
        return None
    return isinstance(step.event, TokenRenewed) and is_accepted(step, step.event)


# ── Login ───────────────────────────────────────────────────────────────────────────────────────

LoginRequests = Login | LoginWithAccessToken | LoginAsVisitor | LoginAsBot


@about_steps("LOGIN-1")
def a_login_is_refused_where_there_is_a_session_or_a_login(step: Step) -> bool | None:
    if not isinstance(step.event, LoginRequests | Resume) or step.before.state is NOT_LOGGED_IN:
        return None
    return step.dropped is not None


@about_steps("LOGIN-1", "LOGIN-4", "LOGIN-7", "LOGIN-8")
def a_login_starts_with_what_it_needs_and_not_without(step: Step) -> bool | None:
    s, event = step.before, step.event
    if not isinstance(event, LoginRequests) or s.state is not NOT_LOGGED_IN:
        return None
    match event:
        case Login():
            possible = event.auth_token is not None or s.config.development
        case LoginWithAccessToken():
            possible = s.access_token_handler and is_live(s, event.credential, s.offset)
        case _:
            possible = True
    if not possible:
        return step.dropped is not None
    number = s.attempt + 1
    presented = commands(step, OpenSession) == [OpenSession(number, event.grant)]
    return step.after.state is ESTABLISHING and presented and step.after.own_handler == event.own_handler


@about_steps("LOGIN-2", "LOGIN-3", "LOGIN-6", "LOGIN-9")
def a_login_that_is_answered_is_over(step: Step) -> bool | None:
    event = step.event
    if not isinstance(event, SessionOpened | LoginFailed | LoginCancelled) or not is_current(
        step.before, event
    ):
        return None
    if not isinstance(event, SessionOpened) or not is_accepted(step, event):
        return step.after.state is NOT_LOGGED_IN
    after = step.after
    return (
        after.state is ESTABLISHED and after.credential == event.credential and after.kind is step.before.kind
    )


@about_steps("RESUME-1")
def a_stored_session_is_resumed_as_it_was_stored(step: Step) -> bool | None:
    s, event, after = step.before, step.event, step.after
    if not isinstance(event, Resume) or s.state is not NOT_LOGGED_IN:
        return None
    record = event.record
    if not record.expired and is_live(s, record.credential, record.offset):
        state = ESTABLISHED
    elif can_renew(s, record.kind):
        state = TOKEN_EXPIRED
    else:
        return step.dropped is not None
    kept = (after.kind, after.credential, after.offset, after.session)
    return after.state is state and kept == (record.kind, record.credential, record.offset, s.attempt + 1)


# ── Late answers, and tokens that nobody wants ──────────────────────────────────────────────────


@about_steps("LOGIN-6", "RENEW-5", "RENEW-11", "EXPIRE-3", "LOGOUT-4")
def a_late_answer_changes_nothing(step: Step) -> bool | None:
    if is_current(step.before, step.event) is not False:
        return None
    return same_but(step) and all(isinstance(command, RevokeOrphan) for command in step.commands)


@about_steps("LOGIN-6", "RENEW-11", "LOGIN-3", "LOGIN-9")
def a_token_is_used_or_in_use_or_revoked(step: Step) -> bool | None:
    """A token that a caller presented is the caller's, so we leave it alone."""
    orphans = [command.credential for command in commands(step, RevokeOrphan)]
    match step.event:
        case SessionOpened() | TokenRenewed():
            credential = step.event.credential
            unwanted = step.event.minted and not holds_token(step.after, credential)
            return orphans == ([credential] if unwanted else [])
        case TokenOrphaned():
            credential = step.event.credential
            return orphans == ([] if holds_token(step.after, credential) else [credential])
        case LoginCancelled() if step.before.credential is not None and is_current(step.before, step.event):
            presented = step.before.kind is SessionKind.ACCESS_TOKEN
            return orphans == ([] if presented else [step.before.credential])
        case _:
            return None if not orphans else False


@about_steps("RENEW-2", "RENEW-8", "RENEW-10", "RENEW-11", "LOGIN-6")
def a_credential_is_replaced_by_an_accepted_answer_alone(step: Step) -> bool | None:
    s, after, event = step.before, step.after, step.event
    if s.state not in LIVE or after.state not in LIVE:
        return None
    if not isinstance(event, TokenRenewed) or not is_accepted(step, event):
        return after.credential == s.credential and after.credential_attempt == s.credential_attempt
    identity = (after.kind, after.user_id, after.session, after.own_handler)
    kept = identity == (s.kind, s.user_id, s.session, s.own_handler)
    taken = after.credential == event.credential and after.credential_attempt == event.attempt
    return kept and taken and after.state is ESTABLISHED


# ── Flights ─────────────────────────────────────────────────────────────────────────────────────


@about_steps("LOGIN-6", "RENEW-11")
def what_starts_has_a_number_that_was_never_given_out(step: Step) -> bool | None:
    started = flights(step.after).items() - flights(step.before).items()
    numbers = [number for _, number in started]
    check = _check(step.after)
    if check is not None and check != _check(step.before):
        numbers.append(check)
    if not numbers:
        return None
    return min(numbers) > step.before.attempt and max(numbers) == step.after.attempt


def _check(s: Snapshot) -> int | None:
    return None if s.revocation is None else s.revocation.check


@about_steps("EXPIRE-5", "RENEW-3", "LOGIN-9", "LOGOUT-4")
def what_ends_releases_its_waiters_exactly_once(step: Step) -> bool | None:
    ended = sorted(number for _, number in flights(step.before).items() - flights(step.after).items())
    released = sorted(command.attempt for command in commands(step, ReleaseWaiters))
    return None if not ended and not released else ended == released


@about_steps("RENEW-3", "LOGIN-2", "LOGOUT-3", "LOGIN-3")
def waiters_hear_of_success_exactly_where_there_is_one(step: Step) -> bool | None:
    names = {number: name for name, number in flights(step.before).items()}
    for command in commands(step, ReleaseWaiters):
        match names.get(command.attempt):
            case "login":
                succeeded = step.after.state is ESTABLISHED
            case "renewal":
                succeeded = step.after.credential_attempt == command.attempt
            case "revocation":
                succeeded = isinstance(step.event, TokenRevoked | TokenRefuted)
            case _:  # whatever a verification finds out, its waiters look for themselves
                succeeded = True
        if succeeded != (command.failure is None):
            return False
    return True if commands(step, ReleaseWaiters) else None


@about_steps("LOGIN-1")
def only_a_login_presents_a_grant_at_login(step: Step) -> bool | None:
    opened = commands(step, OpenSession)
    return isinstance(step.event, LoginRequests) and len(opened) == 1 if opened else None


@about_steps("RENEW-3", "RENEW-5", "LOGOUT-4")
def at_most_one_renewal_starts_and_only_while_none_is_in_flight(step: Step) -> bool | None:
    asked, sent = commands(step, AskRenewal), commands(step, Renew)
    if not asked and not sent:
        return None
    before, after = step.before.renewal, step.after.renewal
    numbers = [command.attempt for command in asked] + [command.attempt for command in sent]
    if after is None or numbers != [after.attempt]:
        return False
    if sent and sent[0].grant != after.grant:
        return False
    if before is not None:  # the handler's answer is presented, under the same number
        return bool(sent) and before.grant is None and before.attempt == after.attempt
    return step.before.revocation is None and after.attempt == step.before.attempt + 1


@about_steps("RENEW-3", "LOGOUT-4")
def a_renewal_that_was_sent_ends_by_its_answer_or_with_the_session_alone(step: Step) -> bool | None:
    """Or a second one could be on the wire beside it, and the last answer would win."""
    sent = step.before.renewal
    if sent is None or sent.grant is None or step.after.renewal == sent:
        return None
    answered = isinstance(step.event, TokenRenewed | RenewalFailed) and step.event.attempt == sent.attempt
    return step.after.renewal is None and (answered or step.after.state not in LIVE)


@about_steps("RENEW-3", "RENEW-4")
def a_renewal_in_flight_was_asked_of_somebody(step: Step) -> bool | None:
    before, after = step.before.renewal, step.after.renewal
    if after is None or after == before:
        return None
    if after.grant is None:
        return commands(step, AskRenewal) == [AskRenewal(after.attempt)]
    return commands(step, Renew) == [Renew(after.attempt, after.grant)]


@about_steps("BAN-4", "RENEW-12", "LOGOUT-2")
def nobody_is_asked_outside_a_session(step: Step) -> bool | None:
    asked = [c for c in step.commands if isinstance(c, AskRenewal | Renew | Verify | Revoke)]
    return step.before.state in LIVE and step.after.state in LIVE if asked else None


@about_steps("EXPIRE-2")
def a_token_that_is_shown_to_the_platform_is_alive_or_the_one_to_be_judged(step: Step) -> bool | None:
    s = step.before
    for command in step.commands:
        match command:
            case OpenSession(grant=AccessTokenGrant(credential=credential)):
                return is_live(s, credential, s.offset)
            case Renew(grant=AccessTokenGrant(credential=credential)) if isinstance(step.event, RenewalDue):
                return is_live(s, credential, s.offset)
            case Verify(credential=credential) | Revoke(credential=credential):
                return credential == s.credential
            case _:
                pass
    return None


# ── Renewal ─────────────────────────────────────────────────────────────────────────────────────


@about_steps("RENEW-1", "RENEW-7", "LOGOUT-4")
def a_renewal_starts_when_its_time_has_come_and_not_before(step: Step) -> bool | None:
    s = step.before
    if not isinstance(step.event, RenewalDue):
        return None
    if s.renewal is not None or s.revocation is not None:
        return False
    if s.retry is not None:
        return s.now >= s.retry.at
    return s.state is TOKEN_EXPIRED or (s.renew_at is not None and s.now >= s.renew_at - s.offset)


@about_steps("RENEW-7", "RENEW-10", "RENEW-12")
def a_renewal_presents_what_is_still_young_or_asks_or_does_without(step: Step) -> bool | None:
    s, after = step.before, step.after
    if not isinstance(step.event, RenewalDue):
        return None
    young = s.retry.grant if s.retry is not None and s.retry.grant and _is_young(s, s.retry.grant) else None
    started = after.renewal
    if started is None or not can_renew(s, s.kind):
        return False
    if young is not None:
        return started.grant == young and s.retry is not None and started.obtained_at == s.retry.obtained_at
    if s.kind is SessionKind.ACCESS_TOKEN or s.own_handler or s.session_handler:
        return started.grant is None and started.deadline == s.now + s.config.answer_timeout
    return started.grant is not None and not isinstance(started.grant, AuthTokenGrant | AccessTokenGrant)


def _is_young(s: Snapshot, grant: Grant) -> bool:
    if isinstance(grant, AccessTokenGrant):
        return is_live(s, grant.credential, s.offset)
    assert s.retry is not None
    return s.now - s.retry.obtained_at < s.config.auth_token_lifetime


@about_steps("RENEW-4", "RENEW-10")
def what_the_handler_answers_is_presented(step: Step) -> bool | None:
    event, s = step.event, step.before
    if not isinstance(event, RenewalAnswered) or not is_current(s, event):
        return None
    after = step.after.renewal
    presented = commands(step, Renew) == [Renew(event.attempt, event.grant)]
    return presented and after is not None and after.obtained_at == s.now


@about_steps("RENEW-6", "RENEW-7", "RENEW-9", "RENEW-10", "RENEW-11")
def a_renewal_that_will_not_get_better_pauses_the_asking(step: Step) -> bool | None:
    event, s = step.event, step.before
    match event:
        case AnswerOverdue():
            if s.renewal is None or s.renewal.deadline is None or s.now < s.renewal.deadline:
                return False
        case RenewalUnable():
            if not is_current(s, event):
                return None
        case TokenRenewed():
            if not is_current(s, event) or is_accepted(step, event):
                return None
        case RenewalFailed():
            if not is_current(s, event) or _may_pass(event):
                return None
        case _:
            return None
    return _waits(step, s.config.pause, s.config.pause) and _tried(step, keeps_grant=False)


@about_steps("RENEW-7", "RENEW-9", "RENEW-10")
def a_renewal_that_may_get_better_is_repeated_within_the_backoff(step: Step) -> bool | None:
    event, s = step.event, step.before
    if not isinstance(event, RenewalFailed) or not is_current(s, event) or not _may_pass(event):
        return None
    assert s.renewal is not None
    asked = event.failure.retry_after
    least = 0.0 if asked is None else max(0.0, min(asked, s.config.pause))
    doubled = s.config.backoff * 2.0 ** min(s.renewal.failures, 100)
    most = max(least, min(s.config.pause, doubled))
    return _waits(step, least, most) and _tried(step, keeps_grant=True)


def _may_pass(event: RenewalFailed) -> bool:
    return event.failure.kind in {
        FailureKind.UNREACHABLE,
        FailureKind.UNAVAILABLE,
        FailureKind.RATE_LIMITED,
        FailureKind.MALFORMED,
    }


def _waits(step: Step, least: float, most: float) -> bool:
    retry, now = step.after.retry, step.before.now
    return retry is not None and least - ROUNDING <= retry.at - now <= most + ROUNDING


def _tried(step: Step, *, keeps_grant: bool) -> bool:
    """The failure is counted and the state stays; what was presented is kept where it may do again."""
    renewal, retry, s, after = step.before.renewal, step.after.retry, step.before, step.after
    if renewal is None or retry is None or after.renewal is not None or after.state is not s.state:
        return False
    grant = renewal.grant if keeps_grant else None
    return retry.failures == renewal.failures + 1 and retry.failure is not None and retry.grant == grant


@about_steps("RENEW-1", "RENEW-7")
def a_renewed_token_is_renewed_as_planned_or_after_a_respite_if_it_came_late(step: Step) -> bool | None:
    """Whoever gives the same token again and again is not asked without a pause."""
    event, s, after = step.event, step.before, step.after
    if not isinstance(event, TokenRenewed) or not is_accepted(step, event):
        return None
    if after.renew_at is None or after.renew_at > after.now + after.offset:
        return after.retry is None
    left = dies_at(s.config, event.credential) - after.offset - after.now
    respite = min(s.config.pause, max(left / 2, s.config.backoff))
    return _waits(step, respite, respite) and after.retry is not None and after.retry.failures == 0


@about_steps("RENEW-9")
def asking_to_renew_ends_a_pause_and_disturbs_nothing_in_flight(step: Step) -> bool | None:
    s = step.before
    if not isinstance(step.event, RenewNow):
        return None
    if s.state not in LIVE or s.revocation is not None or not can_renew(s, s.kind):
        return step.dropped is not None
    if s.renewal is not None:
        return same_but(step)
    # What was to be presented again still is.
    return same_but(step, retry=attrs.evolve(s.retry or Retry(s.now, 0), at=s.now, failure=None))


@about_steps("HANDLER-1", "HANDLER-2", "LOGOUT-2")
def the_clients_handlers_stay_until_the_client_changes_them(step: Step) -> bool | None:
    s, event = step.before, step.event
    if isinstance(event, HandlersChanged):
        told = (event.session_handler, event.access_token_handler)
        return same_but(step, session_handler=told[0], access_token_handler=told[1])
    both = (step.after.session_handler, step.after.access_token_handler)
    return both == (s.session_handler, s.access_token_handler)


# ── Rejection ───────────────────────────────────────────────────────────────────────────────────


@about_steps("EXPIRE-3")
def a_rejection_is_verified_once_and_only_if_nothing_else_will_tell(step: Step) -> bool | None:
    s = step.before
    if not isinstance(step.event, TokenRejected) or not is_current(s, step.event):
        return None
    if s.renewal is not None or s.verification is not None or s.revocation is not None:
        return step.dropped is not None
    number = s.attempt + 1
    asked = commands(step, Verify)
    return step.after.verification == number and [verify.attempt for verify in asked] == [number]


@about_steps("EXPIRE-3")
def a_verification_starts_for_a_rejection_or_a_doubt_alone(step: Step) -> bool | None:
    asked = commands(step, Verify)
    if not asked:
        return None
    return len(asked) == 1 and isinstance(step.event, TokenRejected | RevocationDoubted)


@about_steps("EXPIRE-3")
def a_verification_believes_the_platform_and_nothing_less(step: Step) -> bool | None:
    s, event = step.before, step.event
    if not isinstance(event, TokenConfirmed | TokenRefuted | VerificationFailed):
        return None
    if s.verification is None or event.attempt != s.verification:
        return None
    state = TOKEN_EXPIRED if isinstance(event, TokenRefuted) else s.state
    return same_but(step, state=state, verification=None)


# ── Secure logout ───────────────────────────────────────────────────────────────────────────────


@about_steps("LOGOUT-4")
def a_secure_logout_starts_once_or_has_nothing_to_revoke(step: Step) -> bool | None:
    s, after = step.before, step.after
    if not isinstance(step.event, SecureLogout):
        return None
    if s.state is ESTABLISHING:
        return step.dropped is not None
    if s.state not in LIVE:
        return after.state is NOT_LOGGED_IN and Persist(None) in step.commands
    if s.revocation is not None:
        return step.dropped is None and same_but(step) and not step.commands
    started = after.revocation
    if started is None or started.sent or started.deadline != s.now + s.config.wait_limit:
        return False
    awaited = s.renewal if s.renewal is not None and s.renewal.grant is not None else None
    return same_but(step, revocation=started, attempt=s.attempt + 1, renewal=awaited)


@about_steps("LOGOUT-3", "LOGOUT-4", "EXPIRE-2")
def a_revocation_is_sent_once_when_nothing_holds_it_up(step: Step) -> bool | None:
    s, sent = step.before, commands(step, Revoke)
    if not isinstance(step.event, RevocationDue):
        return None if not sent else False
    waiting, started = s.revocation, step.after.revocation
    if waiting is None or waiting.sent or s.credential is None:
        return False
    if s.renewal is not None:  # the token in use may be another one any moment
        return s.now >= waiting.deadline and not sent
    return started is not None and started.sent and sent == [Revoke(waiting.attempt, s.credential)]


@about_steps("LOGOUT-3")
def a_doubted_revocation_is_checked_by_one_verification(step: Step) -> bool | None:
    s = step.before
    if not isinstance(step.event, RevocationDoubted) or not is_current(s, step.event):
        return None
    started, asked = step.after.revocation, commands(step, Verify)
    if started is None or len(asked) != 1 or not asked[0].attempt == started.check == s.attempt + 1:
        return False
    return same_but(step, revocation=started, attempt=s.attempt + 1)


@about_steps("LOGOUT-3", "LOGOUT-4")
def a_revocation_that_failed_leaves_the_session_as_it_was(step: Step) -> bool | None:
    s, event = step.before, step.event
    match event:
        case RevocationFailed():
            failed = is_current(s, event)
        case TokenConfirmed() | VerificationFailed():
            failed = answers_check(s, event)
        case RevocationDue():
            failed = s.renewal is not None
        case _:
            return None
    return same_but(step, revocation=None) if failed else None


@about_steps("LOGOUT-3", "LOGOUT-4")
def a_revocation_that_is_proven_logs_out(step: Step) -> bool | None:
    s, event = step.before, step.event
    if not isinstance(event, TokenRevoked | TokenRefuted):
        return None
    proven = is_current(s, event) if isinstance(event, TokenRevoked) else answers_check(s, event)
    if not proven:
        return None
    return step.after.state is NOT_LOGGED_IN and _reasons_told(step) == [ChangeReason.SECURE_LOGOUT]


# ── What is told, stored and asked for ──────────────────────────────────────────────────────────


@about_steps("OBSERVE-1", "OBSERVE-4", "EXPIRE-1")
def observers_are_told_exactly_when_the_state_changes(step: Step) -> bool | None:
    told = [command.change for command in commands(step, Announce)]
    if step.before.state is step.after.state:
        return not told
    changed = (step.before.state, step.after.state, step.before.now)
    return [(change.previous, change.state, change.at) for change in told] == [changed]


@about_steps("RESUME-2", "LOGOUT-1", "BAN-4")
def what_has_to_be_stored_is_stored(step: Step) -> bool | None:
    stored = [command.record for command in commands(step, Persist)]
    needed = record_of(step.after)
    if len(stored) > 1 or any(record != needed for record in stored):
        return False
    if _but_for_the_clock(needed) != _but_for_the_clock(record_of(step.before)):
        return len(stored) == 1
    return True if stored else None


def _but_for_the_clock(record: Record | None) -> Record | None:
    return None if record is None else attrs.evolve(record, offset=0.0)


@about_steps("RESUME-2", "LOGIN-2", "HOOK-1", "LOGOUT-1")
def it_is_stored_then_told_then_acted_upon(step: Step) -> bool | None:
    places = {Persist: 0, Announce: 1, RunHook: 2}
    order = [places.get(type(command), 3) for command in step.commands]
    return order == sorted(order) if len(order) > 1 else None


@about_steps("HOOK-1")
def hooks_run_once_at_their_occasion(step: Step) -> bool | None:
    before, after = step.before.state, step.after.state
    renewed = (
        before in LIVE and after in LIVE and step.after.credential_attempt != step.before.credential_attempt
    )
    occasions = {
        "on_login": (before, after) == (ESTABLISHING, ESTABLISHED),
        "on_renewal": renewed,
        "on_ban": after is TERMINATED and before is not TERMINATED,
        "on_logout": after is NOT_LOGGED_IN and before in LIVE | {TERMINATED},
    }
    calls = [command.call for command in commands(step, RunHook)]
    if [call.hook for call in calls] != [hook for hook, now in occasions.items() if now]:
        return False
    user = step.after.user_id or step.before.user_id
    return all((call.state, call.user_id) == (after, user) for call in calls) if calls else None


@about_steps("EXPIRE-4")
def the_platforms_clock_is_learned_from_answers_and_no_further_than_needed(step: Step) -> bool | None:
    s, learned = step.before, step.after.offset
    clock = getattr(step.event, "clock", None)
    if clock is None:
        return learned == s.offset or (isinstance(step.event, Resume) and step.dropped is None)
    low, high = clock.date - s.now, clock.date + 1 - clock.sent_at
    if low > high or low <= s.offset <= high:
        return learned == s.offset
    return step.dropped is not None or learned in {low, high}


@about_steps("LOGIN-1", "BAN-3", "RENEW-5")
def a_dropped_step_changes_nothing(step: Step) -> bool | None:
    if step.dropped is None:
        row = step.row
        assert row is not None
        return (row.source, row.target) == (step.before.state, step.after.state)
    return step.after == step.before and step.commands == () and step.row is None


@about_steps("CLIENT-2")
def the_figures_and_the_time_are_not_the_rules_to_change(step: Step) -> bool:
    before, after = step.before, step.after
    return after.config is before.config and after.now == before.now and after.attempt >= before.attempt
