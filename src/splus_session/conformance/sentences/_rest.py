"""Observation, storage and trust."""

from itertools import pairwise

from splus_session import FailureKind
from splus_session.conformance._moment import Moment
from splus_session.conformance.sentences._base import (
    NOT_LOGGED_IN,
    Judgement,
    Wrong,
    after_joining,
    ends_well,
    first_wrong,
    is_where,
    listed,
    sentence,
    tells_that,
)


@sentence("OBSERVE-1", "Whoever begins to observe hears first where the session is")
def _(moment: Moment) -> Judgement:
    if not moment.joined or not moment.is_open:
        return None
    for observer, state in moment.joined.items():
        told = moment.told(observer)
        opening = observer == 0 and moment.notes.get("opened")
        if not told or (told[0] != state.value and not (opening and _may_begin_with(told, moment))):
            return Wrong(f"told first: {state.value}", f"told: {listed(told)}")
    return True


def _may_begin_with(told: list[str], moment: Moment) -> bool:
    """Whether a client that is opened may be found like that by whoever observes it then: before it has
    gone on with what is stored, or after a renewal that this has led to.
    """
    return told[0] == NOT_LOGGED_IN.value or told == moment.states[-len(told) :]


@sentence("OBSERVE-1", "Every change is told once, and no state twice in a row")
def _(moment: Moment) -> Judgement:
    reached: Judgement = None
    for observer, how in moment.observers.items():
        told = after_joining(moment, observer)
        if how == "report" and told:
            reached = True
            # What comes first may be the last of the moment before.
            last = moment.notes["last_told"].get(observer) if observer not in moment.joined else None
            pairs = zip([last, *told], told, strict=False)
            if any(before == after for before, after in pairs):
                return Wrong(
                    "no state is told twice in a row", f"observer {observer} was told: {listed(told)}"
                )
    return reached


@sentence("OBSERVE-1", "All observers hear the same", "observers")
def _(moment: Moment) -> Judgement:
    if len(moment.observers) < 2 or not moment.heard:
        return None
    heard = after_joining(moment, 0)
    for observer, how in moment.observers.items():
        told = after_joining(moment, observer)
        if how == "report" and told != heard and observer not in moment.joined:
            return Wrong(f"observer {observer} is told: {listed(heard)}", f"it is told: {listed(told)}")
    return True


@sentence("OBSERVE-2", "An observer that raises breaks nothing", "observers")
def _(moment: Moment) -> Judgement:
    if "raise" not in moment.observers.values() or not (moment.changes or moment.joined):
        return None
    if moment.uncaught:
        return Wrong("what it raises is contained", f"uncaught: {moment.uncaught[0]}")
    dos = ("login", "logout", "secure_logout", "observe")
    return first_wrong(tells_that(moment), ends_well(moment, *dos))


@sentence("OBSERVE-3", "An observer may log out", "observers")
def _(moment: Moment) -> Judgement:
    if not moment.notes.get("observer_logged_out") or moment.is_race:
        return None
    for observer, how in moment.observers.items():
        told = after_joining(moment, observer)
        if how == "report" and observer not in moment.joined and told != moment.states:
            expected = f"observer {observer} is told: {listed(moment.states)}"
            return Wrong(expected, f"it is told: {listed(told)}")
    return tells_that(moment)


@sentence("OBSERVE-4", "A change tells state, previous state, reason and time", "reasons")
def _(moment: Moment) -> Judgement:
    told = moment.heard.get(0, [])
    if not told or 0 in moment.joined:
        return None
    for event in told:
        absent = [name for name in ("previous", "reason", "at") if event.fields.get(name) in (None, "")]
        if absent:
            return Wrong("previous, reason and at", f"no {', no '.join(absent)}")
    for before, after in pairwise(told):
        if after.text("previous") != before.text("state"):
            return Wrong(f"previous is {before.text('state')}", f"previous is {after.text('previous')}")
    return True


# ── Resume ──────────────────────────────────────────────────────────────────────────────────────


@sentence("RESUME-1", "A stored session is gone on with when a client is opened", "resume")
def _(moment: Moment) -> Judgement:
    if not moment.notes.get("resumes") or moment.did("kill"):
        return None
    if not moment.is_open:
        return ends_well(moment, "open")
    return first_wrong(is_where(moment), ends_well(moment, "open"))


@sentence(
    "RESUME-1", "A stored session that is expired and that nobody can renew is refused", "resume", "time"
)
def _(moment: Moment) -> Judgement:
    if not moment.notes.get("resumes") or moment.action.how != "again_without_handlers" or moment.is_open:
        return None
    return ends_well(moment, "open")


@sentence("RESUME-1", "Where nothing is stored, nobody is logged in", "resume", "close")
def _(moment: Moment) -> Judgement:
    again = moment.action.opens_again and moment.notes.get("opened")
    if not again or moment.notes.get("resumes") or moment.did("kill"):
        return None
    return is_where(moment)


@sentence("RESUME-2", "A process that was killed goes on where it was told to be", "resume")
def _(moment: Moment) -> Judgement:
    if not moment.did("kill") or not moment.notes.get("opened"):
        return None
    if not moment.is_open:
        return ends_well(moment, "open")
    return is_where(moment)


# ── Trust ───────────────────────────────────────────────────────────────────────────────────────


@sentence("SECRET-1", "No secret is shown")
def _(moment: Moment) -> Judgement:
    if moment.leaks:
        return Wrong("no secret in what is told or written", moment.leaks[0])
    return True


@sentence("SECRET-2", "A redirect to another origin is not followed")
def _(moment: Moment) -> Judgement:
    redirected = [flight for flight in moment.answered if flight.record and flight.record.status == 307]
    if not redirected:
        return None
    if moment.elsewhere:
        return Wrong("no request to another origin", f"{moment.elsewhere} requests went there")
    return True


_SENSELESS = (FailureKind.MALFORMED, FailureKind.WRONG_USER)


@sentence("SECRET-3", "An answer that makes no sense changes nothing but what it answers")
def _(moment: Moment) -> Judgement:
    senseless = [
        flight
        for flight in moment.answered
        if flight.answer and flight.answer.failure and flight.answer.failure.kind in _SENSELESS
    ]
    if not senseless:
        return None
    if moment.uncaught:
        return Wrong("the failure is told to who asked", f"uncaught: {moment.uncaught[0]}")
    return tells_that(moment)


@sentence("WIRE-1", "An error of the platform's means what its status and code say")
def _(moment: Moment) -> Judgement:
    failed = [flight for flight in moment.answered if flight.answer and flight.answer.failure]
    if not failed:
        return None
    return is_where(moment)


@sentence("WIRE-1", "An API error that is not about the session changes nothing", "call")
def _(moment: Moment) -> Judgement:
    if moment.notes.get("api_said") != {"nothing"} or moment.changes:
        return None
    return tells_that(moment)
