"""Renewals."""

from splus_session import AccessTokenGrant, FailureKind, Renew, RenewalAnswered
from splus_session._core import Denied
from splus_session.conformance._moment import IN_SESSION, OPENING, Moment
from splus_session.conformance.sentences._base import (
    ESTABLISHED,
    ESTABLISHING,
    TOKEN_EXPIRED,
    Judgement,
    Wrong,
    ends_well,
    first_wrong,
    is_where,
    sends_nothing,
    sent,
    sentence,
    tells_that,
    wrong_end,
)

_OF_RENEWAL = ("renewal_due", "renewal_answered", "renewal_unable", "answer_overdue", "renewal_failed")


@sentence("RENEW-1", "A renewal is asked for at 0.8 of the lifetime less the margin, at the latest")
def _(moment: Moment) -> Judgement:
    if not _is_planned(moment):
        return None
    if moment.notes.get("asked_early"):
        return Wrong("the renewal is asked for when it is due", "it is asked for long before")
    if moment.unasked:
        return Wrong("the renewal is asked for by now", "nobody is asked")
    return True


def _is_planned(moment: Moment) -> bool:
    """Whether it was time for the first renewal of a token."""
    return moment.before.retry is None and moment.took("renewal_due", source=ESTABLISHED)


@sentence("RENEW-2", "A session that renews ahead of time stays established")
def _(moment: Moment) -> Judgement:
    ahead = moment.took(*_OF_RENEWAL, "token_renewed", source=ESTABLISHED, target=ESTABLISHED)
    if not ahead or moment.changes:
        return None
    if moment.look is not None and moment.look.state == ESTABLISHING.value:
        return Wrong("it is established", "it is establishing")
    return tells_that(moment)


@sentence("RENEW-2", "The old token stays in use while it is renewed ahead", "call")
def _(moment: Moment) -> Judgement:
    if not moment.did("call") or moment.before.renewal is None or moment.before.state is not ESTABLISHED:
        return None
    if moment.after.state is not ESTABLISHED:
        return None
    return ends_well(moment, "call")


@sentence("RENEW-3", "At most one renewal is in flight")
def _(moment: Moment) -> Judgement:
    if moment.before.renewal is None or moment.after.state not in IN_SESSION:
        return None
    if moment.surplus_asks and moment.after.renewal is not None:
        return Wrong("nobody is asked again", "a handler is asked while a renewal is in flight")
    posts = [record for record in moment.surplus if record.endpoint in OPENING]
    return Wrong("no other renewal", sent(moment)) if posts else True


@sentence("RENEW-3", "A renewal that is due is asked for once")
def _(moment: Moment) -> Judgement:
    if not moment.took("renewal_due"):
        return None
    if moment.surplus_asks:
        times = len(moment.asked) + len(moment.surplus_asks)
        return Wrong("one call of one handler", f"{times} calls of handlers")
    return True


@sentence("RENEW-4", "What the handler answers is what is sent")
def _(moment: Moment) -> Judgement:
    answered = [
        step.event
        for step in moment.steps
        if isinstance(step.event, RenewalAnswered) and step.row is not None
    ]
    if not answered:
        return None
    if moment.lacks(Renew):
        return Wrong("the renewal is sent", "nothing is sent")
    inexact = [flight for flight in moment.flights if isinstance(flight.wanted, Renew) and not flight.exact]
    if inexact and inexact[0].record is not None:
        record = inexact[0].record
        return Wrong(
            "the renewal presents what the handler gave",
            f"{record.method} {record.path}, with {', '.join(sorted(record.fields))}",
        )
    return True


@sentence("RENEW-4", "An answer with a malformed argument raises, and leaves the renewal open")
def _(moment: Moment) -> Judgement:
    malformed = [call for call in moment.ends("answer") if call.kinds]
    if not malformed:
        return None
    return first_wrong(*(wrong_end(call) for call in malformed), sends_nothing(moment))


@sentence("RENEW-5", "A renewal that is over is not answered again")
def _(moment: Moment) -> Judgement:
    return _is_answered_in_vain(moment) if moment.before.state in IN_SESSION else None


@sentence("RENEW-5", "After a logout or a ban, the answer to a renewal logs nobody in")
def _(moment: Moment) -> Judgement:
    return _is_answered_in_vain(moment) if moment.before.state not in IN_SESSION else None


def _is_answered_in_vain(moment: Moment) -> Judgement:
    """What is answered to a renewal that is over leads to nothing."""
    if moment.notes.get("answered_open", True) or not moment.ends("answer"):
        return None
    return first_wrong(sends_nothing(moment), tells_that(moment))


