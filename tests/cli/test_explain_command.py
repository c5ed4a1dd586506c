"""`splus-session explain` knows every word of the life cycle, and reads what it says off the definition."""

import os
import subprocess
import sys
from typing import get_args

import pytest

from splus_session import (
    HOOKS,
    LIFECYCLE,
    Command,
    Event,
    SessionState,
    SplusSessionError,
    TerminationReason,
    event_name,
)
from splus_session.cli import main
from splus_session.requirements import REQUIREMENTS

COMMAND = [sys.executable, "-W", "error", "-m", "splus_session.cli", "explain"]


def said(capsys: pytest.CaptureFixture[str], *names: str) -> str:
    assert main(["explain", *names]) == 0
    return capsys.readouterr().out


def errors(error: type[SplusSessionError]) -> list[type[SplusSessionError]]:
    ours = [each for each in error.__subclasses__() if each.__module__.startswith("splus_session")]
    return [error, *(below for each in ours for below in errors(each))]


WORDS = {
    "state": [state.value for state in SessionState],
    "reason": [TerminationReason.GLOBAL_BAN.value],  # the other is an event's name, too
    "event": [event_name(event) for event in get_args(Event)],
    "guard": sorted({guard.name for row in LIFECYCLE for guard in row.guards}),
    "reaction": sorted({name for row in LIFECYCLE for name in row.reactions}),
    "command": [command.__name__ for command in get_args(Command)],
    "hook": sorted(HOOKS),
    "requirement": list(REQUIREMENTS),
    "error": [error.__name__ for error in errors(SplusSessionError)],
}


@pytest.mark.parametrize("kind", WORDS)
def test_every_word_is_explained_as_what_it_is(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert WORDS[kind]
    for name in WORDS[kind]:
        first = said(capsys, name).splitlines()[0]
        article = "an" if kind[0] in "aeiou" else "a"
        assert first.startswith(f"{name}, {article} {kind}"), first
        assert "not documented" not in first
        assert "`" not in first


def test_every_row_is_told_where_one_would_look_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    for row in LIFECYCLE:
        guards = f" if {' and '.join(map(str, row.guards))}" if row.guards else ""
        for word in (
            row.source.value,
            row.event,
            *(guard.name for guard in row.guards),
            *row.reactions,
            *row.hooks,
        ):
            where = (
                f"{row.event}: stays {row.source.value}{guards}"
                if row.internal
                else f"{row.event}: {row.source.value} -> {row.target.value}{guards}"
            )
            assert where in " ".join(said(capsys, word).split())


def test_it_says_in_which_states_an_event_has_no_row_and_who_keeps_a_requirement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "Without a row in: establishing." in said(capsys, "secure_logout")
    assert "Without a row" not in said(capsys, "logout")
    kept = said(capsys, "RENEW-7")
    assert "Kept by: " in kept
    assert "back_off" in kept
    assert "Kept by: token_expired" in said(capsys, "EXPIRE-1")
    assert "Asked for by: start_login." in said(capsys, "OpenSession")
    assert "May ask for: OpenSession." in said(capsys, "start_login")
    assert "code not_allowed" in said(capsys, "not_allowed")


def test_no_line_is_longer_than_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for names in WORDS.values():
        assert max(len(line) for line in said(capsys, *names).splitlines()) <= 96


def test_case_does_not_matter_and_a_slip_gets_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "renew-7") == said(capsys, "RENEW-7")
    assert main(["explain", "tokenExpird"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "nothing here is called 'tokenExpird'; did you mean tokenexpired" in told.err
    assert main(["explain", "logout", "qqqq"]) == 2
    told = capsys.readouterr()
    assert told.out == "", "all or nothing"
    assert "nothing here is called 'qqqq'; --help says what may be asked for" in told.err


def test_it_runs_as_a_command() -> None:
    done = subprocess.run([*COMMAND, "logout", "on_ban"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("logout, an event: ")
    assert "\n\non_ban, a hook: " in done.stdout


def test_letters_that_cannot_be_shown_are_spelled_out() -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*COMMAND, *REQUIREMENTS], capture_output=True, text=True, env=env, check=True)
    assert r"\xd7" in done.stdout


def test_it_does_without_docstrings() -> None:
    bare = [sys.executable, "-OO", "-m", "splus_session.cli", "explain", "logout", "not_allowed", "is_minted"]
    done = subprocess.run(bare, capture_output=True, text=True, check=True)
    assert "logout, an event: Forget the user, here and now." in done.stdout
    assert "code not_allowed: Python was told" in done.stdout
    assert "is_minted, a guard: Whether the answer brought a token" in done.stdout
