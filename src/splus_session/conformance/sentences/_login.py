"""Clients, logins and handlers."""

from splus_session import AccessTokenGrant, BotGrant, OpenSession, Renew, RevokeOrphan, VisitorGrant
from splus_session._core import Granted, authorize
from splus_session.conformance._actions import LOGINS
from splus_session.conformance._moment import Moment, Wanted
from splus_session.conformance.sentences._base import (
    BANS,
    ESTABLISHED,
    ESTABLISHING,
    NOT_LOGGED_IN,
    Judgement,
    Wrong,
    carries_no_token,
    ends_well,
    first_wrong,
    is_where,
    sends_nothing,
    sentence,
    tells_that,
    wrong_end,
)
from splus_session.testing import Endpoint


@sentence("CLIENT-1", "What no client can be made of is refused when it is made")
def _(moment: Moment) -> Judgement:
    if "wrongly" not in moment.notes:
        return None
    return ends_well(moment, "open")


@sentence("CLIENT-2", "What happens to one client does not happen to another", "several")
def _(moment: Moment) -> Judgement:
    acted = moment.action.client
    if acted not in ("a", "b") or acted == moment.client or not moment.is_open or moment.steps:
        return None
    if moment.heard or moment.surplus_asks or moment.hooked:
        return Wrong("client " + moment.client + " tells nothing", f"told: {moment.told()}")
    return is_where(moment)


@sentence("CLIENT-2", "A client's requests carry its own token, and no other client's", "several", "call")
def _(moment: Moment) -> Judgement:
    current = moment.before.credential
    if not moment.did("call") or not moment.notes["several"] or moment.before.state is not ESTABLISHED:
        return None
    if moment.after.credential is not current or current is None:
        return None
    carried = moment.api_requests
    others = {
        snapshot.credential.access_token
        for snapshot in moment.notes["held"]
        if snapshot.credential is not None and snapshot.user_id != moment.before.user_id
    }
    if any(record.access_token in others for record in carried):
        return Wrong("the request carries its client's token", "it carries another client's")
    return bool(carried) or None


@sentence("CLIENT-3", "Closing is no logout: no state is told", "close")
def _(moment: Moment) -> Judgement:
    if "closed" not in moment.notes:
        return None
    if moment.heard:
        return Wrong("no state is told", f"told: {', '.join(moment.told())}")
    return ends_well(moment, "close")


@sentence("CLIENT-3", "Closing releases whoever waits", "close")
def _(moment: Moment) -> Judgement:
    waited = [call for call in moment.calls if call.do != "close" and "closed" in (call.kinds or ())]
    if "closed" not in moment.notes or not waited:
        return None
    return first_wrong(*(wrong_end(call) for call in waited))


@sentence("CLIENT-3", "A client that is closed does nothing any more", "close")
def _(moment: Moment) -> Judgement:
    if moment.is_open or "closed" in moment.notes or "wrongly" in moment.notes:
        return None
    if moment.heard or moment.surplus_asks or moment.hooked:
        return Wrong("nothing is told", f"told: {moment.told()}, asked: {len(moment.surplus_asks)}")
    return sends_nothing(moment)


# ── Logging in ──────────────────────────────────────────────────────────────────────────────────


@sentence("LOGIN-1", "A login is refused unless nobody is logged in, and sends nothing")
def _(moment: Moment) -> Judgement:
    if not moment.dropped(*LOGINS) or moment.before.state is NOT_LOGGED_IN:
        return None
    return first_wrong(ends_well(moment, *LOGINS), sends_nothing(moment), is_where(moment))


@sentence("LOGIN-1", "A login leads to establishing")
def _(moment: Moment) -> Judgement:
    if not moment.took(*LOGINS, source=NOT_LOGGED_IN):
        return None
    if moment.missing and moment.after.state is ESTABLISHING:
        return Wrong("the login is sent", "nothing is sent")
    told = moment.told()
    return (
        True
        if "establishing" in told
        else Wrong("told: establishing", f"told: {', '.join(told) or 'nothing'}")
    )


