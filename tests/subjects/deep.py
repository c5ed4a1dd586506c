"""`make conform-deep`, for the night: the whole gallery with five seeds, our own clients with twenty.

Nothing is timed, and nothing is shown but what went wrong and how many there were.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from splus_session.conformance._campaign import DEFAULT_BUDGET, Campaign
from splus_session.conformance._source import Processes
from tests.subjects.gallery import Mistake, is_caught, mistakes

GALLERY_SEEDS: Final = 5
SEEDS: Final = 20
LARGER: Final = 10


class Named(Protocol):
    """A client to be judged."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    @property
    def command(self) -> tuple[str, ...]:
        """How its adapter is started."""
        ...


def main(subjects: Sequence[Named]) -> int:
    """Judge; gives the exit status."""
    with ThreadPoolExecutor(2) as pool:
        missed = list(filter(None, pool.map(_missed, mistakes())))
        alarms = list(filter(None, pool.map(_alarms, subjects)))
    for line in (*missed, *alarms):
        print(line)
    return int(bool(missed or alarms))


def _missed(mistake: Mistake) -> str | None:
    seeds = [seed for seed in range(1, GALLERY_SEEDS + 1) if not is_caught(mistake, seed)]
    return f"{mistake.slug} ({mistake.requirement}) is not caught with the seeds {seeds}" if seeds else None


def _alarms(subject: Named) -> str | None:
    for seed in range(1, SEEDS + 1):
        source = Processes(subject.command)
        try:
            report = Campaign(source, seed=seed, budget=LARGER * DEFAULT_BUDGET).run()
        finally:
            source.close()
        print(
            f"{subject.name}, seed {seed}: {len(report.breaches)} breaches in {report.runs} runs", flush=True
        )
        if not report.passed:
            return f"{subject.name}, seed {seed}: {[breach.sentence for breach in report.breaches]}"
    return None
