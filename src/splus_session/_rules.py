# The one module that writes to a snapshot: to a draft that nobody else has seen yet.
# mypy: disable-error-code="misc"
# pyright: reportAttributeAccessIssue=false
"""What the names in the chart mean: guards and reactions, all pure.

A guard looks at a snapshot and an event and says yes or no. A reaction gets a draft, the snapshot
that will be the outcome, already at the present time, and writes to it; what it asks of the driver
it adds to `out`. Neither does any I/O nor looks at a clock: the time is `snapshot.now`.

The annotation of the second parameter says which events a name fits; a test compares that with
the rows that use it.

**Two clocks.** A credential's times, and `renew_at`, are the platform's. Everything else is ours.
`snapshot.offset` is the difference, platform less ours.
"""

import math

from splus_session._commands import (
    AskRenewal,
    Command,
    OpenSession,
    Persist,
    ReleaseWaiters,
    Renew,
    Revoke,
    RevokeOrphan,
    Verify,
)
from splus_session._config import Config
from splus_session._credentials import (
    MAX_TIME,
    AccessTokenGrant,
    AuthTokenGrant,
    BotGrant,
    Credential,
    Grant,
    Record,
    SessionKind,
    UserIdGrant,
    VisitorGrant,
)
from splus_session._events import (
    AnswerOverdue,
    Event,
    HandlersChanged,
    Login,
    LoginCancelled,
    LoginFailed,
    LoginRequest,
    LoginWithAccessToken,
    Logout,
    RenewalAnswered,
    RenewalDue,
    RenewalFailed,
    RenewalUnable,
    RenewNow,
    Resume,
    RevocationDoubted,
    RevocationDue,
    RevocationFailed,
    SecureLogout,
    ServerClock,
    SessionOpened,
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
)
from splus_session._failures import RETRYABLE, Failure, FailureKind
from splus_session._snapshot import Renewal, Retry, Revocation, Snapshot
from splus_session._states import SessionState, TerminationReason

Commands = list[Command]

# On Python 3.11 a look-up of an enum's member costs as much as making a small object.
_TOKEN_EXPIRED = SessionState.TOKEN_EXPIRED


_blank = object.__new__


def draft_of(snapshot: Snapshot) -> Snapshot:
    """A copy to write to. Field by field, for it is the dearest part of a step: `attrs.evolve` would
    cost as much as all the rest, the constructor half as much again as this."""
    draft = _blank(Snapshot)
    draft.config = snapshot.config
    draft.seed = snapshot.seed
    draft.state = snapshot.state
    draft.now = snapshot.now
    draft.offset = snapshot.offset
    draft.attempt = snapshot.attempt
    draft.session = snapshot.session
    draft.kind = snapshot.kind
    draft.user_id = snapshot.user_id
    draft.credential = snapshot.credential
    draft.credential_attempt = snapshot.credential_attempt
    draft.renew_at = snapshot.renew_at
    draft.renewal = snapshot.renewal
    draft.retry = snapshot.retry
    draft.verification = snapshot.verification
    draft.revocation = snapshot.revocation
    draft.ended = snapshot.ended
    draft.session_handler = snapshot.session_handler
    draft.access_token_handler = snapshot.access_token_handler
    draft.own_handler = snapshot.own_handler
    return draft


# ── What follows from a snapshot ────────────────────────────────────────────────────────────────


def expiry(config: Config, credential: Credential) -> float:
    """When the credential counts as expired: its time less the leeway, by the platform's clock. [EXPIRE-2]"""
    expires_at, leeway = credential.expires_at, config.leeway
    if expires_at is None:
        return math.inf
    tenth = (expires_at - credential.issued_at) / 10
    if tenth < leeway:
        return expires_at - tenth
    return expires_at - leeway


def learned(offset: float, clock: ServerClock | None, now: float) -> float:
    """The platform's offset after an answer with this clock: moved as little as it has to be. [EXPIRE-4]

    `Date` has whole seconds and the answer was made somewhere between request and arrival, so it
    only bounds the offset. Inside the bounds the old value is as good as any.
    """
    if clock is None or not -MAX_TIME <= clock.date <= MAX_TIME:
        return offset
    low, high = clock.date - now, clock.date + 1 - clock.sent_at
    return min(max(offset, low), high) if low <= high else offset