@sentence("LOGIN-2", "A login that succeeds leads to established")
def _(moment: Moment) -> Judgement:
    if not moment.took("session_opened", source=ESTABLISHING, target=ESTABLISHED) or moment.notes.get(
        "observer_logged_out"
    ):
        return None
    if "established" not in moment.told():
        return Wrong("told: established", f"told: {', '.join(moment.told()) or 'nothing'}")
    return first_wrong(
        is_where(moment) if moment.after.state is ESTABLISHED else True, ends_well(moment, *LOGINS)
    )


@sentence("LOGIN-2", "When established is told, the user id is in place")
def _(moment: Moment) -> Judgement:
    told = [
        event
        for event in moment.heard.get(0, [])
        if event.text("state") == "established" and "user_id" in event.fields
    ]
    if (
        not moment.took("session_opened", source=ESTABLISHING, target=ESTABLISHED)
        or not told
        or moment.after.state is not ESTABLISHED
    ):
        return None
    if told[0].text("user_id") is None:
        return Wrong("the user id is there", "there is none while established is told")
    return True


@sentence("LOGIN-2", "While established, requests are authorised", "call")
def _(moment: Moment) -> Judgement:
    snapshots, credential = (moment.before, moment.after), moment.after.credential
    if not moment.did("call") or moment.steps or moment.before.credential is not credential:
        return None
    if not all(isinstance(authorize(each), Granted) and each.revocation is None for each in snapshots):
        return None
    if moment.is_almost_expired:
        return None
    return ends_well(moment, "call")


def _failed_login(moment: Moment) -> bool:
    return moment.took("login_failed", source=ESTABLISHING) or moment.took(
        "session_opened", *BANS, source=ESTABLISHING, target=NOT_LOGGED_IN
    )


@sentence("LOGIN-3", "A login that fails leads back to notLoggedIn")
def _(moment: Moment) -> Judgement:
    if not _failed_login(moment):
        return None
    if moment.is_agreed and moment.told()[-1:] != ["notLoggedIn"]:
        return Wrong("told: notLoggedIn", f"told: {', '.join(moment.told()) or 'nothing'}")
    return is_where(moment)


@sentence("LOGIN-3", "A login that fails raises an error that says whose move it is")
def _(moment: Moment) -> Judgement:
    if not moment.took("login_failed", source=ESTABLISHING) and not moment.took(
        "session_opened", source=ESTABLISHING, target=NOT_LOGGED_IN
    ):
        return None
    return ends_well(moment, *LOGINS)


@sentence("LOGIN-3", "When the call of a login fails, nobody is logged in")
def _(moment: Moment) -> Judgement:
    failed = [
        call for call in moment.ends(*LOGINS) if call.ended is not None and call.ended.event == "failed"
    ]
    if not failed or moment.look is None or moment.before.state not in (NOT_LOGGED_IN, ESTABLISHING):
        return None
    if moment.look.state == "established" and moment.told()[-1:] == ["established"]:
        return Wrong("nobody is logged in", f"{failed[0].do} fails, and the session is established")
    return True


@sentence("LOGIN-3", "A login that failed leaves no token behind", "call")
def _(moment: Moment) -> Judgement:
    return carries_no_token(moment, "failed")


@sentence("CLIENT-1", "A client is in production unless it is told otherwise")
@sentence("LOGIN-4", "A production login without an auth token is refused before anything is sent")
def _(moment: Moment) -> Judgement:
    if moment.action.how != "ann_without" or not moment.dropped("login"):
        return None
    if moment.before.state is not NOT_LOGGED_IN:
        return None
    return first_wrong(sends_nothing(moment), ends_well(moment, "login"), tells_that(moment))


@sentence("LOGIN-4", "In development a user id is enough", "development")
def _(moment: Moment) -> Judgement:
    if moment.action.how != "ann_without" or not moment.took("login"):
        return None
    if moment.lacks(OpenSession):
        return Wrong("the login is sent", "nothing is sent")
    return True


@sentence("LOGIN-5", "A banned or deleted user gets an error that says so")
def _(moment: Moment) -> Judgement:
    if not moment.took(*BANS, source=ESTABLISHING, target=NOT_LOGGED_IN) or not moment.answered:
        return None
    return ends_well(moment, *LOGINS)


@sentence("LOGIN-5", "A banned user is not let in, whatever tells of it")
def _(moment: Moment) -> Judgement:
    return _is_kept_out(moment, "user_banned")


