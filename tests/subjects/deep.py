"""`make conform-deep`, for the night: our own clients with twenty seeds and ten times the budget, and the
whole gallery with five seeds.

It takes hours, so it may be done in parts: `make conform-deep ARGS="--seeds 6-10"`. Nothing is timed. What
goes wrong is shown at once, and its report written to `build/conformance/deep`.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Protocol

from splus_session.conformance import _command
from splus_session.conformance._campaign import DEFAULT_BUDGET, Campaign
from splus_session.conformance._source import Processes
from tests.subjects.gallery import Mistake, is_caught, mistakes

ALL_SEEDS: Final = "1-20"
OF_THE_GALLERY: Final = range(1, 6)
LARGER: Final = 10

Job = Callable[[], str | None]
"""Gives what is wrong, if anything is."""


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


def main(subjects: Sequence[Named], seeds: Sequence[int], reports: Path, side_by_side: int) -> int:
    """Judge; gives the exit status."""
    with ThreadPoolExecutor(side_by_side) as pool:
        problems = list(filter(None, pool.map(lambda job: job(), _jobs(subjects, seeds, reports))))
    print(f"{len(problems)} of them with a problem")
    return int(bool(problems))


def seeds_of(words: str) -> Sequence[int]:
    """The seeds that `3` or `1-20` stands for.

    Raises:
        ValueError: it stands for none.
    """
    first, _, last = words.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    if not seeds:
        raise ValueError(f"{words} are no seeds")
    return seeds


def _jobs(subjects: Sequence[Named], seeds: Sequence[int], reports: Path) -> Iterator[Job]:
    everyone = mistakes()
    for seed in seeds:
        for subject in subjects:
            yield partial(_alarms, subject, seed, reports / f"{subject.name}-{seed}")
        if seed in OF_THE_GALLERY:
            for mistake in everyone:
                yield partial(_missed, mistake, seed)


def _missed(mistake: Mistake, seed: int) -> str | None:
    if is_caught(mistake, seed):
        return None
    return _told(f"{mistake.slug} ({mistake.requirement}), seed {seed}: not caught")


def _alarms(subject: Named, seed: int, folder: Path) -> str | None:
    source = Processes(subject.command)
    try:
        report = Campaign(source, seed=seed, budget=LARGER * DEFAULT_BUDGET).run()
    finally:
        source.close()
    what = f"{subject.name}, seed {seed}: {report.runs} runs in {report.seconds:.0f} s"
    if report.passed:
        print(what, flush=True)
        return None
    _command.write(report, folder, partial(_command.replay_command, subject.command, folder))
    problems = [breach.sentence for breach in report.breaches] + [each.text for each in report.troubles]
    return _told(f"{what}, a false alarm: {problems}; see {folder}")


def _told(problem: str) -> str:
    print(problem, flush=True)
    return problem
