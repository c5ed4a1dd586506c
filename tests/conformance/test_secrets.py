"""No secret passes unseen, and none is shown, whatever way an adapter tells it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from splus_session.conformance._actions import Action
from splus_session.conformance._judge import Outcome, play
from splus_session.conformance._lines import Idle, Told
from splus_session.conformance._platform import Desk
from splus_session.conformance._source import Processes
from splus_session.conformance._talk import Talk
from splus_session.testing import FakePlatform, ManualClock
from tests.conformance.hostile import Hostile

pytestmark = pytest.mark.requirement("SECRET-1")

LOGIN = Action("login", "a", "ann")


def outcome_of(source: Processes, *scenario: Action) -> Outcome:
    return play(source.take, source.features, scenario, patience=0.0)


def broken(outcome: Outcome) -> set[str]:
    return {found.sentence.requirement for found in outcome.found}


# ── Standard error ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("before", [0, 70_000])
def test_a_secret_is_seen_however_much_was_written_before(before: int, tmp_path: Path) -> None:
    body = f"""
    os.write(2, b"x" * {before})
    for c in commands():
        if c["do"] == "login":
            os.write(2, c["auth_token"].encode())
            time.sleep(0.1)
        if c["do"] == "hello": idle(c, features=["again", "time"])
        else: idle(c)
    """
    source = Processes(Hostile("writes", body, "").command(tmp_path))
    try:
        outcomes = [outcome_of(source, LOGIN) for _ in range(2)]
        assert ["SECRET-1" in broken(outcome) for outcome in outcomes] == [True, True]
        assert "SECRET-1" not in broken(outcome_of(source, Action("open", "a")))
    finally:
        source.close()


class Writer:
    """An adapter that does nothing, and writes what it is given."""

    pause = 0.0

    def __init__(self) -> None:
        self.text = ""

    @property
    def heard(self) -> int:
        return len(self.text)

    def said(self, since: int = 0) -> str:
        return self.text[since:]

    def send(self, command: Mapping[str, object]) -> tuple[list[Told], Idle]:
        return [], Idle(0)

    def meet(self, platform: FakePlatform) -> None:
        """It asks no platform."""

    def kill(self) -> None:
        """It has nothing to lose."""


def test_a_secret_that_is_written_in_two_pieces_is_seen_once() -> None:
    desk, writer = Desk(ManualClock()), Writer()
    secret = desk.auth_token("ann")
    writer.text = f"of another run: {secret}"
    talk = Talk(lambda: writer, desk)
    talk.start()
    leaks: list[int] = []
    for piece in ("x" * 5_000, secret[:1], secret[1:-1], "", secret[-1:], "and on", "and on"):
        writer.text += piece
        leaks.append(len(talk.take_leaks()))
    assert leaks == [0, 0, 0, 0, 1, 0, 0]


# ── What is shown ───────────────────────────────────────────────────────────────────────────────


def shown(outcome: Outcome) -> str:
    """All that a report may show of a run."""
    told = [outcome.adapter_error or "", outcome.said, outcome.logins.last_refused]
    for found in outcome.found:
        told += [found.wrong.expected, found.wrong.observed, *map(str, found.lines)]
    return "\n".join(told)


SAYS = {
    "in the message of an error": "say(event='failed', of=c['id'], kind='other', message=text)",
    "in a value": "say(event='done', of=c['id'], value=text)",
    "uncaught": "say(event='uncaught', message=text)",
    "in a look": "look = {'state': 'notLoggedIn', 'user_id': text, 'device_id': text}; "
    "idle(c, clients={'a': look}); continue",
    "in a line that is none": "print(text, flush=True)",
    "in a line of JSON that is none": "say(event='none', text=text)",
    "on standard error": "print(text, file=sys.stderr, flush=True); sys.exit(3)",
    "in a path": "ask(text)",
}


@pytest.mark.parametrize("how", SAYS)
@pytest.mark.parametrize("before", [0, 10, 30, 45, 80, 100, 180])
def test_no_part_of_a_secret_is_shown(how: str, before: int, tmp_path: Path) -> None:
    body = f"""
    import urllib.error, urllib.parse, urllib.request
    def ask(text):
        global sent
        sent += 1
        try:
            urllib.request.urlopen(url + "/" + urllib.parse.quote(text), b"{{}}").read()
        except urllib.error.HTTPError:
            pass
    sent = 0
    born = idle
    def idle(command, **fields): born(command, **{{"sent": sent, **fields}})
    for c in commands():
        url = c.get("url") or (url if "url" in globals() else "")
        if c["do"] == "login":
            open(sys.argv[1] + "/../token", "w").write(c["auth_token"])
            text = "." * {before} + " of " + c["auth_token"]
            {SAYS[how]}
        if c["do"] == "hello": idle(c, features=["time"])
        else: idle(c)
    """
    source = Processes(Hostile("tells", body, "").command(tmp_path))
    try:
        told = shown(outcome_of(source, LOGIN))
    finally:
        source.close()
    token = (tmp_path / "token").read_text()
    assert [token[n : n + 6] for n in range(len(token) - 5) if token[n : n + 6] in told] == []
