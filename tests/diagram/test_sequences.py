"""What a flight recorder kept can be read as a conversation, in every language the same."""

import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given

from splus_session import (
    LIFECYCLE,
    AccessToken,
    AuthToken,
    AuthTokenGrant,
    Command,
    Credential,
    Event,
    Failure,
    FailureKind,
    HandlersChanged,
    InvalidArgumentError,
    Login,
    RecordedStep,
    Recorder,
    RenewalAnswered,
    RenewalFailed,
    RenewNow,
    SessionCore,
    SessionOpened,
    SessionState,
    TokenRenewed,
    UserBanned,
    event_name,
    step,
)
from splus_session._recorder import RecordedCommand
from splus_session.diagram import SequenceDiagram
from splus_session.diagram._recording import messages
from splus_session.diagram._sequence_places import lay_out
from splus_session.testing.strategies import Move, moves
from tests.diagram.readers import parsed
from tests.npm import CannotInstallError, installed

SVG = "{http://www.w3.org/2000/svg}"
START = 1_700_000_000.0


def a_life() -> Recorder:
    """Somebody logs in, the backend vouches once more, the platform ails, then bans; an answer is late."""
    core, recorder = SessionCore(seed=1), Recorder()

    def token(now: float) -> Credential:
        return Credential(AccessToken(f"CANARY-{now}"), "ann-CANARY", issued_at=now, expires_at=now + 3600)

    def receive(event: Event, now: float) -> None:
        recorder.note(core.receive(event, now))

    receive(HandlersChanged(session_handler=True, access_token_handler=False), START)
    receive(Login("ann-CANARY", AuthToken("CANARY")), START)
    receive(RenewNow(), START + 0.5)
    receive(SessionOpened(token(START), attempt=1), START + 1)
    due = core.deadline
    assert due is not None
    recorder.note(core.advance(due))
    receive(RenewalAnswered(2, AuthTokenGrant("ann-CANARY", AuthToken("CANARY"))), due + 2)
    receive(RenewalFailed(2, Failure(FailureKind.UNAVAILABLE, 503)), due + 3)
    receive(UserBanned(), due + 3)
    receive(TokenRenewed(token(due), attempt=2), due - 4)
    receive(RenewalFailed(2, Failure(FailureKind.UNREACHABLE)), due - 4)
    return recorder


TEXT = """\
What happened to a social.plus session

   1  app -> session       other handlers
   2  app -> session       login
   3  session -> app       is establishing (login)
   4  session -> platform  log in (1)
   5  session              0.5 s pass
   6  app -> session       renew now
   7  session -> app       refused: not_allowed
   8  session              0.5 s pass
   9  platform -> session  logged in (1), for 59 min 59 s
  10  session              store the session
  11  session -> app       is established (loggedIn)
  12  session -> app       run on_login
  13  session -> app       attempt 1 is done
  14  session              43 min 48.676 s pass
  15  session              a renewal is due (2)
  16  session -> backend   something to renew with, please (2)
  17  session              2 s pass
  18  backend -> session   here is something to renew with (2)
  19  session -> platform  renew (2)
  20  session              1 s pass
  21  platform -> session  renewal failed (2): the platform is ailing (status 503)
  22  session -> app       attempt 2 failed: the platform is ailing (status 503)
  23  platform -> session  the user is banned
  24  session              delete what is stored
  25  session -> app       is terminated (globalBan)
  26  session -> app       run on_ban
  27  session              the clock steps back by 7 s
  28  platform -> session  renewed (2), for 1 h 4 s
  29  session -> platform  revoke a token that nobody uses
  30  platform -> session  renewal failed (2): the platform did not answer - dropped: not_allowed
"""


def test_a_life_reads_as_a_conversation() -> None:
    text = SequenceDiagram(a_life()).to_text()
    passed = re.search(r"43 min \S+ s pass", text)
    assert passed, "the renewal is early by the jitter"
    assert text == TEXT.replace("43 min 48.676 s pass", passed[0])


def test_mermaid_and_svg_say_the_same_as_the_text() -> None:
    diagram = SequenceDiagram(a_life())
    lines = [line.split(None, 1)[1] for line in diagram.to_text().splitlines()[2:]]
    arrows = re.findall(r"^    (\w+)(->>|--x)(\w+): (.*)$", diagram.to_mermaid(), re.MULTILINE)
    assert [
        f"{sender if sender == receiver else f'{sender} -> {receiver}':<19}  {text}"
        for sender, _, receiver, text in arrows
    ] == lines
    assert [text for _, arrow, _, text in arrows if arrow == "--x"] == [
        "refused: not_allowed",
        "renewal failed (2): the platform did not answer - dropped: not_allowed",
    ]
    root = parsed(diagram.to_svg())
    described = root.find(f"{SVG}desc")
    assert described is not None
    said = re.findall(r"(\d+)\. (\w+) to (\w+): (.*?)\.(?= \d+\. |$)", described.text or "")
    assert [text for *_, text in said] == [text for *_, text in arrows]
    drawn = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert "is established (loggedIn)" in drawn
    assert [name for name in ("app", "session", "backend", "platform") if name in drawn.split()]
    assert root.get("role") == "img"