def can_renew(snapshot: Snapshot, kind: SessionKind | None) -> bool:
    """Whether anybody can renew a session of this kind. [RENEW-12]"""
    match kind:
        case SessionKind.ACCESS_TOKEN:
            return snapshot.access_token_handler
        case SessionKind.AUTH_TOKEN | SessionKind.SIGNED_VISITOR:
            return snapshot.own_handler or snapshot.session_handler
        case SessionKind.DEVELOPMENT | SessionKind.VISITOR | SessionKind.BOT:
            return True
        case None:
            return False


def unaided_grant(kind: SessionKind, user_id: str) -> Grant:
    """What a session of this kind presents when there is nothing new from the customer's backend."""
    match kind:
        case SessionKind.VISITOR | SessionKind.SIGNED_VISITOR:
            return VisitorGrant()
        case SessionKind.BOT:
            return BotGrant()
        case _:
            return UserIdGrant(user_id)


def kind_of(grant: Grant) -> SessionKind:
    """The kind of session that a login with this grant opens."""
    match grant:
        case AuthTokenGrant():
            return SessionKind.AUTH_TOKEN
        case UserIdGrant():
            return SessionKind.DEVELOPMENT
        case AccessTokenGrant():
            return SessionKind.ACCESS_TOKEN
        case VisitorGrant():
            return SessionKind.VISITOR if grant.signature is None else SessionKind.SIGNED_VISITOR
        case BotGrant():
            return SessionKind.BOT


def _user_of(grant: Grant) -> str | None:
    match grant:
        case AuthTokenGrant() | UserIdGrant():
            return grant.user_id
        case AccessTokenGrant():
            return grant.credential.user_id
        case VisitorGrant() | BotGrant():
            return None  # the platform says


# ── Guards: logging in ──────────────────────────────────────────────────────────────────────────


def has_auth_token_or_development(snapshot: Snapshot, event: Login) -> bool:
    """Production login needs an auth token. [LOGIN-4]"""
    return event.auth_token is not None or snapshot.config.development


def has_access_token_handler(snapshot: Snapshot, event: LoginWithAccessToken) -> bool:
    """Somebody must be able to renew it. [LOGIN-7]"""
    return snapshot.access_token_handler


def presents_live_token(snapshot: Snapshot, event: LoginWithAccessToken) -> bool:
    """An expired access token is not worth a request. [LOGIN-7]"""
    return snapshot.now + snapshot.offset < expiry(snapshot.config, event.credential)


def is_current_login(snapshot: Snapshot, event: SessionOpened | LoginFailed | LoginCancelled) -> bool:
    """A session's number is that of the login that it began with. [LOGIN-6]"""
    # A resumed session's number is no login's, so there is nobody who could cancel it.
    return event.attempt == snapshot.session


def is_acceptable(snapshot: Snapshot, event: SessionOpened | TokenRenewed) -> bool:
    """The right user's, and alive by the platform's clock as this answer tells it. [LOGIN-3] [RENEW-11]"""
    credential = event.credential
    if snapshot.user_id is not None and credential.user_id != snapshot.user_id:
        return False
    server_now = snapshot.now + learned(snapshot.offset, event.clock, snapshot.now)
    return server_now < expiry(snapshot.config, credential)


def is_minted(snapshot: Snapshot, event: SessionOpened | TokenRenewed) -> bool:
    """Whether the answer brought a token that must not be left lying about. [LOGIN-6]

    The token in use is not: an answer that is heard twice must not end the session by the back door.
    """
    used = snapshot.credential
    return event.minted and (used is None or event.credential.access_token != used.access_token)


def is_in_use(snapshot: Snapshot, event: TokenOrphaned) -> bool:
    """The token that the session uses is no orphan, whatever brought it once more. [LOGIN-6]"""
    used = snapshot.credential
    return used is not None and event.credential.access_token == used.access_token


def record_is_live(snapshot: Snapshot, event: Resume) -> bool:
    """Stored as `established`, and still alive. [RESUME-1]"""
    record = event.record
    return not record.expired and snapshot.now + record.offset < expiry(snapshot.config, record.credential)


def record_is_renewable(snapshot: Snapshot, event: Resume) -> bool:
    """An expired session is resumed only if somebody can renew it. [RESUME-1]"""
    return can_renew(snapshot, event.record.kind)


# ── Guards: renewing ────────────────────────────────────────────────────────────────────────────


def is_current_ask(snapshot: Snapshot, event: RenewalAnswered | RenewalUnable) -> bool:
    """The handler answers the renewal that is open now, for the first time. [RENEW-5]"""
    renewal = snapshot.renewal
    return renewal is not None and renewal.attempt == event.attempt and renewal.grant is None


