"""One scenario played and judged: which sentences it reached, and which it saw broken."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

from splus_session import event_name
from splus_session.conformance._actions import LOGINS, Action
from splus_session.conformance._lines import AdapterError
from splus_session.conformance._logins import Logins
from splus_session.conformance._moment import Moment
from splus_session.conformance._run import Run
from splus_session.conformance._talk import Adapter
from splus_session.conformance.sentences import SENTENCES, Sentence, Wrong
from splus_session.conformance.verdicts import Line


@attrs.frozen
class Found:
    """A sentence that was seen broken."""

    sentence: Sentence
    wrong: Wrong
    scenario: tuple[Action, ...]
    """What was played up to there."""
    lines: tuple[Line, ...]
    commands: int
    moment: int
    """In the how manieth moment."""
    after: tuple[Sentence, ...] = ()
    """Those that were seen broken before, in the same run: they may be why."""
    beside: tuple[Sentence, ...] = ()
    """Those that were seen broken in the same moment."""


@attrs.frozen
class Outcome:
    """What came of one run."""

    reached: frozenset[Sentence]
    found: tuple[Found, ...]
    adapter_error: str | None = None
    """Why the adapter could not be talked to any more, if it could not."""
    said: str = ""
    """What the adapter wrote to its standard error, as much as is kept."""
    ended: Sentence | None = None
    """The sentence at whose breach the run ended, though there was more to play."""
    logins: Logins = attrs.field(factory=Logins)
    """What became of its logins."""


def _by_event(event: str) -> Sentence:
    return Sentence(_FALLBACKS[event], f"The client does what follows from {event}", lambda _: None)


_FALLBACKS: Final[dict[str, str]] = {
    **dict.fromkeys(LOGINS, "LOGIN-1"),
    "session_opened": "LOGIN-2",
    "login_failed": "LOGIN-3",
    "login_cancelled": "LOGIN-9",
    "resume": "RESUME-1",
    "logout": "LOGOUT-1",
    "secure_logout": "LOGOUT-4",
    "renew_now": "RENEW-9",
    "token_renewed": "RENEW-11",
    "renewal_failed": "RENEW-7",
    "renewal_answered": "RENEW-4",
    "renewal_unable": "RENEW-6",
    "renewal_due": "RENEW-3",
    "answer_overdue": "RENEW-6",
    "handlers_changed": "HANDLER-2",
    "token_orphaned": "LOGIN-6",
    "token_expired": "EXPIRE-1",
    "token_rejected": "EXPIRE-3",
    "token_confirmed": "EXPIRE-3",
    "token_refuted": "EXPIRE-3",
    "verification_failed": "EXPIRE-3",
    "user_banned": "BAN-3",
    "user_deleted": "BAN-3",
    "token_revoked": "LOGOUT-3",
    "revocation_doubted": "LOGOUT-3",
    "revocation_failed": "LOGOUT-3",
    "revocation_due": "LOGOUT-3",
}
_BY_ACTION: Final = {
    **{do: do for do in (*LOGINS, "logout", "secure_logout", "renew_now")},
    "set_access_token_handler": "handlers_changed",
    "answer": "renewal_answered",
    "realtime": "user_banned",
    **dict.fromkeys(("until", "advance", "sleep", "jump"), "token_expired"),
}
"""The event that stands for an action of which the oracle was told nothing."""

FALLBACKS: Final[dict[str, Sentence]] = {event: _by_event(event) for event in _FALLBACKS}
"""For a client that parts from the oracle though no sentence says why: by the last event."""

ALIVE: Final = Sentence("SECRET-3", "The client lives, and comes to rest", lambda _: None)
"""For a client whose adapter dies, or is never idle, in the middle of a run."""


def applicable(features: frozenset[str]) -> tuple[Sentence, ...]:
    """The sentences that speak of what a client declares."""
    return tuple(sentence for sentence in SENTENCES if sentence.features <= features)


def play(
    start: Callable[[], Adapter],
    features: frozenset[str],
    scenario: Sequence[Action],
    *,
    patience: float,
    stop_at: Sentence | None = None,
) -> Outcome:
    """Play a scenario and judge each of its moments.

    Args:
        start: gives an adapter that has said hello.
        features: what it declares.
        scenario: what to play.
        patience: real seconds to wait for what is missing.
        stop_at: the sentence after whose first breach nothing more is of interest.
    """
    run = Run(start, features, patience=patience)
    sentences = applicable(features)
    reached: set[Sentence] = set()
    found: dict[Sentence, Found] = {}
    last: Moment | None = None
    number = 0
    ended: Sentence | None = None
    try:
        for number, moment in enumerate(run.play(tuple(scenario))):
            last = moment
            broken: list[Sentence] = []
            for sentence in sentences:
                judged = sentence.judge(moment)
                if judged is None or judged is False:
                    continue
                reached.add(sentence)
                if not isinstance(judged, Wrong):
                    continue
                broken.append(sentence)
                if sentence not in found:
                    found[sentence] = _found(sentence, judged, run, number)
            ended = broken[0] if broken else ended
            if stop_at is not None and stop_at in found:
                break
        if run.stopped is not None and not found and last is not None:
            sentence = FALLBACKS[_last_event(last)]
            found[sentence] = _found(sentence, Wrong(_should(last), run.stopped), run, number)
            ended = sentence
        error = None
    except AdapterError as raised:
        error = run.without_secrets(str(raised))
        if run.played:
            found.setdefault(ALIVE, _found(ALIVE, Wrong("it goes on", error), run, number))
            ended = ALIVE
    return Outcome(
        frozenset(reached),
        _amid_others(found.values()),
        error,
        said=run.said,
        ended=None if run.stopped is None and error is None else ended,
        logins=run.logins,
    )


def _found(sentence: Sentence, wrong: Wrong, run: Run, moment: int) -> Found:
    """A breach as it may be shown: what a client told, or sent, may hold a secret. [SECRET-1]"""
    shown = Wrong(run.without_secrets(wrong.expected), run.without_secrets(wrong.observed))
    lines = [attrs.evolve(line, text=run.without_secrets(line.text)) for line in run.lines]
    lines.append(Line("client", "kit", shown.observed, wrong=True))
    return Found(sentence, shown, tuple(run.played), tuple(lines), run.commands, moment)


def _amid_others(found: Iterable[Found]) -> tuple[Found, ...]:
    """The same, each with what else was seen broken up to then."""
    together = tuple(found)
    return tuple(
        attrs.evolve(
            each,
            after=tuple(other.sentence for other in together if other.moment < each.moment),
            beside=tuple(
                other.sentence for other in together if other.moment == each.moment and other is not each
            ),
        )
        for each in together
    )


def _last_event(moment: Moment) -> str:
    if moment.steps:
        return event_name(moment.steps[-1].event)
    return _BY_ACTION.get(moment.action.do, "session_opened")


def _should(moment: Moment) -> str:
    return f"it is {moment.after.state.value}, and sends {len(moment.missing)} more requests"