def test_participants_stand_in_one_order_and_only_those_that_have_to_do_with_it() -> None:
    entries = a_life().entries
    heads = [line for line in SequenceDiagram(entries).to_mermaid().splitlines() if "participant" in line]
    assert [line.split()[1] for line in heads] == ["app", "session", "backend", "platform"]
    first = SequenceDiagram(entries[:1]).to_mermaid()
    assert re.findall(r"participant (\w+)", first) == ["app", "session"]
    last = SequenceDiagram(entries[-1:]).to_svg()
    assert [text.text for text in parsed(last).iter(f"{SVG}text") if text.get("class") == "name"] == [
        "session",
        "platform",
    ] * 2


def test_nothing_recorded_is_an_empty_picture() -> None:
    diagram = SequenceDiagram(Recorder(), title="Nothing; #1")
    assert diagram.to_text() == "Nothing; #1\n\n"
    assert "accTitle: Nothing   1\n" in diagram.to_mermaid()
    assert parsed(diagram.to_svg()).tag == f"{SVG}svg"


@pytest.mark.requirement("SECRET-1")
def test_no_secret_and_no_user_is_in_any_of_them() -> None:
    diagram = SequenceDiagram(a_life())
    kept = repr(a_life().entries)
    for shown in (kept, diagram.to_text(), diagram.to_mermaid(), diagram.to_svg(), repr(diagram)):
        assert "CANARY" not in shown


@given(moves())
def test_whatever_happens_there_are_words_for_it_and_places_that_do_not_overlap(move: Move) -> None:
    recorder = Recorder()
    recorder.note([step(move.snapshot, move.event, move.now)])
    said = tuple(messages(recorder.entries))
    assert said
    places = lay_out(said)
    rows = [arrow.row for arrow in places.arrows]
    assert not any(one.overlaps(other) for one, other in pairwise(rows))


def test_there_are_words_for_every_event_and_every_command() -> None:
    def entry(event: str, *asked: RecordedCommand) -> RecordedStep:
        state = SessionState.ESTABLISHED
        return RecordedStep(0.0, event, state, state, None, None, None, None, asked)

    for event in {row.event for row in LIFECYCLE} | {event_name(each) for each in get_args(Event)}:
        assert len(list(messages([entry(event)]))) == 1
    for command in get_args(Command):
        assert len(list(messages([entry("logout", RecordedCommand(command.__name__, 1))]))) == 2


@pytest.mark.parametrize("theme", ["light", "dark", "both"])
def test_the_picture_brings_its_colours(theme: Any) -> None:
    svg = SequenceDiagram(a_life()).to_svg(theme=theme)
    style = parsed(svg).find(f"{SVG}style")
    assert style is not None
    assert ("prefers-color-scheme:dark" in (style.text or "")) is (theme == "both")
    assert ("#10151c" in (style.text or "")) is (theme != "light")
    classes = {name for each in parsed(svg).iter() for name in (each.get("class") or "").split()}
    assert all(f".{name}" in (style.text or "") for name in classes - {"said", "sequence"})


def test_mermaid_itself_reads_it() -> None:
    try:
        packages = installed(Path(__file__).parent / "vendor")
    except CannotInstallError as error:
        pytest.skip(f"NOT RUN: {error}")
    diagram = SequenceDiagram(a_life())
    command = ["node", str(Path(__file__).parent / "vendor" / "read_mermaid.mjs"), str(packages)]
    run = subprocess.run(command, input=diagram.to_mermaid().encode(), capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()
    read = json.loads(run.stdout)
    lines = [line.split(None, 1)[1] for line in diagram.to_text().splitlines()[2:]]
    assert [
        f"{sender if sender == receiver else f'{sender} -> {receiver}':<19}  {text}"
        for sender, receiver, text in read["messages"]
    ] == lines


def test_a_notebook_shows_it() -> None:
    diagram = SequenceDiagram(a_life())
    shown = diagram._repr_mimebundle_()
    assert shown == {"text/plain": diagram.to_text(), "image/svg+xml": diagram.to_svg()}


def test_two_pictures_on_one_page_do_not_disturb_each_other() -> None:
    life = a_life()
    first, second = SequenceDiagram(life).to_svg(), SequenceDiagram(life.entries[:3], title="First").to_svg()
    ids = [re.findall(r' id="([^"]+)"', svg) for svg in (first, second)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    for svg in (first, second):
        [name] = re.findall(r'<svg [^>]*class="(\w+)"', svg)
        [style] = re.findall(r"<style>(.*)</style>", svg)
        selectors = re.findall(r"([^{}]+)\{", re.sub(r"@media \([^)]*\)\{", "", style))
        assert selectors
        assert all(part.strip().startswith(f".{name}") for each in selectors for part in each.split(","))


def test_what_is_no_title_no_theme_and_nothing_recorded_is_refused() -> None:
    anything: Any = [1]
    theme: Any = "pink"
    with pytest.raises(InvalidArgumentError, match="title"):
        SequenceDiagram(Recorder(), title="")
    with pytest.raises(InvalidArgumentError, match="theme is 'pink'; it is one of light, dark, both"):
        SequenceDiagram(Recorder()).to_svg(theme=theme)
    with pytest.raises(InvalidArgumentError, match="told by a Recorder"):
        SequenceDiagram(anything)
    seen = SequenceDiagram(Recorder(), title="a\n\u202eb").to_text()
    assert seen.startswith("a \\u202eb\n")