@sentence("LOGIN-5", "A deleted user is not let in, whatever tells of it")
def _(moment: Moment) -> Judgement:
    return _is_kept_out(moment, "user_deleted")


def _is_kept_out(moment: Moment, by: str) -> Judgement:
    if not moment.took(by, source=ESTABLISHING, target=NOT_LOGGED_IN) or not moment.answered:
        return None
    if "established" in moment.told():
        return Wrong("established is not told", "established is told")
    return True


@sentence("LOGIN-6", "A late answer changes nothing")
def _(moment: Moment) -> Judgement:
    late = any(
        step.event.__class__.__name__ in ("SessionOpened", "LoginFailed", "TokenRenewed", "RenewalFailed")
        and (step.row is None or (step.row.internal and step.row.reactions == ("revoke_orphan",)))
        for step in moment.steps
    )
    if not late or moment.changes:
        return None
    return tells_that(moment)


@sentence("LOGIN-6", "A token that nobody will use is revoked")
def _(moment: Moment) -> Judgement:
    wanted = [
        command for step in moment.steps for command in step.commands if isinstance(command, RevokeOrphan)
    ]
    if not wanted or not moment.is_open:
        return None
    if moment.lacks(RevokeOrphan):
        return Wrong("DELETE /api/v4/sessions, with that token", "that token is not revoked")
    return True


@sentence(
    "LOGIN-7", "Without an access token handler, a login with an access token is refused", "access_token"
)
def _(moment: Moment) -> Judgement:
    steps = [step for step in moment.steps if step.dropped == "has_access_token_handler"]
    if not steps:
        return None
    return first_wrong(ends_well(moment, "login_with_access_token"), sends_nothing(moment))


@sentence(
    "LOGIN-7", "An access token that is none, or expired, is refused before anything is sent", "access_token"
)
def _(moment: Moment) -> Judgement:
    if not moment.did("login_with_access_token") or moment.action.how not in (
        "expired",
        "not_jwt",
        "no_user",
    ):
        return None
    if moment.before.state is not NOT_LOGGED_IN or not moment.before.access_token_handler:
        return None
    return first_wrong(
        sends_nothing(moment), ends_well(moment, "login_with_access_token"), tells_that(moment)
    )


@sentence("LOGIN-7", "An access token is verified with the platform before established", "access_token")
def _(moment: Moment) -> Judgement:
    if any(_presents_access_token(wanted) for wanted in moment.missing):
        return Wrong("GET /api/v3/sessions, with that token", "it is not verified")
    return any(_presents_access_token(flight.wanted) for flight in moment.flights) or None


def _presents_access_token(wanted: Wanted) -> bool:
    return isinstance(wanted, OpenSession) and isinstance(wanted.grant, AccessTokenGrant)


@sentence("LOGIN-7", "An access token that the platform did not confirm logs nobody in", "access_token")
def _(moment: Moment) -> Judgement:
    unconfirmed = any(
        _presents_access_token(flight.wanted)
        and flight.answer is not None
        and flight.answer.failure is not None
        for flight in moment.answered
    )
    if not unconfirmed or not _failed_login(moment):
        return None
    return first_wrong(is_where(moment), ends_well(moment, "login_with_access_token"))


@sentence("LOGIN-8", "Visitors and bots log in at their own endpoints")
def _(moment: Moment) -> Judgement:
    return _at_their_own(moment, OpenSession)


@sentence("LOGIN-8", "Visitors and bots are renewed at their own endpoints")
def _(moment: Moment) -> Judgement:
    return _at_their_own(moment, Renew)


def _at_their_own(moment: Moment, kind: type[OpenSession | Renew]) -> Judgement:
    reached: Judgement = None
    for flight in moment.flights:
        wanted, record = flight.wanted, flight.record
        if not isinstance(wanted, kind) or not isinstance(wanted.grant, VisitorGrant | BotGrant):
            continue
        reached = True
        if not flight.exact and record is not None:
            is_visitor = isinstance(wanted.grant, VisitorGrant)
            right = Endpoint.VISITOR_LOGIN if is_visitor else Endpoint.BOT_LOGIN
            return Wrong(
                f"{right.value}, with what this login presents",
                f"{record.method} {record.path}, with {', '.join(sorted(record.fields))}",
            )
    return reached


