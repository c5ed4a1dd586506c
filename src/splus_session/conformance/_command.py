"""What `splus-session conform` does."""

import json
import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, cast

from splus_session._errors import InvalidArgumentError
from splus_session.conformance import _against
from splus_session.conformance._campaign import Campaign, again
from splus_session.conformance._source import Processes
from splus_session.conformance.reports import as_json, html, junit, markdown, progress, terminal
from splus_session.conformance.sentences import SENTENCES
from splus_session.conformance.verdicts import Breach, Report
from splus_session.requirements import REQUIREMENTS

PASSED, FAILED = 0, 1
REPLAYS: Final = "replays"
"""The folder, beside the reports, of one file for each breach."""


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
    source = Processes(command)
    try:
        with progress.start(terminal.console(stderr=True)) as shown:
            campaign = Campaign(source, seed=seed, budget=budget, only=only, known=known, progress=shown)
            found = _against.held_to(campaign.run(), known)
    finally:
        source.close()

    def replay(breach: Breach) -> str:
        folder = "." if report is None else str(report)
        return replay_command(command, Path(folder, REPLAYS, file_name(breach)))

    if report is not None:
        write(found, report, replay)
    if accept is not None:
        kept = _against.load(accept) if accept.exists() else known
        accept.write_text(_against.dump(found.breaches, kept), "utf-8")
    terminal.summary(found, terminal.console(), replay=replay)
    return PASSED if found.passed else FAILED


def write(found: Report, folder: Path, replay: Any) -> None:
    """Write all reports into a folder, and a file for each breach."""
    (folder / REPLAYS).mkdir(parents=True, exist_ok=True)
    for old in (folder / REPLAYS).glob("*.json"):
        old.unlink()
    (folder / "report.html").write_text(html.page(found, replay=replay), "utf-8")
    (folder / "report.json").write_text(as_json.dump(found), "utf-8")
    (folder / "report.md").write_text(markdown.page([found]), "utf-8")
    (folder / "junit.xml").write_text(junit.dump(found, replay=replay), "utf-8")
    for breach in found.breaches:
        content = {
            "requirement": breach.requirement,
            "sentence": breach.sentence,
            "expected": breach.expected,
            "observed": breach.observed,
            "scenario": list(breach.scenario),
        }
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        (folder / REPLAYS / file_name(breach)).write_text(text, "utf-8")


def file_name(breach: Breach) -> str:
    """The name of a breach's replay file."""
    words = re.sub(r"[^a-z0-9]+", "-", breach.sentence.lower()).strip("-")
    return f"{breach.requirement}-{words[:60].rstrip('-')}.json"


def replay_command(command: Sequence[str], file: Path) -> str:
    """What to type to see a breach again."""
    return f"splus-session conform --replay {shlex.quote(str(file))} -- {shlex.join(command)}"


def replay(command: Sequence[str], file: Path) -> int:
    """Play one breach's scenario again, in a fresh process, and tell it line by line."""
    try:
        content: object = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidArgumentError(f"{file} cannot be read: {error}") from None
    fields = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    scenario = _against.scenario_of(fields.get("scenario"), str(file))
    source = Processes(command)
    try:
        outcome = again(source, scenario)
    finally:
        source.close()
    to = terminal.console()
    for action in scenario:
        to.print(f"  {action.words()}", highlight=False, markup=False)
    wanted = (fields.get("requirement"), fields.get("sentence"))
    found = [each for each in outcome.found if wanted in ((None, None), _key(each))]
    for line in (found or list(outcome.found) or [None])[0].lines if outcome.found else ():  # type: ignore[union-attr]
        to.print(f"{line.sender:>10} → {line.receiver:<10} {line.text}", highlight=False, markup=False)
    for each in outcome.found:
        to.print(f"broken: {each.sentence.requirement}, {each.sentence.text}", highlight=False, markup=False)
        to.print(f"  expected  {each.wrong.expected}", highlight=False, markup=False)
        to.print(f"  observed  {each.wrong.observed}", highlight=False, markup=False)
    if not found:
        print("it is not broken any more" if wanted != (None, None) else "nothing is broken", file=sys.stderr)
    return FAILED if found else PASSED


def _key(found: Any) -> tuple[str, str]:
    return found.sentence.requirement, found.sentence.text


def _check_ids(ids: Sequence[str]) -> None:
    for name in ids:
        if name not in REQUIREMENTS:
            raise InvalidArgumentError(f"no requirement is called {name}; see --list")