@sentence("RENEW-6", "A handler that misbehaves is unable, and does no harm")
def _(moment: Moment) -> Judgement:
    if "misbehaved" not in moment.notes and not moment.took("answer_overdue"):
        return None
    if moment.uncaught:
        return Wrong("it counts as unable", f"uncaught: {moment.uncaught[0]}")
    return first_wrong(sends_nothing(moment), is_where(moment))


@sentence("RENEW-6", "After a handler was unable, it is asked again", "time")
def _(moment: Moment) -> Judgement:
    retry = moment.before.retry
    if retry is None or retry.failure is None or not moment.took("renewal_due"):
        return None
    if retry.failure.kind not in (FailureKind.UNABLE, FailureKind.NO_ANSWER):
        return None
    if moment.unasked:
        return Wrong("it is asked again when the pause is over", "it is not asked")
    return True


@sentence("RENEW-7", "After a handler was unable or was refused, nothing is asked for a pause", "time")
def _(moment: Moment) -> Judgement:
    retry = moment.before.retry
    if retry is None or retry.failure is None or retry.grant is not None:
        return None
    if moment.did("renew_now", "set_access_token_handler") or moment.after.state not in IN_SESSION:
        return None
    if moment.notes.get("asked_early") or (moment.surplus_asks and moment.after.renewal is None):
        return Wrong("nobody is asked before the pause is over", "a handler is asked before that")
    return sends_nothing(moment) if moment.did(*_TIME) else True


_TIME = ("until", "advance", "sleep", "jump")


@sentence("RENEW-7", "Retries back off: they do not come ever again at once", "time")
def _(moment: Moment) -> Judgement:
    failed = [flight for flight in moment.answered if isinstance(flight.wanted, Renew)]
    if len(failed) < 2 or not moment.took("renewal_failed") or moment.notes.get("seconds", 9.9) > 2:
        return len(failed) > 0 and moment.took("renewal_failed")
    many = len(failed) + len(moment.surplus) >= _MANY
    return (
        Wrong("fewer with every failure", f"{len(failed)} in {moment.notes['seconds']:g} s") if many else True
    )


_MANY = 5
"""So many retries within two seconds do not come of full jitter: once in a hundred thousand times."""


@sentence("RENEW-7", "After trouble that may pass, the renewal is sent again, backing off", "time")
def _(moment: Moment) -> Judgement:
    retry = moment.before.retry
    failed = [flight for flight in moment.answered if isinstance(flight.wanted, Renew)]
    if retry is not None and retry.grant is not None and moment.took("renewal_due"):
        if moment.lacks(Renew) or moment.unasked:
            return Wrong("it is sent again by now", "nothing is sent")
        if moment.notes.get("renewed_early"):
            return Wrong(
                "it is sent again when the time that the platform asked for is over", "it is sent before"
            )
        return True
    if failed and moment.took("renewal_failed") and (moment.surplus or moment.notes.get("renewed_early")):
        return Wrong("it is sent again after a while", "it is sent again before that")
    return None


@sentence("RENEW-7", "A renewal that failed leaves a live session as it was")
def _(moment: Moment) -> Judgement:
    if (
        "misbehaved" in moment.notes  # that is another sentence's
        or not moment.took("renewal_failed", "renewal_unable", "answer_overdue", source=ESTABLISHED)
        or moment.changes
    ):
        return None
    if moment.uncaught:
        return Wrong("the failure is the session's matter", f"uncaught: {moment.uncaught[0]}")
    return is_where(moment)


@sentence("RENEW-8", "A renewal that succeeds after expiry leads back to established")
def _(moment: Moment) -> Judgement:
    if not moment.took("token_renewed", source=TOKEN_EXPIRED, target=ESTABLISHED):
        return None
    judged = tells_that(moment)
    if isinstance(judged, Wrong) or moment.look is None:
        return judged
    if moment.after.state is ESTABLISHED and moment.look.user_id != moment.after.user_id:
        return Wrong(f"the user is {moment.after.user_id}", f"the user is {moment.look.user_id}")
    return True


@sentence("RENEW-8", "A session that recovered is renewed again when that is due")
def _(moment: Moment) -> Judgement:
    if not moment.notes.get("recovered") or not _is_planned(moment):
        return None
    return Wrong("the renewal is asked for by now", "nobody is asked") if moment.unasked else True