@sentence("LOGIN-9", "Logout, a ban or a deletion while establishing ends the login at once")
def _(moment: Moment) -> Judgement:
    if not moment.took("logout", *BANS, source=ESTABLISHING) or moment.answered:
        return None
    return ends_well(moment, *LOGINS)


@sentence("LOGIN-9", "A login that is cancelled is over", "cancel")
def _(moment: Moment) -> Judgement:
    if "cancelled" not in moment.notes:
        return None
    return first_wrong(tells_that(moment), ends_well(moment, *LOGINS))


@sentence("LOGIN-10", "A device keeps its id")
def _(moment: Moment) -> Judgement:
    devices = moment.notes["devices"]
    if not any(record.device_id for record in moment.requests):
        return None
    return Wrong("one device id", f"{len(devices)} device ids") if len(devices) > 1 else True


@sentence("LOGIN-10", "An id or a name beyond the platform's limits is refused before it is sent")
def _(moment: Moment) -> Judgement:
    if not moment.did("login") or moment.action.how not in ("nobody", "long_name", "bob_long_name"):
        return None
    if moment.before.state is not NOT_LOGGED_IN:
        return None
    return first_wrong(sends_nothing(moment), ends_well(moment, "login"), tells_that(moment))


# ── Handlers ────────────────────────────────────────────────────────────────────────────────────


@sentence("HANDLER-1", "A login's own handler is asked for its session, and the client's for all others")
def _(moment: Moment) -> Judgement:
    asked = [
        event for event in moment.asked if event.event == "renewal" and event.text("handler") is not None
    ]
    if not asked:
        return None
    right = "own" if moment.notes.get("own") else "client"
    wrong = [event for event in asked if event.text("handler") != right]
    return (
        Wrong(f"the handler asked is of the {right}", f"it is of the {wrong[0].text('handler')}")
        if wrong
        else True
    )


@sentence("HANDLER-1", "The kind of login picks the handler", "access_token")
def _(moment: Moment) -> Judgement:
    if not moment.asked or moment.after.kind is None:
        return None
    by_token = moment.after.kind.value == "accessToken"
    wrong = [event for event in moment.asked if (event.event == "token_renew") != by_token]
    right = "on_token_renew" if by_token else "session_will_renew_access_token"
    return Wrong(f"{right} is called", f"{wrong[0].event} is told") if wrong else True


@sentence("HANDLER-1", "The client's handlers outlive a logout")
def _(moment: Moment) -> Judgement:
    if moment.notes["stays"] < 2 or not moment.took("renewal_due") or moment.notes["own"]:
        return None
    if moment.unasked:
        # If nobody was asked in time before, that is RENEW-1's.
        return moment.notes["was_asked"] and Wrong("the handler is asked", "nobody is asked")
    return bool(moment.asked) or None


@sentence("HANDLER-2", "Setting an access token handler moves nothing", "access_token")
def _(moment: Moment) -> Judgement:
    if not moment.did("set_access_token_handler") or moment.action.how == "wrong":
        return None
    if moment.client != moment.action.client:
        return None
    return first_wrong(tells_that(moment), ends_well(moment, "set_access_token_handler"))


@sentence("HANDLER-2", "An access token handler of the wrong shape is an error at once", "access_token")
def _(moment: Moment) -> Judgement:
    if not moment.did("set_access_token_handler") or moment.action.how != "wrong":
        return None
    return ends_well(moment, "set_access_token_handler")


_AFTER = {"on_login": "established", "on_ban": "terminated", "on_logout": "notLoggedIn"}


@sentence("HOOK-1", "Side effects run once each, in order, when the session has moved", "hooks")
def _(moment: Moment) -> Judgement:
    if (not moment.hooks and not moment.hooked) or moment.is_race:
        return None
    for hook, state in moment.notes["hooked_at"]:
        # Which of two threads tells the kit first says nothing, but where the session is does.
        moved = _AFTER.get(hook, "")
        if state is not None and moved in moment.states:
            since = moment.states[moment.states.index(moved) :]
            if state not in (*since, moment.after.state.value):
                return Wrong(f"when {hook} runs, it is {moved}", f"it is {state} still")
    if moment.hooks != moment.hooked:
        return Wrong(
            f"ran: {', '.join(moment.hooks) or 'none'}", f"ran: {', '.join(moment.hooked) or 'none'}"
        )
    return True