def is_current_renewal(snapshot: Snapshot, event: TokenRenewed | RenewalFailed) -> bool:
    """The platform answers the renewal that is in flight now. [RENEW-11]"""
    renewal = snapshot.renewal
    return renewal is not None and renewal.attempt == event.attempt and renewal.grant is not None


def is_retryable(snapshot: Snapshot, event: RenewalFailed) -> bool:
    """The failure may pass by itself. [RENEW-7]"""
    return event.failure.kind in RETRYABLE


def has_grant_to_resend(snapshot: Snapshot, event: RenewalDue) -> bool:
    """What was presented last is still young: nobody need be asked again. [RENEW-7] [RENEW-10]"""
    retry = snapshot.retry
    if retry is None or retry.grant is None:
        return False
    if isinstance(retry.grant, AccessTokenGrant):
        server_now = snapshot.now + snapshot.offset
        return server_now < expiry(snapshot.config, retry.grant.credential)
    return snapshot.now - retry.obtained_at < snapshot.config.auth_token_lifetime


def asks_handler(snapshot: Snapshot, event: RenewalDue) -> bool:
    """A handler comes first; sessions that can do without one renew themselves. [RENEW-12]"""
    if snapshot.kind is SessionKind.ACCESS_TOKEN:
        return True
    return snapshot.own_handler or snapshot.session_handler


def is_renewable(snapshot: Snapshot, event: RenewNow) -> bool:
    """Somebody can renew this session. [RENEW-12]"""
    return can_renew(snapshot, snapshot.kind)


# ── Guards: rejection, ban, logout ──────────────────────────────────────────────────────────────


def is_current_credential(snapshot: Snapshot, event: TokenRejected) -> bool:
    """The rejection is about the token in use, not an older one. [EXPIRE-3]"""
    return event.attempt == snapshot.credential_attempt


def is_busy(snapshot: Snapshot, event: TokenRejected) -> bool:
    """Something in flight will tell anyway whether the token is alive. [EXPIRE-3]"""
    return (
        snapshot.renewal is not None or snapshot.verification is not None or snapshot.revocation is not None
    )


def is_current_verification(
    snapshot: Snapshot, event: TokenConfirmed | TokenRefuted | VerificationFailed
) -> bool:
    """The platform answers the verification that is in flight now. [EXPIRE-3]"""
    return event.attempt == snapshot.verification


def concerns_this_session(snapshot: Snapshot, event: UserBanned | UserDeleted) -> bool:
    """This user's, and not heard over an earlier session. [BAN-3]

    Attempts are numbered in one sequence, so those of this session are not below its own.
    """
    if event.attempt is not None and event.attempt < snapshot.session:
        return False
    return event.user_id is None or event.user_id == snapshot.user_id


def is_revoking(snapshot: Snapshot, event: SecureLogout | RenewNow) -> bool:
    """A secure logout is on its way. [LOGOUT-4]"""
    return snapshot.revocation is not None


def is_renewing(snapshot: Snapshot, event: RevocationDue) -> bool:
    """The renewal that a secure logout waited for is still out. [LOGOUT-4]"""
    return snapshot.renewal is not None


def is_current_revocation(
    snapshot: Snapshot, event: TokenRevoked | RevocationDoubted | RevocationFailed
) -> bool:
    """The platform answers the revocation that is in flight now. [LOGOUT-4]"""
    revocation = snapshot.revocation
    return (
        revocation is not None
        and revocation.attempt == event.attempt
        and revocation.sent
        and revocation.check is None
    )


def is_revocation_check(
    snapshot: Snapshot, event: TokenConfirmed | TokenRefuted | VerificationFailed
) -> bool:
    """The platform answers the verification that a 401 to the revocation caused. [LOGOUT-3]"""
    revocation = snapshot.revocation
    return revocation is not None and revocation.check == event.attempt


# ── Reactions: logging in ───────────────────────────────────────────────────────────────────────


def start_login(draft: Snapshot, event: LoginRequest, out: Commands) -> None:
    """Number the attempt and present the grant. [LOGIN-1]"""
    grant = event.grant
    draft.attempt += 1
    draft.session = draft.attempt
    draft.kind = kind_of(grant)
    draft.user_id = _user_of(grant)
    draft.own_handler = event.own_handler
    out.append(OpenSession(draft.attempt, grant))


def adopt_credential(draft: Snapshot, event: SessionOpened, out: Commands) -> None:
    """The login succeeded: this is the session's credential. [LOGIN-2]"""
    draft.user_id = event.credential.user_id
    _use(draft, event.credential, event.attempt)
    out.append(ReleaseWaiters(event.attempt))


