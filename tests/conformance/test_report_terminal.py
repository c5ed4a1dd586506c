"""The report at a terminal, and the progress before it."""

import io
import re

import attrs
import pytest
from hypothesis import given
from rich.console import Console

from splus_session.conformance.reports import progress, terminal
from splus_session.conformance.verdicts import Breach, Report, Verdict
from splus_session.requirements import REQUIREMENTS
from tests.conformance import made_up, strategies
from tests.conformance.made_up import replay


def written(report: Report, *, width: int = 80, encoding: str = "utf-8") -> str:
    """What is written where there is no terminal."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding, newline="\n")
    terminal.summary(report, Console(file=file, width=width), replay=replay)
    file.flush()
    return raw.getvalue().decode(encoding)


def test_each_requirement_has_its_verdict_under_its_group() -> None:
    lines = written(made_up.report()).splitlines()
    group = ""
    seen: dict[str, tuple[str, str]] = {}
    groups = {requirement.group for requirement in REQUIREMENTS.values()}
    for line in lines:
        if line in groups:
            group = line
        elif line[:13].strip() in REQUIREMENTS:
            seen.setdefault(line[:13].strip(), (group, line[13:34].strip()))
    report = made_up.report()
    assert {name: group for name, (group, _) in seen.items()} == {
        name: requirement.group for name, requirement in REQUIREMENTS.items()
    }
    for result in report.results:
        assert seen[result.requirement][1].startswith(result.verdict.value)
    assert seen["LOGOUT-1"][1] == "broken, as expected"
    assert seen["LOGIN-2"][1] == "broken (2 ways)"


def test_the_verdicts_are_counted_and_the_outcome_is_the_last_line() -> None:
    text = written(made_up.report())
    assert "verdicts  7 broken, 5 not reached, 38 kept, 8 not applicable\n" in text
    assert text.endswith("\n\nfailed: 7 breaches, 1 expected breach, 2 troubles\n")
    assert written(made_up.clean()).endswith("\n\npassed: no breach\n")


def test_the_vendors_promises_stand_before_the_rest_and_troubles_at_the_end() -> None:
    text = written(made_up.report())
    headings = [
        "Broken: what the vendor's page promises",
        "RENEW-4      an answer to an old renewal",
        "Broken: what follows from facts, or is this library's own promise",
        "CLIENT-2     a ban of one client's user",
        "Expected breaches",
        "Troubles",
        "failed: ",
    ]
    places = [text.index(f"\n{heading}") for heading in headings]
    assert places == sorted(places)


def test_each_unexpected_breach_has_what_was_expected_and_its_steps() -> None:
    text = " ".join(written(made_up.report()).split())
    for breach in made_up.report().unexpected:
        if breach.requirement == "OBSERVE-3":
            continue  # of which the texts are not written as they are
        assert " ".join(f"{breach.requirement} {breach.sentence}".split()) in text
        assert " ".join(f"expected {breach.expected}".split()) in text
        assert f"{len(breach.steps)}. {breach.steps[-1]}" in text


def test_a_should_is_marked() -> None:
    text = written(made_up.report())
    assert "the display name is sent [should]" in text
    assert "renewal begins before the token expires [must (the jitter: should)]" in text
    assert "Identifiers are stable and within limits (should)" in written(made_up.report(), width=100)


def test_an_expected_breach_is_short_and_has_its_reason() -> None:
    text = written(made_up.report())
    assert "LOGOUT-1     a logout ends in notLoggedIn\n             SDK 6.35 stays terminated, #12\n" in text
    assert "it stays `terminated`" not in text


@pytest.mark.parametrize("width", [30, 80, 200])
def test_lines_are_as_wide_as_the_terminal_but_for_the_command_that_is_copied(width: int) -> None:
    def long(breach: Breach) -> str:
        return f"replay {breach.requirement} " + "x" * 300

    console = Console(file=io.StringIO(), width=width, record=True)
    terminal.summary(made_up.nasty(), console, replay=long)
    lines = console.export_text().splitlines()
    copied = [line for line in lines if line.endswith("x" * 300)]
    assert len(copied) == len(made_up.nasty().unexpected)
    # A narrow terminal still gets some letters a line.
    rest = [line for line in lines if line not in copied]
    assert max(map(len, rest)) <= max(width, 56)


def test_no_line_ends_in_spaces() -> None:
    assert [line for line in written(made_up.nasty()).splitlines() if line != line.rstrip()] == []


def test_a_file_gets_no_colour_and_a_terminal_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "\x1b" not in written(made_up.report())

    def coloured() -> str:
        file = io.StringIO()
        to = Console(file=file, width=80, force_terminal=True)
        terminal.summary(made_up.report(), to, replay=replay)
        return file.getvalue()

    assert "\x1b[1;31mLOGIN-2      broken (2 ways)      \x1b[0mEverything is in place" in coloured()
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[1mLOGIN-2" in coloured()
    assert not re.search(r"\x1b\[[\d;]*3\d", coloured())


def test_what_the_encoding_lacks_is_spelled_out() -> None:
    text = written(made_up.report(), encoding="ascii")
    assert "\\U0001f98a" in text
    assert "\\x1b[31mred" in text


@given(strategies.reports())
def test_nothing_that_a_client_says_reaches_the_terminal_as_a_command(report: Report) -> None:
    text = written(report)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e\ud800-\udfff]", text)


def test_what_rich_takes_for_markup_is_written_as_it_is() -> None:
    assert "[bold]z[/]" in written(made_up.report(), width=200)


# ── Progress ────────────────────────────────────────────────────────────────────────────────────────


def test_where_there_is_no_terminal_progress_is_some_plain_lines() -> None:
    file = io.StringIO()
    with progress.start(Console(file=file, width=40)) as shown:
        for n in range(1, 1001):
            shown.played(n, 1000, int(n >= 555))
        shown.shortening("LOGIN-2", "observers are told \x1b once", 1, 2)
        shown.shortening("LOGIN-2", "observers are told \x1b once", 1, 2)
        shown.shortening("LOGIN-10", "the display name is sent", 2, 2)
    lines = file.getvalue().splitlines()
    assert lines[0] == "played 1 of 1000 scenarios, 0 broken"
    assert "played 555 of 1000 scenarios, 1 broken" in lines
    assert "played 1000 of 1000 scenarios, 1 broken" in lines
    assert len(lines) == 1 + 10 + 1 + 2
    assert lines[-2:] == [
        "shortening breach 1 of 2: LOGIN-2 observers are told \\x1b once",
        "shortening breach 2 of 2: LOGIN-10 the display name is sent",
    ]


def test_nothing_to_play_is_told_too() -> None:
    file = io.StringIO()
    progress.start(Console(file=file)).played(0, 0, 0)
    assert file.getvalue() == "played 0 of 0 scenarios, 0 broken\n"


def drawn(monkeypatch: pytest.MonkeyPatch, *, fails: bool = False) -> str:
    monkeypatch.setenv("TERM", "xterm-256color")
    file = io.StringIO()
    console = Console(file=file, width=80, force_terminal=True)
    try:
        with progress.start(console) as shown:
            shown.played(40, 500, 3)
            console._live_stack[-1].refresh()  # as its thread does four times a second
            shown.shortening("RENEW-4", "[bold]an answer\x1b[2J\n" + "and more " * 20, 2, 7)
            console._live_stack[-1].refresh()
            if fails:
                raise RuntimeError
    except RuntimeError:
        pass
    return file.getvalue()


def test_at_a_terminal_one_line_is_drawn_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = drawn(monkeypatch)
    assert "playing, 3 broken" in text
    assert "40/500" in text
    assert "shortening RENEW-4: [bold]an answer\\x1b[2J and" in text
    assert "1/7" in text
    assert text.count("\n") == 0 or text.endswith("\x1b[2K")


@pytest.mark.parametrize("fails", [False, True])
def test_the_cursor_is_back_whatever_happens(monkeypatch: pytest.MonkeyPatch, fails: bool) -> None:
    text = drawn(monkeypatch, fails=fails)
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    file = io.StringIO()
    with progress.start(Console(file=file, force_terminal=True)) as shown:
        shown.played(1, 1, 0)
        shown.done()
    assert file.getvalue() == "played 1 of 1 scenario, 0 broken\n"


def test_the_consoles_write_where_they_should(capfd: pytest.CaptureFixture[str]) -> None:
    terminal.console().print("[b]:fox: out 1[/b]")
    terminal.console(stderr=True).print("err")
    assert capfd.readouterr() == ("[b]:fox: out 1[/b]\n", "err\n")


def test_only_what_is_not_applicable_says_why() -> None:
    report = made_up.report()
    results = tuple(attrs.evolve(result, why="BECAUSE") for result in report.results)
    text = written(attrs.evolve(report, results=results))
    assert text.count("BECAUSE") == report.count(Verdict.NOT_APPLICABLE)
