"""How a sentence is declared: what it says of which requirement, and how a moment is judged by it."""

from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from splus_session import SessionState
from splus_session.conformance._moment import Call, Moment
from splus_session.requirements import REQUIREMENTS


@attrs.frozen
class Wrong:
    """A moment in which a sentence was broken."""

    expected: str
    observed: str


Judgement = Wrong | bool | None
"""None or False: the moment has nothing that the sentence speaks of. True: it was kept."""


@attrs.frozen
class Sentence:
    """One thing that a client should do."""

    requirement: str
    text: str
    judge: Callable[[Moment], Judgement]
    features: frozenset[str] = frozenset()
    """What a client must declare for it to apply."""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others."""
        return self.requirement, self.text

    def __str__(self) -> str:
        return f"{self.requirement} {self.text}"


SENTENCES: Final[list[Sentence]] = []
"""All of them, in the order in which their modules declare them."""

_Judge = TypeVar("_Judge", bound=Callable[[Moment], Judgement])


def sentence(requirement: str, text: str, *features: str) -> Callable[[_Judge], _Judge]:
    """Declare a sentence about moments."""
    assert requirement in REQUIREMENTS, requirement  # noqa: S101  an id that is mistyped

    def declare(judge: _Judge) -> _Judge:
        SENTENCES.append(Sentence(requirement, text, judge, frozenset(features)))
        return judge

    return declare


# ── What many sentences ask ─────────────────────────────────────────────────────────────────────

NOT_LOGGED_IN: Final = SessionState.NOT_LOGGED_IN
ESTABLISHING: Final = SessionState.ESTABLISHING
ESTABLISHED: Final = SessionState.ESTABLISHED
TOKEN_EXPIRED: Final = SessionState.TOKEN_EXPIRED
TERMINATED: Final = SessionState.TERMINATED
BANS: Final = ("user_banned", "user_deleted")


def is_where(moment: Moment) -> Judgement:
    """It is where the oracle says."""
    if moment.is_agreed:
        return True
    assert moment.look is not None  # noqa: S101  for the type checker
    return Wrong(f"it is {moment.after.state.value}", f"it is {moment.look.state}")


def tells_that(moment: Moment) -> Judgement:
    """It tells observer 0 what the oracle announces, and is where the oracle says."""
    if moment.notes.get("opened"):
        return is_where(moment)  # what it hears first is another sentence's
    if moment.is_race:
        return is_where(moment)
    told = after_joining(moment, 0)
    if told == ["tokenExpired", *(moment.states or ["established"])] and moment.learned_the_time:
        return is_where(moment)  # by the answer that ended or renewed it, it learned that it was expired
    if told != moment.states:
        return Wrong(f"told: {listed(moment.states)}", f"told: {listed(told)}")
    return is_where(moment)


def tells_and_ends(moment: Moment, *dos: str) -> Judgement:
    """The same, and the calls of these kinds end as they should."""
    wrong = tells_that(moment)
    if isinstance(wrong, Wrong):
        return wrong
    return ends_well(moment, *dos)


def ends_well(moment: Moment, *dos: str) -> Judgement:
    """Calls of these kinds end as they should."""
    for call in moment.ends(*dos):
        if (wrong := wrong_end(call)) is not None:
            return wrong
    return True


def wrong_end(call: Call) -> Wrong | None:
    """What is wrong with how a call ended, if anything is."""
    ended = call.ended
    if call.kinds is None:
        if ended is None or call.may_fail:
            return None
        return Wrong(f"{call.do} is still on its way", _how(call))
    should = f"{call.do} fails: {' or '.join(sorted(call.kinds))}" if call.kinds else f"{call.do} is done"
    if ended is None:
        return Wrong(should, f"{call.do} is still on its way")
    if call.may_fail:
        return None
    failed = ended.event == "failed"
    if failed != bool(call.kinds):
        return Wrong(should, _how(call))
    if failed and "denied" not in call.kinds and ended.text("kind") not in call.kinds:
        return Wrong(should, _how(call))
    return None


def _how(call: Call) -> str:
    ended = call.ended
    if ended is None:
        return f"{call.do} is still on its way"
    if ended.event == "done":
        value = ended.fields.get("value")
        return f"{call.do} is done" + ("" if value is None else f" and gives {value!r}"[:60])
    message = ended.text("message")
    return f"{call.do} fails: {ended.text('kind')}" + (f" ({message[:120]})" if message else "")


def sends_nothing(moment: Moment) -> Judgement:
    """No session request is sent that was not to be."""
    if moment.surplus:
        return Wrong("no request", sent(moment))
    return True


def carries_no_token(moment: Moment, left: str) -> Judgement:
    """When nobody is logged in any more, and how it ended is `left`, an API request carries no token."""
    if moment.notes.get("left") != left or not moment.did("call"):
        return None
    if moment.before.state is not NOT_LOGGED_IN or moment.after.state is not NOT_LOGGED_IN:
        return None
    carried = [record for record in moment.requests if record.access_token is not None]
    if carried:
        return Wrong("no request with a token", f"{carried[0].method} {carried[0].path}, with one")
    return True


def sent(moment: Moment) -> str:
    """The requests that were not to be, in words."""
    return "sent: " + ", ".join(f"{record.method} {record.path}" for record in moment.surplus)


def after_joining(moment: Moment, observer: int) -> list[str]:
    """What an observer was told, but for what it hears first of all."""
    told = moment.told(observer)
    joined = moment.joined.get(observer)
    if joined is None:
        return told
    # When a client is opened, it may be told where it was before it was resumed, too.
    while told and (
        told[0] == joined.value or (told[0] == NOT_LOGGED_IN.value and moment.notes.get("opened"))
    ):
        first = told[0]
        told = told[1:]
        if first == joined.value:
            break
    return told


def listed(states: list[str]) -> str:
    """States in words."""
    return ", ".join(states) or "nothing"


def first_wrong(*judgements: Judgement) -> Judgement:
    """The first that is wrong; else that it was kept."""
    return next((judgement for judgement in judgements if isinstance(judgement, Wrong)), True)