def fail_login(
    draft: Snapshot,
    event: SessionOpened | LoginFailed | LoginCancelled | UserBanned | UserDeleted | Logout,
    out: Commands,
) -> None:
    """The login came to nothing, and nothing of it stays behind. [LOGIN-3] [LOGIN-9]"""
    out.append(ReleaseWaiters(draft.session, _failure_of(draft, event)))
    _forget(draft)


def restore_session(draft: Snapshot, event: Resume, out: Commands) -> None:
    """Go on with a stored session, under a number of its own. [RESUME-1]"""
    record = event.record
    draft.attempt += 1
    draft.session = draft.attempt
    draft.kind = record.kind
    draft.user_id = record.credential.user_id
    draft.offset = record.offset
    _use(draft, record.credential, draft.attempt)


def store_record(draft: Snapshot, event: Event, out: Commands) -> None:
    """Have the session stored before it is told. [RESUME-2]"""
    if draft.credential is not None and draft.kind is not None:
        expired = draft.state is _TOKEN_EXPIRED
        out.insert(0, Persist(Record(draft.kind, draft.credential, expired, draft.offset)))


def forget_record(draft: Snapshot, event: Event, out: Commands) -> None:
    """Have the stored session deleted before the end is told. [LOGOUT-1] [BAN-4]"""
    out.insert(0, Persist(None))


def revoke_orphan(
    draft: Snapshot, event: SessionOpened | TokenRenewed | TokenOrphaned, out: Commands
) -> None:
    """Nobody will use this token, so nobody shall. [LOGIN-6]"""
    out.append(RevokeOrphan(event.credential))


# ── Reactions: renewing ─────────────────────────────────────────────────────────────────────────


def ask_handler(draft: Snapshot, event: RenewalDue, out: Commands) -> None:
    """Ask the app for something to renew with, and give it time to answer. [RENEW-4] [RENEW-6]"""
    deadline = draft.now + draft.config.answer_timeout
    draft.attempt += 1
    draft.renewal = Renewal(draft.attempt, _failures(draft), deadline)
    draft.retry = None
    out.append(AskRenewal(draft.attempt))


def renew_unaided(draft: Snapshot, event: RenewalDue, out: Commands) -> None:
    """Renew with what identifies the session already. [RENEW-12]"""
    if draft.kind is not None and draft.user_id is not None:
        _send(draft, unaided_grant(draft.kind, draft.user_id), draft.now, out)


def resend_grant(draft: Snapshot, event: RenewalDue, out: Commands) -> None:
    """Present the same thing again, under a new number. [RENEW-7]"""
    retry = draft.retry
    if retry is not None and retry.grant is not None:
        _send(draft, retry.grant, retry.obtained_at, out)


def send_renewal(draft: Snapshot, event: RenewalAnswered, out: Commands) -> None:
    """The handler answered: present that to the platform. [RENEW-4]"""
    renewal = draft.renewal
    if renewal is not None:
        draft.renewal = Renewal(renewal.attempt, renewal.failures, None, event.grant, draft.now)
        out.append(Renew(renewal.attempt, event.grant))


def replace_credential(draft: Snapshot, event: TokenRenewed, out: Commands) -> None:
    """The newest accepted answer always replaces the token. [RENEW-8] [RENEW-11]"""
    _end_verification(draft, out)
    _use(draft, event.credential, event.attempt)
    draft.renewal = None
    draft.retry = _respite(draft, event.credential)
    out.append(ReleaseWaiters(event.attempt))


def _respite(draft: Snapshot, credential: Credential) -> Retry | None:
    """Leave half of its time to a token that came too late to be renewed as planned. [RENEW-7]

    A backend that gives the same token again and again would be asked without a pause otherwise.
    """
    config = draft.config
    if draft.renew_at is None or draft.renew_at > draft.now + draft.offset:
        return None
    left = expiry(config, credential) - draft.offset - draft.now
    # It may outlast the token by a backoff, so whoever is denied meanwhile is told why.
    return Retry(draft.now + min(config.pause, max(left / 2, config.backoff)), 0, _TOO_LATE)


def back_off(draft: Snapshot, event: RenewalFailed, out: Commands) -> None:
    """Try the same again after a random time whose bound doubles with every failure. [RENEW-7]"""
    config, failures = draft.config, _failures(draft)
    bound = min(config.pause, config.backoff * 2.0 ** min(failures, 64))
    wait = max(_random(draft) * bound, min(event.failure.retry_after or 0.0, config.pause))
    _try_later(draft, wait, event.failure, out, keep_grant=True)


