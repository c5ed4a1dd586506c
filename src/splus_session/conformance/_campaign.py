"""Judging one client: scenarios are played, breaches shortened, and each seen again in a fresh process."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final, Protocol

from splus_session._errors import MissingExtraError

if find_spec("hypothesis") is None or find_spec("rich") is None:  # before anything is judged
    raise MissingExtraError("conformance")

from splus_session.conformance._actions import Action
from splus_session.conformance._against import Known
from splus_session.conformance._judge import ALIVE, Found, Outcome, play
from splus_session.conformance._lines import AdapterError
from splus_session.conformance._scenarios import scenario
from splus_session.conformance._source import Source
from splus_session.conformance._tally import Tally
from splus_session.conformance.sentences import SENTENCES, Sentence
from splus_session.conformance.verdicts import Breach, Report, Result, Trouble, Verdict
from splus_session.requirements import REQUIREMENTS

DEFAULT_BUDGET: Final = 320
"""How many scenarios are played."""
DEFAULT_SEED: Final = 1

_SHORTENING, _SHORTENING_IN_REAL_TIME = 60, 10
"""How many runs it may take to shorten one breach: some seconds each, if time passes by itself."""
_LOST_AT_MOST: Final = 120.0
"""Real seconds in runs that an adapter ended by dying or by silence; then no more are played than must be."""
_HURRIED, _PATIENT = 0.03, 0.3
"""Real seconds to wait for what is missing: while exploring, and to be sure."""

NOT_VISIBLE: Final = {
    "HOOK-2": "making a client with a wrong hook has no command",
    "LOGOUT-5": "what a process holds in its memory cannot be seen from outside",
    "RESUME-3": "planned",
    "BACKEND-1": "about the customer's backend, not about a client",
    "BACKEND-2": "about the customer's backend, not about a client",
    "BACKEND-3": "about the customer's backend, not about a client",
}
"""Requirements that no adapter can show, and why."""


class Progress(Protocol):
    """Who wants to know how far it is."""

    def played(self, n: int, of: int, broken_so_far: int) -> None:
        """So many scenarios were played, and so many sentences were seen broken."""
        ...

    def shortening(self, requirement: str, sentence: str, n: int, of: int) -> None:
        """A breach is being shortened."""
        ...

    def done(self) -> None:
        """Nothing more comes."""
        ...


class Silent:
    """Nobody wants to know."""

    def played(self, n: int, of: int, broken_so_far: int) -> None:
        """See `Progress`."""

    def shortening(self, requirement: str, sentence: str, n: int, of: int) -> None:
        """See `Progress`."""

    def done(self) -> None:
        """See `Progress`."""


class Campaign:
    """See the module.

    Args:
        source: where adapters of the client come from.
        seed: decides which scenarios are played: the same ones for the same features.
        budget: how many.
        only: ids of requirements to judge; all, if empty.
        shorten: whether breaches are shortened and seen again.
        until: the id of a requirement after whose first breach nothing more is played.
        known: breaches that are expected; the runs that show them are played first.
    """

    def __init__(
        self,
        source: Source,
        *,
        seed: int = DEFAULT_SEED,
        budget: int = DEFAULT_BUDGET,
        only: Sequence[str] = (),
        shorten: bool = True,
        until: str | None = None,
        known: Sequence[Known] = (),
        progress: Progress | None = None,
    ) -> None:
        self._source = source
        self._seed = seed
        self._budget = budget
        self._only = frozenset(only)
        self._shorten = shorten
        self._until = until
        self._known = tuple(known)
        self._short: set[Sentence] = set()
        """Those whose run needs no shortening."""
        self._progress = progress or Silent()
        self._reached: Counter[Sentence] = Counter()
        self._found: dict[Sentence, Found] = {}
        self._broken: Counter[Sentence] = Counter()
        """How many scenarios each was seen broken in."""
        self._explored = 0
        """Of how many."""
        self._runs = 0
        self._lost = 0.0
        """Real seconds in runs that ended because the adapter could not be talked to."""
        self._unbegun: list[str] = []
        """Why runs could not even begin."""
        self._gave_up = ""
        """Why not all scenarios were played, if the adapter was given up though something was seen."""
        self._tally = Tally()

    def run(self) -> Report:
        """Judge the client.

        Raises:
            AdapterError: its adapter cannot be talked to at all.
        """
        begun = time.monotonic()
        self._play_known()
        self._explore()
        if self._unbegun and not self._reached and not self._found:
            raise AdapterError(self._unbegun[-1])
        breaches, troubles = self._all_shortened() if self._shorten else (self._as_they_are(), [])
        if self._unbegun:
            text = f"could not even begin in {len(self._unbegun)} of {self._runs} runs: {self._unbegun[-1]}"
            troubles.append(Trouble(ALIVE.requirement, ALIVE.text, text))
        if self._gave_up:
            troubles.append(Trouble(ALIVE.requirement, ALIVE.text, self._gave_up))
        troubles += self._tally.troubles(is_told=ALIVE in self._found)
        results = tuple(self._result(requirement, breaches) for requirement in self._requirements())
        troubles += self._hidden(results)
        self._progress.done()
        return Report(
            subject=self._source.subject,
            seed=self._seed,
            budget=self._budget,
            runs=self._runs,
            seconds=round(time.monotonic() - begun, 1),
            results=results,
            unexpected=tuple(breaches),
            troubles=tuple(troubles),
            cut_short=self._tally.cut_short,
        )

    def _requirements(self) -> list[str]:
        return [name for name in REQUIREMENTS if not self._only or name in self._only]

    def _play_known(self) -> None:
        for known in self._known:
            outcome = self._play(known.scenario, fresh=True)
            for found in outcome.found:
                if found.sentence.key == known.key:
                    self._note(found)
                    if found.sentence in self._found:
                        self._found[found.sentence] = found
                        self._short.add(found.sentence)

    # ── Exploring ───────────────────────────────────────────────────────────────────────────────

    def _explore(self) -> None:
        failures = 0
        for number in range(self._budget):
            outcome = self._play(scenario(self._source.features, self._seed, number))
            self._reached.update(outcome.reached)
            self._explored += 1
            self._broken.update(found.sentence for found in outcome.found)
            for found in outcome.found:
                self._note(found)
            failures = failures + 1 if outcome.adapter_error is not None and not outcome.reached else 0
            if failures == 3 and not self._reached:
                raise AdapterError(str(outcome.adapter_error))
            self._progress.played(number + 1, self._budget, len(self._found))
            if any(sentence.requirement == self._until for sentence in self._found):
                return
            if failures == 3:
                self._gave_up = (
                    f"three runs in a row came to nothing, and no more were played after {number + 1} of "
                    f"{self._budget}: {outcome.adapter_error}"
                )
                return
            if self._lost > _LOST_AT_MOST:
                return

    def _note(self, found: Found) -> None:
        if self._only and found.sentence.requirement not in self._only:
            return
        best = self._found.get(found.sentence)
        if best is None or (found.sentence not in self._short and self._cost(found) < self._cost(best)):
            self._found[found.sentence] = found

    def _play(
        self, scenario: Sequence[Action], *, fresh: bool = False, stop_at: Sentence | None = None
    ) -> Outcome:
        self._runs += 1
        start = self._source.fresh if fresh else self._source.take
        patience = _PATIENT if fresh else _HURRIED
        begun = time.monotonic()
        outcome = play(start, self._source.features, scenario, patience=patience, stop_at=stop_at)
        self._tally.count(outcome, explores=stop_at is None)
        if outcome.adapter_error is not None:
            self._source.discard()
            self._lost += time.monotonic() - begun
            if not outcome.reached and not outcome.found:
                self._unbegun.append(outcome.adapter_error)
        return outcome

    # ── Shortening ──────────────────────────────────────────────────────────────────────────────

    def _all_shortened(self) -> tuple[list[Breach], list[Trouble]]:
        breaches: list[Breach] = []
        troubles: list[Trouble] = []
        ordered = sorted(self._found, key=_place)
        for n, sentence in enumerate(ordered, 1):
            self._progress.shortening(*sentence.key, n, len(ordered))
            found = self._found[sentence]
            if sentence in self._short:
                breaches.append(self._breach(found))
                continue
            shortened = self._shortened(sentence, found)
            again = self._seen(sentence, shortened.scenario, fresh=True) or self._seen(
                sentence, found.scenario, fresh=True
            )
            if again is None:
                text = f"seen once, and not again: {found.wrong.observed}"
                troubles.append(Trouble(*sentence.key, text, _plain(found.scenario)))
            else:
                breaches.append(self._breach(again))
        return breaches, troubles

    def _shortened(self, sentence: Sentence, found: Found) -> Found:
        """The shortest run that Hypothesis finds by leaving actions out of a tail that shows it."""
        # Not at the top: most campaigns find nothing, and it takes a while to import.
        from splus_session.conformance._shortening import leave_out

        best, runs = found, 0
        tries = _SHORTENING if "time" in self._source.features else _SHORTENING_IN_REAL_TIME
        company = len(self._telling(found))
        known: dict[tuple[Action, ...], bool] = {found.scenario: True}

        def breaks(scenario: tuple[Action, ...]) -> bool:
            nonlocal best, runs
            if scenario not in known:
                if runs >= tries or self._lost > 2 * _LOST_AT_MOST:
                    return False
                runs += 1
                seen = self._seen(sentence, scenario)
                # No more is to be broken before: that may be another cause.
                known[scenario] = seen is not None and len(self._telling(seen)) <= company
                if seen is not None and self._cost(seen) < self._cost(best):
                    best = seen
            return known[scenario]

        # Most of what came long before matters little, and halves are soon tried.
        share = len(best.scenario) // 2
        while share:
            share = min(share, len(best.scenario) // 2) if breaks(best.scenario[share:]) else share // 2
        leave_out(best.scenario, breaks, self._seed)
        return best

    def _telling(self, found: Found) -> list[Sentence]:
        """Which others were seen broken before, but for those that are wherever one looks."""
        often = self._explored / 4
        return [sentence for sentence in found.after if self._broken[sentence] <= often]

    def _cost(self, found: Found) -> tuple[int, int]:
        """The less of these, the plainer what a run shows."""
        return len(self._telling(found)), len(found.scenario)

    def _seen(self, sentence: Sentence, scenario: tuple[Action, ...], *, fresh: bool = False) -> Found | None:
        """Play a scenario that may break a sentence, and see whether it does."""
        outcome = self._play(scenario, fresh=fresh, stop_at=sentence)
        return next((found for found in outcome.found if found.sentence == sentence), None)

    def _as_they_are(self) -> list[Breach]:
        return [self._breach(self._found[sentence]) for sentence in sorted(self._found, key=_place)]

    def _breach(self, found: Found) -> Breach:
        return Breach(
            requirement=found.sentence.requirement,
            sentence=found.sentence.text,
            expected=found.wrong.expected,
            observed=found.wrong.observed,
            scenario=_plain(found.scenario),
            steps=tuple(action.words() for action in found.scenario),
            lines=found.lines,
            commands=found.commands,
            after=tuple(map(str, self._telling(found))),
            beside=tuple(map(str, found.beside)),
        )

    # ── Verdicts ────────────────────────────────────────────────────────────────────────────────

    def _hidden(self, results: Sequence[Result]) -> list[Trouble]:
        """What was asked for by its id, and may not have been reached only because runs ended before."""
        ended = self._tally.ended_early
        if ended is None:
            return []
        return [
            Trouble(result.requirement, "What is asked for is reached", f"it never was: {ended}")
            for result in results
            if result.requirement in self._only and result.verdict is Verdict.NOT_REACHED
        ]

    def _result(self, requirement: str, breaches: list[Breach]) -> Result:
        features = self._source.features
        sentences = [sentence for sentence in SENTENCES if sentence.requirement == requirement]
        mine = tuple(breach for breach in breaches if breach.requirement == requirement)
        reached = max((self._reached[sentence] for sentence in sentences), default=0)
        if mine:
            return Result(requirement, Verdict.BROKEN, max(reached, 1), mine)
        if requirement in NOT_VISIBLE:
            return Result(requirement, Verdict.NOT_APPLICABLE, why=NOT_VISIBLE[requirement])
        if not any(sentence.features <= features for sentence in sentences):
            absent = sorted(set[str]().union(*(sentence.features for sentence in sentences)) - features)
            return Result(requirement, Verdict.NOT_APPLICABLE, why=f"not declared: {', '.join(absent)}")
        return Result(requirement, Verdict.KEPT if reached else Verdict.NOT_REACHED, reached)


def _place(sentence: Sentence) -> tuple[int, str]:
    return list(REQUIREMENTS).index(sentence.requirement), sentence.text


def _plain(scenario: Sequence[Action]) -> tuple[Mapping[str, Any], ...]:
    return tuple(action.to_json() for action in scenario)


def again(source: Source, scenario: Sequence[Action]) -> Outcome:
    """Play one scenario in a fresh process, patiently."""
    return play(source.fresh, source.features, scenario, patience=_PATIENT)
