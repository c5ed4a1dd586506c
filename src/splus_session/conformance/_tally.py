"""What all runs of a campaign came to, besides what each of them broke."""

from collections import Counter
from typing import Final

from splus_session.conformance._judge import ALIVE, Outcome
from splus_session.conformance.sentences import Sentence
from splus_session.conformance.verdicts import CutShort, Trouble

_FEW: Final = 3
"""So few logins may be refused for a reason of the scenario's."""


class Tally:
    """See the module."""

    def __init__(self) -> None:
        self._runs = 0
        self._explored = 0
        self._ended: Counter[Sentence] = Counter()
        self._given_up: list[str] = []
        self._refused = 0
        self._was_let_in = False
        self._last_refused = ""

    def count(self, outcome: Outcome, *, explores: bool) -> None:
        """Count a run; whether it was played to its end, if it could be, to see what there is."""
        self._runs += 1
        self._explored += explores
        if explores and outcome.ended is not None:
            self._ended[outcome.ended] += 1
        if outcome.adapter_error is not None and outcome.ended is not None:
            self._given_up.append(outcome.adapter_error)
        logins = outcome.logins
        self._refused += logins.refused
        self._was_let_in = self._was_let_in or logins.was_let_in
        self._last_refused = logins.last_refused or self._last_refused

    @property
    def cut_short(self) -> CutShort | None:
        """The breach at which most runs ended, if there is one."""
        for sentence, runs in self._ended.most_common(1):
            if 2 * runs > self._explored:
                return CutShort(*sentence.key, runs, self._explored)
        return None

    @property
    def ended_early(self) -> str | None:
        """How many runs ended at a breach of whatever, in words, if it is most of them."""
        runs = self._ended.total()
        if 2 * runs <= self._explored:
            return None
        [(most, _)] = self._ended.most_common(1)
        return f"{runs} of {self._explored} runs ended before, most of them at {most}"

    def troubles(self, *, is_told: bool) -> list[Trouble]:
        """What there is to complain about.

        Args:
            is_told: whether it is told already that the adapter could not be talked to any more.
        """
        troubles: list[Trouble] = []
        if self._given_up and not is_told:
            runs = f"{len(self._given_up)} of {self._runs} runs"
            text = f"{runs} ended because the adapter could not be talked to: {self._given_up[-1]}"
            troubles.append(Trouble(ALIVE.requirement, ALIVE.text, text))
        if self._refused >= _FEW and not self._was_let_in:
            what = f"the last of {self._refused}, {self._last_refused}"
            text = f"the platform answered no login with success; {what}"
            troubles.append(Trouble("LOGIN-1", "The platform lets the client in", text))
        return troubles