def pause_asking(
    draft: Snapshot,
    event: RenewalFailed | RenewalUnable | AnswerOverdue | TokenRenewed,
    out: Commands,
) -> None:
    """This will not get better in a moment: leave the app and its backend alone for a while. [RENEW-7]"""
    failure = _failure_of(draft, event)
    _try_later(draft, draft.config.pause, failure, out, keep_grant=False)


def end_pause(draft: Snapshot, event: RenewNow, out: Commands) -> None:
    """Renew as soon as may be. A renewal in flight is soon enough. [RENEW-9]"""
    if draft.renewal is None:
        retry = draft.retry or Retry(draft.now, 0)
        draft.retry = Retry(draft.now, retry.failures, None, retry.grant, retry.obtained_at)


def note_handlers(draft: Snapshot, event: HandlersChanged, out: Commands) -> None:
    """Know whether there is somebody to ask. Never moves the session. [HANDLER-2]"""
    draft.session_handler = event.session_handler
    draft.access_token_handler = event.access_token_handler


# ── Reactions: rejection, expiry, ban, logout ───────────────────────────────────────────────────


def start_verification(draft: Snapshot, event: TokenRejected, out: Commands) -> None:
    """A single 401 proves nothing: ask the platform, once for everybody. [EXPIRE-3]"""
    if draft.credential is not None:
        draft.attempt += 1
        draft.verification = draft.attempt
        out.append(Verify(draft.attempt, draft.credential))


def end_verification(
    draft: Snapshot,
    event: TokenConfirmed | TokenRefuted | VerificationFailed | TokenExpired,
    out: Commands,
) -> None:
    """Whatever it found: whoever waits for it looks again. [EXPIRE-3]"""
    _end_verification(draft, out)


def start_revocation(draft: Snapshot, event: SecureLogout, out: Commands) -> None:
    """Revoke first. An open question to the handler is withdrawn, a sent renewal awaited. [LOGOUT-4]"""
    draft.attempt += 1
    draft.revocation = Revocation(draft.attempt, draft.now + draft.config.wait_limit)
    if draft.renewal is not None and draft.renewal.grant is None:
        _end_renewal(draft, draft.renewal, _SUPERSEDED, out)


def send_revocation(draft: Snapshot, event: RevocationDue, out: Commands) -> None:
    """Void the token that is in use now. [LOGOUT-4]"""
    revocation = draft.revocation
    if revocation is not None and draft.credential is not None:
        draft.revocation = Revocation(revocation.attempt, revocation.deadline, sent=True)
        out.append(Revoke(revocation.attempt, draft.credential))


def check_revocation(draft: Snapshot, event: RevocationDoubted, out: Commands) -> None:
    """A 401 to a revocation may mean *void already*; one verification finds out. [LOGOUT-3]"""
    revocation = draft.revocation
    if revocation is not None and draft.credential is not None:
        draft.attempt += 1
        draft.revocation = Revocation(revocation.attempt, revocation.deadline, sent=True, check=draft.attempt)
        out.append(Verify(draft.attempt, draft.credential))


def abandon_revocation(
    draft: Snapshot,
    event: RevocationDue | RevocationFailed | TokenConfirmed | VerificationFailed,
    out: Commands,
) -> None:
    """The token could not be revoked: the session stays exactly as it was. [LOGOUT-3]"""
    if draft.revocation is not None:
        out.append(ReleaseWaiters(draft.revocation.attempt, _failure_of(draft, event)))
        draft.revocation = None


def disown_credential(draft: Snapshot, event: LoginCancelled, out: Commands) -> None:
    """The caller gave up a login that had just succeeded: it shall not have. [LOGIN-9]"""
    # An access token that the app presented may be of use to it yet.
    if draft.credential is not None and draft.kind is not SessionKind.ACCESS_TOKEN:
        out.append(RevokeOrphan(draft.credential))


def end_session(
    draft: Snapshot,
    event: LoginCancelled | Logout | SecureLogout | TokenRevoked | TokenRefuted | UserBanned | UserDeleted,
    out: Commands,
) -> None:
    """Nothing of the user is left, and nobody waits any longer. [LOGOUT-2] [BAN-4]"""
    if draft.renewal is not None:
        _end_renewal(draft, draft.renewal, _failure_of(draft, event), out)
    _end_verification(draft, out)
    if draft.revocation is not None:
        done = isinstance(event, TokenRevoked | TokenRefuted)
        out.append(ReleaseWaiters(draft.revocation.attempt, None if done else _failure_of(draft, event)))
    _forget(draft)
    match event:
        case UserBanned():
            draft.ended = TerminationReason.GLOBAL_BAN
        case UserDeleted():
            draft.ended = TerminationReason.USER_DELETED
        case _:
            pass