@sentence("RENEW-9", "A renewal that fails after expiry leaves the session there")
def _(moment: Moment) -> Judgement:
    if not moment.took("renewal_failed", "renewal_unable", "answer_overdue", source=TOKEN_EXPIRED):
        return None
    if moment.changes:
        return None
    return tells_that(moment)


@sentence("RENEW-9", "Asking to renew now ends a pause", "renew_now")
def _(moment: Moment) -> Judgement:
    if not moment.took("renew_now") or moment.before.retry is None:
        return None
    if moment.unasked or moment.lacks(Renew):
        return Wrong("the renewal is asked for", "nobody is asked")
    return True


@sentence(
    "RENEW-10",
    "A session of an access token is renewed by on_token_renew, with its user",
    "access_token",
)
def _(moment: Moment) -> Judgement:
    kind = moment.after.kind
    if kind is None or kind.value != "accessToken" or not moment.took("renewal_due"):
        return None
    if moment.unasked:
        return Wrong("on_token_renew is called", "nobody is asked")
    wrong = [event for event in moment.asked if event.text("user_id") != moment.after.user_id]
    return (
        Wrong(f"it is asked for {moment.after.user_id}", f"for {wrong[0].text('user_id')}") if wrong else True
    )


@sentence("RENEW-10", "The token that on_token_renew gives is verified", "access_token")
def _(moment: Moment) -> Judgement:
    answered = [
        step.event
        for step in moment.steps
        if isinstance(step.event, RenewalAnswered)
        and step.row is not None
        and isinstance(step.event.grant, AccessTokenGrant)
    ]
    if not answered:
        return None
    if moment.lacks(Renew):
        return Wrong("GET /api/v3/sessions, with that token", "it is not verified")
    return is_where(moment)


@sentence(
    "RENEW-10", "When the platform is away, the same access token is tried again", "access_token", "time"
)
def _(moment: Moment) -> Judgement:
    retry = moment.before.retry
    if retry is None or not isinstance(retry.grant, AccessTokenGrant) or not moment.took("renewal_due"):
        return None
    if moment.surplus_asks or moment.lacks(Renew):
        return Wrong(
            "GET /api/v3/sessions, with the same token", "another token is asked for, or nothing sent"
        )
    return True


@sentence("RENEW-10", "Another user's token from on_token_renew changes nothing", "access_token")
def _(moment: Moment) -> Judgement:
    if moment.notes.get("app") != "wrong_user" or not moment.ends("answer"):
        return None
    if moment.after.kind is None or moment.after.kind.value != "accessToken":
        return None
    return first_wrong(tells_that(moment), _users(moment))


def _users(moment: Moment) -> Judgement:
    if moment.look is not None and moment.look.user_id not in (None, moment.after.user_id):
        return Wrong(f"the user is {moment.after.user_id}", f"the user is {moment.look.user_id}")
    return True


@sentence("RENEW-11", "The newest accepted answer replaces the token", "call")
def _(moment: Moment) -> Judgement:
    if not moment.notes.get("renewed") or not moment.did("call") or moment.before.renewal is not None:
        return None
    current = moment.before.credential
    if moment.before.state is not ESTABLISHED or moment.after.state is not ESTABLISHED or current is None:
        return None
    carried = moment.api_requests
    if carried and carried[0].access_token != current.access_token:
        return Wrong("the request carries the newest token", "it carries an older one, or none")
    return bool(carried) or None


@sentence("RENEW-11", "A token that is expired on arrival is a failed renewal")
def _(moment: Moment) -> Judgement:
    refused = (
        moment.took("token_renewed")
        and moment.after.renewal is None
        and any(
            step.row is not None
            and "pause_asking" in step.row.reactions
            and step.row.event == "token_renewed"
            for step in moment.steps
        )
    )
    return tells_that(moment) if refused else None


@sentence("RENEW-12", "Who needs no handler renews without one")
def _(moment: Moment) -> Judgement:
    unaided = any(step.row is not None and "renew_unaided" in step.row.reactions for step in moment.steps)
    if not unaided:
        return None
    if moment.lacks(Renew):
        return Wrong("the renewal is sent", "nothing is sent")
    return True


@sentence("RENEW-12", "Who needs a handler and has none fails at expiry, at once", "call")
def _(moment: Moment) -> Judgement:
    denied = moment.notes.get("call_when")
    if not isinstance(denied, Denied) or denied.failure is None or moment.before.state is not TOKEN_EXPIRED:
        return None
    if denied.failure.kind is not FailureKind.NO_HANDLER:
        return None
    return ends_well(moment, "call")
