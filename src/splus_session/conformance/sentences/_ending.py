"""Bans, deletions and logouts."""

from splus_session import Revoke, SecureLogout, SessionState, Verify
from splus_session.conformance._actions import LOGINS
from splus_session.conformance._moment import IN_SESSION, Moment
from splus_session.conformance.sentences._base import (
    BANS,
    ESTABLISHED,
    ESTABLISHING,
    NOT_LOGGED_IN,
    TERMINATED,
    TOKEN_EXPIRED,
    Judgement,
    Wrong,
    after_joining,
    carries_no_token,
    ends_well,
    first_wrong,
    is_where,
    listed,
    sends_nothing,
    sentence,
    tells_and_ends,
    tells_that,
)


def _ended_by_ban(moment: Moment) -> bool:
    return any(moment.took(*BANS, source=state, target=TERMINATED) for state in IN_SESSION)


@sentence("BAN-1", "A ban or a deletion terminates the session")
def _(moment: Moment) -> Judgement:
    return tells_that(moment) if _ended_by_ban(moment) else None


@sentence("BAN-1", "The reason of a termination is told", "reasons")
def _(moment: Moment) -> Judgement:
    if not _ended_by_ban(moment):
        return None
    told = [event for event in moment.heard.get(0, []) if event.text("state") == "terminated"]
    expected = [change.reason.value for change in moment.changes if change.state is TERMINATED]
    if told and told[0].text("reason") != expected[0]:
        return Wrong(f"the reason is {expected[0]}", f"the reason is {told[0].text('reason')}")
    return bool(told) or None


@sentence("BAN-2", "A ban or a deletion heard while establishing makes the login fail")
def _(moment: Moment) -> Judgement:
    if not moment.took(*BANS, source=ESTABLISHING):
        return None
    if moment.took("session_opened"):
        return None
    return tells_that(moment)


@sentence("BAN-3", "A ban is the same whatever tells it: a renewal, an API answer, a push")
def _(moment: Moment) -> Judgement:
    if not _ended_by_ban(moment) or moment.did("realtime"):
        return None
    return is_where(moment)


@sentence("BAN-3", "A ban of somebody else, of nobody, or of an earlier session changes nothing")
def _(moment: Moment) -> Judgement:
    if not moment.dropped(*BANS) or moment.changes:
        return None
    return tells_that(moment)


@sentence("BAN-4", "From terminated, only logout leads out")
def _(moment: Moment) -> Judgement:
    if moment.before.state is not TERMINATED or moment.after.state is not TERMINATED:
        return None
    if moment.surplus_asks:
        return Wrong("no handler is called", f"{len(moment.surplus_asks)} are called")
    return first_wrong(tells_that(moment), sends_nothing(moment))


@sentence("BAN-4", "When terminated, no request is authorised", "call")
def _(moment: Moment) -> Judgement:
    if moment.before.state is not TERMINATED or not moment.did("call"):
        return None
    sent = moment.api_requests
    if sent:
        return Wrong("no request", f"{sent[0].method} {sent[0].path} is sent")
    return ends_well(moment, "call")


@sentence("BAN-5", "The next login in the same process hears bans, deletions and expiry again")
def _(moment: Moment) -> Judgement:
    if moment.notes.get("stays", 0) < 2:
        return None
    if moment.took("token_rejected") and moment.lacks(Verify) and not moment.is_race:
        return Wrong("the rejection is verified", "it is not")
    if not _ended_by_ban(moment) and not moment.took("token_expired", "token_rejected"):
        return None
    if moment.states and not after_joining(moment, 0):  # what exactly is told is for others to judge
        return Wrong(f"told: {listed(moment.states)}", "told: nothing")
    return True


# ── Logging out ─────────────────────────────────────────────────────────────────────────────────


@sentence("LOGOUT-1", "Logout leads from established to notLoggedIn")
def _(moment: Moment) -> Judgement:
    return _logs_out(moment, ESTABLISHED)


@sentence("LOGOUT-1", "Logout leads from establishing to notLoggedIn")
def _(moment: Moment) -> Judgement:
    return _logs_out(moment, ESTABLISHING)


@sentence("LOGOUT-1", "Logout leads from tokenExpired to notLoggedIn")
def _(moment: Moment) -> Judgement:
    return _logs_out(moment, TOKEN_EXPIRED)


@sentence("LOGOUT-1", "Logout leads from terminated to notLoggedIn")
def _(moment: Moment) -> Judgement:
    return _logs_out(moment, TERMINATED)


@sentence("LOGOUT-1", "Logging out again changes nothing")
def _(moment: Moment) -> Judgement:
    return _logs_out(moment, NOT_LOGGED_IN)


def _logs_out(moment: Moment, source: SessionState) -> Judgement:
    if not moment.did("logout") or not moment.took("logout", source=source):
        return None
    return tells_and_ends(moment, "logout")


@sentence("LOGOUT-1", "Logout needs no network")
def _(moment: Moment) -> Judgement:
    if not moment.did("logout") or moment.client != moment.action.client:
        return None
    return sends_nothing(moment)


