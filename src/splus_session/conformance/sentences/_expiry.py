"""Expiry, rejection and clocks."""

from splus_session import Renew, TokenRejected, Verify
from splus_session._core import Denied, Waiting
from splus_session.conformance._moment import OPENING, Moment, best_before
from splus_session.conformance.sentences._base import (
    ESTABLISHED,
    NOT_LOGGED_IN,
    TERMINATED,
    TOKEN_EXPIRED,
    Judgement,
    Wrong,
    ends_well,
    first_wrong,
    sentence,
    tells_that,
    wrong_end,
)
from splus_session.testing import Endpoint


@sentence("EXPIRE-1", "At expiry the session becomes tokenExpired, and this is told once")
def _(moment: Moment) -> Judgement:
    if not moment.took("token_expired"):
        return None
    return tells_that(moment)


@sentence("EXPIRE-1", "At expiry a renewal starts, or goes on")
def _(moment: Moment) -> Judgement:
    if not moment.took("token_expired") or not moment.took("renewal_due"):
        return None
    if moment.unasked or moment.lacks(Renew):
        return Wrong("the renewal is asked for", "nobody is asked")
    return True


@sentence("EXPIRE-2", "No request leaves with a token that is dead, or of another session")
def _(moment: Moment) -> Judgement:
    held = [snapshot.credential for snapshot in (moment.before, moment.after, *moment.notes["held"])]
    tokens = {credential.access_token: credential for credential in held if credential is not None}
    reached: Judgement = None
    for record in moment.requests:
        if record.access_token is None or record.endpoint in (Endpoint.VERIFY, Endpoint.REVOKE):
            continue
        if record.endpoint in OPENING:
            continue  # the vendor's own clients send the old token along with a renewal
        reached = True
        credential = tokens.get(record.access_token)
        what = f"{record.method} {record.path}"
        if credential is None and not moment.notes["several"]:
            return Wrong("no request with a token that the session does not have", f"{what}, with one")
        if credential is not None and credential.expires_at is not None:
            if record.at >= best_before(credential) and moment.notes["knows_time"]:
                late = record.at - credential.expires_at
                return Wrong(
                    "no request with a token that is expired", f"{what}, {late:g} s after its expiry"
                )
    return reached


@sentence("EXPIRE-3", "A rejection is verified once", "call")
def _(moment: Moment) -> Judgement:
    verified = [command for step in moment.steps for command in step.commands if isinstance(command, Verify)]
    rejected = any(isinstance(step.event, TokenRejected) for step in moment.steps)
    if not rejected or moment.is_race:
        return None
    if moment.lacks(Verify):
        return Wrong("GET /api/v3/sessions, once", "it is not verified")
    if moment.with_another_token(Verify):
        return Wrong("GET /api/v3/sessions, with the token that was rejected", "it carries another one")
    surplus = [record for record in moment.surplus if record.endpoint is Endpoint.VERIFY]
    if surplus:
        return Wrong(f"{len(verified)} verifications", f"{len(verified) + len(surplus)} verifications")
    return True


@sentence("EXPIRE-3", "A rejection that is not confirmed changes nothing", "call")
def _(moment: Moment) -> Judgement:
    rejected = any(isinstance(step.event, TokenRejected) for step in moment.steps)
    if not rejected or moment.changes:
        return None
    return tells_that(moment)


@sentence("EXPIRE-3", "A rejection that is confirmed makes the token expired", "call")
def _(moment: Moment) -> Judgement:
    if not moment.took("token_refuted", source=ESTABLISHED, target=TOKEN_EXPIRED):
        return None
    return tells_that(moment)


@sentence("EXPIRE-4", "Clocks that differ, sleep or are set do no harm", "time")
def _(moment: Moment) -> Judgement:
    special = moment.notes.get("time") in ("sleep", "jump") or abs(moment.now - moment.server_now) > 60
    if not special or not moment.steps:
        return None
    if moment.notes.get("time") is None and not moment.took("session_opened"):
        return None  # no clock has a part in it
    if any(flight.answer is not None and flight.answer.failure for flight in moment.answered):
        return None  # what an error does is for others to judge
    judged = tells_that(moment)
    if isinstance(judged, Wrong):
        return judged
    if moment.unasked:
        return Wrong("the renewal is asked for", "nobody is asked")
    return ends_well(moment, "login", "call")


@sentence("EXPIRE-4", "What was to come after a pause comes, though the clock was set back meanwhile", "jump")
def _(moment: Moment) -> Judgement:
    if not moment.notes["set_back"] or moment.before.retry is None or not moment.took("renewal_due"):
        return None
    if moment.unasked or moment.lacks(Renew):
        return Wrong("the renewal is asked for, or sent", "nothing happens")
    return True


@sentence("EXPIRE-4", "A token that says nothing of its expiry is not ended by the clock", "time")
def _(moment: Moment) -> Judgement:
    credential = moment.before.credential
    if credential is None or credential.expires_at is not None or moment.notes["lax"]:
        return None
    if moment.notes.get("time") is None or moment.before.retry or moment.before.renewal:
        return None
    if moment.before.revocation is not None:
        return None  # when that is over, what it kept waiting begins
    if moment.surplus_asks or moment.surplus or moment.asked:
        return Wrong("it is not renewed by the clock", "a renewal is asked for, or sent")
    return tells_that(moment)


@sentence("EXPIRE-5", "A request that cannot be authorised fails at once, unsent", "call")
def _(moment: Moment) -> Judgement:
    if not moment.did("call") or not isinstance(moment.notes.get("call_when"), Denied):
        return None
    if moment.action.how == "twice":
        return None  # the first may have been authorised
    if moment.after.state not in (NOT_LOGGED_IN, TERMINATED, TOKEN_EXPIRED):
        return None
    calls = moment.api_requests
    if calls:
        return Wrong("no request", f"{calls[0].method} {calls[0].path} is sent")
    return ends_well(moment, "call")


@sentence("EXPIRE-5", "A request waits for a login or a renewal on its way", "call")
def _(moment: Moment) -> Judgement:
    if not moment.did("call") or not isinstance(moment.notes.get("call_when"), Waiting):
        return None
    if moment.changes or moment.before.state is ESTABLISHED:
        return None
    calls = moment.api_requests
    if calls:
        return Wrong("the request waits", f"{calls[0].method} {calls[0].path} is sent")
    early = [call for call in moment.ends("call") if not call.is_due]
    return first_wrong(*(wrong_end(call) for call in early))


@sentence("EXPIRE-5", "Whoever waits for a token is released with what they wait for", "call")
def _(moment: Moment) -> Judgement:
    waited = [call for call in moment.ends("call") if not moment.did("call")]
    if not waited:
        return None
    return first_wrong(*(wrong_end(call) for call in waited))
