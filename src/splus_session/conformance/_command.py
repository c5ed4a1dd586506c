"""What `splus-session conform` does."""

import json
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from splus_session._errors import InvalidArgumentError
from splus_session._files import write_whole
from splus_session._text import visible
from splus_session.conformance import _against
from splus_session.conformance._actions import Action
from splus_session.conformance._campaign import Campaign, again
from splus_session.conformance._lines import AdapterError
from splus_session.conformance._sense import needs
from splus_session.conformance._source import Processes
from splus_session.conformance.reports import as_json, html, junit, markdown, progress, terminal
from splus_session.conformance.sentences import SENTENCES
from splus_session.conformance.verdicts import Breach, Report, Trouble
from splus_session.requirements import REQUIREMENTS

PASSED, FAILED = 0, 1
REPLAYS: Final = "replays"
"""The folder, beside the reports, of one file for each breach."""
_MOST_SAID: Final = 30
"""How many lines of an adapter's standard error a replay shows."""


def list_sentences(only: Sequence[str]) -> int:
    """Print what is judged."""
    _check_ids(only)
    to = terminal.console()
    for name, requirement in REQUIREMENTS.items():
        sentences = [sentence for sentence in SENTENCES if sentence.requirement == name]
        if sentences and (not only or name in only):
            to.print(f"{name}  {requirement.title}", highlight=False, markup=False, soft_wrap=True)
            for sentence in sentences:
                needs = f"  [{', '.join(sorted(sentence.features))}]" if sentence.features else ""
                to.print(f"    {sentence.text}{needs}", highlight=False, markup=False, soft_wrap=True)
    return PASSED


def judge(
    command: Sequence[str],
    *,
    only: Sequence[str],
    seed: int,
    budget: int,
    against: Path | None,
    accept: Path | None,
    report: Path | None,
) -> int:
    """Judge a client, and write what came of it."""
    _check_ids(only)
    if budget < 1:
        raise InvalidArgumentError("the budget is at least one scenario")
    known = () if against is None else _against.load(against)
    # Whatever is wrong with these is better said before than after.
    kept = _against.load(accept) if accept is not None and accept.exists() else known
    for folder in (report and report / REPLAYS, accept and accept.absolute().parent):
        if folder is not None:
            _make(folder)
    source = Processes(command)
    try:
        with progress.start(terminal.console(stderr=True)) as shown:
            campaign = Campaign(source, seed=seed, budget=budget, only=only, known=known, progress=shown)
            found = _against.held_to(campaign.run(), known)
    finally:
        source.close()

    def replay(breach: Breach) -> str:
        if report is None:  # there is no file that could be played
            return "add --report FOLDER: that keeps this run, and says how to play it again"
        return replay_command(command, report, breach)

    if report is not None:
        write(found, report, replay)
    if accept is not None:
        _write(accept, _against.dump(found, kept))
    terminal.summary(found, terminal.console(), replay=replay)
    return PASSED if found.passed else FAILED


def write(found: Report, folder: Path, replay: Any) -> None:
    """Write all reports into a folder, and a file for each breach."""
    _make(folder / REPLAYS)
    for old in (folder / REPLAYS).glob("*.json"):
        old.unlink()
    _write(folder / "report.html", html.page(found, replay=replay))
    _write(folder / "report.json", as_json.dump(found))
    _write(folder / "report.md", markdown.page([found]))
    _write(folder / "junit.xml", junit.dump(found, replay=replay))
    for breach in found.breaches:
        _write_replay(folder, breach, expected=breach.expected, observed=breach.observed)
    for trouble in found.troubles:
        if trouble.scenario:
            _write_replay(folder, trouble, observed=trouble.text)


def _write_replay(folder: Path, what: Breach | Trouble, **said: str) -> None:
    key = what.requirement, what.sentence
    content = {
        "requirement": what.requirement,
        "sentence": what.sentence,
        **said,
        "scenario": list(what.scenario),
    }
    _write(folder / REPLAYS / file_name(*key), json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidArgumentError(f"{folder} cannot be made: {error}") from None


def _write(file: Path, text: str) -> None:
    try:
        # An adapter may tell halves of characters; so written, JSON reads them again as they were.
        write_whole(file, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InvalidArgumentError(f"{file} cannot be written: {error}") from None


def file_name(requirement: str, sentence: str) -> str:
    """The name of a breach's replay file."""
    words = re.sub(r"[^a-z0-9]+", "-", sentence.lower()).strip("-")
    return f"{requirement}-{words[:60].rstrip('-')}.json"


def replay_command(command: Sequence[str], folder: Path, breach: Breach) -> str:
    """What to type to see a breach again, of which the reports are in this folder."""
    file = folder / REPLAYS / file_name(*breach.key)
    return f"splus-session conform --replay {shlex.quote(str(file))} -- {shlex.join(command)}"


def replay(command: Sequence[str], file: Path) -> int:
    """Play one breach's scenario again, in a fresh process, and tell it line by line."""
    fields = _against.fields_of(file)
    scenario = _against.scenario_of(fields.get("scenario"), str(file))
    source = Processes(command)
    try:
        _check_declared(scenario, source.features)
        outcome = again(source, scenario)
    finally:
        source.close()
    wanted = (fields.get("requirement"), fields.get("sentence"))
    found = [each for each in outcome.found if wanted in ((None, None), each.sentence.key)]
    to = terminal.console()

    def told(text: str) -> None:
        to.print(visible(text), highlight=False, markup=False, soft_wrap=True)

    for action in scenario:
        told(f"  {action.words()}")
    for line in next((each.lines for each in (*found, *outcome.found)), ()):
        told(str(line))
    if words := outcome.said.strip().splitlines():
        told(f"the adapter said{' at last' if len(words) > _MOST_SAID else ''}:")
        for word in words[-_MOST_SAID:]:
            told(f"  {word[:200]}")
    if outcome.adapter_error is not None and not found:
        raise AdapterError(outcome.adapter_error)
    for each in outcome.found:
        told(f"broken: {each.sentence.requirement}, {each.sentence.text}")
        told(f"  expected  {each.wrong.expected}")
        told(f"  observed  {each.wrong.observed}")
    if not found:
        told("it is not broken any more" if wanted != (None, None) else "nothing is broken")
    return FAILED if found else PASSED


def _check_declared(scenario: Sequence[Action], features: frozenset[str]) -> None:
    absent = frozenset[str]().union(*map(needs, scenario)) - features
    if absent:
        raise InvalidArgumentError(
            f"this client does not declare what that run needs: {', '.join(sorted(absent))}"
        )


def _check_ids(ids: Sequence[str]) -> None:
    for name in ids:
        if name not in REQUIREMENTS:
            raise InvalidArgumentError(f"no requirement is called {name}; see --list")