# ── Steps that reactions share ──────────────────────────────────────────────────────────────────

_SUPERSEDED = Failure(FailureKind.SUPERSEDED)
_LOGGED_OUT = Failure(FailureKind.LOGGED_OUT)
_TOO_LATE = Failure(FailureKind.EXPIRED_ON_ARRIVAL)


def _failure_of(draft: Snapshot, event: Event) -> Failure:
    """How an event that ends something reads to whoever waited for it."""
    match event:
        case LoginFailed() | RenewalFailed() | RevocationFailed() | VerificationFailed():
            return event.failure
        case UserBanned():
            return event.failure or Failure(FailureKind.BANNED)
        case UserDeleted():
            return event.failure or Failure(FailureKind.DELETED)
        case LoginCancelled():
            return Failure(FailureKind.CANCELLED)
        case RenewalUnable():
            return Failure(FailureKind.UNABLE)
        case AnswerOverdue():
            return Failure(FailureKind.NO_ANSWER)
        case RevocationDue():
            return Failure(FailureKind.UNREACHABLE)  # the renewal that was waited for
        case TokenConfirmed():
            return Failure(FailureKind.UNAUTHORIZED)  # to the revocation, though the token lives
        case SessionOpened() | TokenRenewed():
            wrong = draft.user_id is not None and event.credential.user_id != draft.user_id
            return Failure(FailureKind.WRONG_USER if wrong else FailureKind.EXPIRED_ON_ARRIVAL)
        case _:
            return _LOGGED_OUT


def _use(draft: Snapshot, credential: Credential, attempt: int) -> None:
    """Take a credential into use and plan its renewal: early by the jitter, never late. [RENEW-1]"""
    draft.credential = credential
    draft.credential_attempt = attempt
    draft.renew_at = None
    issued_at, expires_at, config = credential.issued_at, credential.expires_at, draft.config
    if expires_at is not None:
        lifetime = expires_at - issued_at
        window = config.renewal_share * (lifetime - min(config.margin, lifetime / 10))
        draft.renew_at = issued_at + window * (1 - config.jitter * _random(draft))


def _send(draft: Snapshot, grant: Grant, obtained_at: float, out: Commands) -> None:
    draft.attempt += 1
    draft.renewal = Renewal(draft.attempt, _failures(draft), None, grant, obtained_at)
    draft.retry = None
    out.append(Renew(draft.attempt, grant))


def _failures(draft: Snapshot) -> int:
    """How many attempts to renew failed in a row until now."""
    if draft.renewal is not None:
        return draft.renewal.failures
    return draft.retry.failures if draft.retry is not None else 0


def _try_later(draft: Snapshot, wait: float, failure: Failure, out: Commands, *, keep_grant: bool) -> None:
    renewal = draft.renewal
    if renewal is not None:
        grant = renewal.grant if keep_grant else None
        draft.retry = Retry(draft.now + wait, renewal.failures + 1, failure, grant, renewal.obtained_at)
        _end_renewal(draft, renewal, failure, out)


def _end_renewal(draft: Snapshot, renewal: Renewal, failure: Failure, out: Commands) -> None:
    out.append(ReleaseWaiters(renewal.attempt, failure))
    draft.renewal = None


def _end_verification(draft: Snapshot, out: Commands) -> None:
    if draft.verification is not None:
        out.append(ReleaseWaiters(draft.verification))
        draft.verification = None


def _forget(draft: Snapshot) -> None:
    """Forget the user. Numbers, the client's handlers and the platform's clock stay. [LOGOUT-2]"""
    draft.kind = draft.user_id = draft.credential = draft.renew_at = None
    draft.renewal = draft.retry = draft.verification = draft.revocation = None
    draft.ended = None
    draft.own_handler = False
    draft.credential_attempt = 0


def _random(draft: Snapshot) -> float:
    """A number from 0 up to 1, from the generator that the snapshot carries: replayable. (Knuth's MMIX)"""
    seed = draft.seed = (draft.seed * 6364136223846793005 + 1442695040888963407) & 0xFFFF_FFFF_FFFF_FFFF
    return (seed >> 11) * 2.0**-53