def _is_after_logout(moment: Moment) -> bool:
    left = moment.notes.get("left") == "logged out" or moment.took("logout", "token_revoked")
    return left and moment.after.state is NOT_LOGGED_IN and moment.look is not None


@sentence("LOGOUT-2", "After logout, no user id is left")
def _(moment: Moment) -> Judgement:
    if not _is_after_logout(moment) or moment.look is None:
        return None
    if moment.look.user_id is not None and moment.is_agreed:
        return Wrong("no user id", f"the user id is still {moment.look.user_id}")
    return True


@sentence("LOGOUT-2", "After logout, no handler is called")
def _(moment: Moment) -> Judgement:
    if not _is_after_logout(moment):
        return None
    if moment.surplus_asks:
        return Wrong("no handler is called", "a handler is called for a user who is logged out")
    return True


@sentence("LOGOUT-2", "After logout, nothing is sent for that session")
def _(moment: Moment) -> Judgement:
    # What an action asks for, and what is answered late, is for others to judge.
    if not _is_after_logout(moment) or moment.did("answer", "release", "secure_logout", "renew_now", *LOGINS):
        return None
    return sends_nothing(moment)


@sentence("LOGOUT-2", "After logout, no request carries a token", "call")
def _(moment: Moment) -> Judgement:
    return carries_no_token(moment, "logged out")


@sentence("LOGOUT-3", "A secure logout revokes the token first", "secure_logout")
def _(moment: Moment) -> Judgement:
    wanted = [command for step in moment.steps for command in step.commands if isinstance(command, Revoke)]
    if not wanted:
        return None
    if moment.lacks(Revoke):
        return Wrong("DELETE /api/v4/sessions", "nothing is sent")
    if moment.with_another_token(Revoke):
        return Wrong("DELETE /api/v4/sessions, with the session's token", "it carries another one")
    return True


@sentence("LOGOUT-3", "A secure logout that succeeds leads to notLoggedIn", "secure_logout")
def _(moment: Moment) -> Judgement:
    if not moment.took("token_revoked"):
        return None
    return tells_and_ends(moment, "secure_logout")


@sentence("LOGOUT-3", "A secure logout that fails leaves the session as it was, and says so", "secure_logout")
def _(moment: Moment) -> Judgement:
    if not moment.took("revocation_failed") or moment.changes:
        return None
    return tells_and_ends(moment, "secure_logout")


@sentence("LOGOUT-3", "A 401 to the revocation counts only after one verification", "secure_logout")
def _(moment: Moment) -> Judgement:
    if not moment.took("revocation_doubted"):
        return None
    if moment.lacks(Verify):
        return Wrong("GET /api/v3/sessions, once", "it is not verified")
    if moment.with_another_token(Verify):
        return Wrong("GET /api/v3/sessions, with the session's token", "it carries another one")
    return tells_and_ends(moment, "secure_logout")


@sentence("LOGOUT-4", "While establishing, a secure logout is refused", "secure_logout")
def _(moment: Moment) -> Judgement:
    if moment.before.state is not ESTABLISHING or not moment.dropped("secure_logout"):
        return None
    return first_wrong(ends_well(moment, "secure_logout"), sends_nothing(moment), is_where(moment))


@sentence("LOGOUT-4", "Where there is nothing to revoke, a secure logout is a logout", "secure_logout")
def _(moment: Moment) -> Judgement:
    if not any(moment.took("secure_logout", source=state) for state in (NOT_LOGGED_IN, TERMINATED)):
        return None
    return first_wrong(tells_and_ends(moment, "secure_logout"), sends_nothing(moment))


@sentence("LOGOUT-4", "A second secure logout joins the first", "secure_logout")
def _(moment: Moment) -> Judgement:
    second = moment.before.revocation is not None and moment.given(SecureLogout)
    return first_wrong(sends_nothing(moment), is_where(moment)) if second else None


@sentence("LOGOUT-4", "A secure logout awaits a renewal on its way", "secure_logout")
def _(moment: Moment) -> Judgement:
    renewal = moment.before.renewal
    if renewal is None or renewal.grant is None or not moment.given(SecureLogout):
        return None
    return first_wrong(sends_nothing(moment), is_where(moment))


@sentence("LOGOUT-4", "When tokenExpired, a secure logout revokes too", "secure_logout")
def _(moment: Moment) -> Judgement:
    if not moment.took("secure_logout", source=TOKEN_EXPIRED) or moment.before.revocation is not None:
        return None
    if moment.lacks(Revoke):
        return Wrong("DELETE /api/v4/sessions", "nothing is sent")
    return is_where(moment)


@sentence(
    "LOGOUT-4", "What ends a session during a secure logout wins, and the caller is told", "secure_logout"
)
def _(moment: Moment) -> Judgement:
    during = moment.before.revocation is not None and moment.took("logout", *BANS)
    return tells_and_ends(moment, "secure_logout") if during else None
