"""The protocol's page is true: its lists are the kit's, and its first adapter says what a real one says."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from splus_session.conformance._campaign import Campaign
from splus_session.conformance._lines import FEATURES, KINDS, AdapterError, Idle, Told, parse
from splus_session.conformance._source import Processes
from splus_session.conformance.verdicts import Verdict
from splus_session.testing import Endpoint, FakePlatform
from tests.conformance.hostile import Hostile
from tests.conformance.kit import Child, Kit, in_process, kinds
from tests.subjects import own_aio

ROOT = Path(__file__).parents[2]
PAGE_PATH = ROOT / "docs" / "reference" / "protocol.md"
PAGE = PAGE_PATH.read_text("utf-8")
SMALL = ROOT / "tests" / "subjects" / "small" / "client.py"

_, _, FIRST = PAGE.partition("## A first adapter")
[SESSION] = re.findall(r"^```\n(.*?)^```$", FIRST, re.DOTALL | re.MULTILINE)

DUE = 25 * 24 * 3600.0
"""Into this many seconds of a month's token, renewal is due."""

Line = dict[str, Any]


def exchanges() -> list[tuple[Line, list[Line]]]:
    """The session of the page: each command, and what the adapter writes then."""
    found: list[tuple[Line, list[Line]]] = []
    for text in SESSION.splitlines():
        sender, line = text[0], json.loads(text[2:])
        if sender == ">":
            found.append((line, []))
        else:
            found[-1][1].append(line)
    return found


def section(title: str) -> str:
    """What stands below a heading."""
    _, _, rest = PAGE.partition(f"## {title}\n")
    return rest.partition("\n## ")[0]


def test_the_features_of_the_page_are_those_of_the_kit() -> None:
    rows = re.findall(r"^\| (`.*?) \| … ", section("Beginning"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == set(FEATURES)


def test_the_kinds_of_errors_of_the_page_are_those_of_the_kit() -> None:
    rows = re.findall(r"^\| (`.*?) \| ", section("Kinds of errors"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == KINDS


def test_the_kit_takes_every_line_that_the_first_adapter_writes() -> None:
    answers = [answer for _, answer in exchanges()]
    *whole, bye = [[parse(json.dumps(line).encode()) for line in answer] for answer in answers]
    assert bye == []
    for *events, idle in whole:
        assert isinstance(idle, Idle)
        assert all(isinstance(event, Told) for event in events)
    assert exchanges()[0][1][0]["protocol"] == 1


def test_the_lines_that_are_shown_are_those_of_the_protocol(tmp_path: Path) -> None:
    shown = [
        json.loads(line)
        for lines in re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
        for line in lines.splitlines()
    ]
    body = """
    for c in commands():
        with open(sys.argv[1] + "/../commands", "a") as file: print(json.dumps(c), file=file)
        if "client" in c: say(event="done", of=c["id"])
        idle(c)
    """
    source = Processes(Hostile("writes-it-down", body, "").command(tmp_path))
    try:
        Campaign(source, budget=5, only=["LOGIN-1"]).run()
    finally:
        source.close()
    sent = {
        (command["do"], *sorted(command))
        for command in map(json.loads, (tmp_path / "commands").read_text("utf-8").splitlines())
    }
    commands = [line for line in shown if "do" in line]
    assert {line["do"] for line in commands} == {"hello", "begin", "login"}
    for line in commands:
        assert (line["do"], *sorted(line)) in sent
    answers = [parse(json.dumps(line).encode()) for line in shown if "do" not in line]
    assert len(answers) > 4


def test_each_idle_line_of_the_first_adapter_carries_its_commands_id() -> None:
    for command, answer in exchanges()[:-1]:
        assert answer[-1]["idle"] == command["id"]


def test_a_real_adapter_says_what_the_first_adapter_does(tmp_path: Path) -> None:
    platform = FakePlatform()
    hold = platform.hold(Endpoint.LOGIN)
    child = Child.of([str(SMALL)])
    with platform.serve() as server:
        real = {
            "url": server.url,
            "api_key": platform.api_key.reveal(),
            "auth_token": platform.issue_auth_token("ann").reveal(),
            "store": str(tmp_path),
        }
        try:
            for command, answer in exchanges()[:-1]:
                if command["do"] == "settle":
                    hold.arrived.wait()
                    hold.release()
                said = child.send({name: real.get(name, value) for name, value in command.items()})
                while command["do"] == "settle" and said[-1]["open"]:
                    said[-1:] = child.send(command)
                assert_same(said, answer)
            child.send(exchanges()[-1][0])
            assert child.end() == 0
        finally:
            child.kill()


def assert_same(said: list[Line], page: list[Line]) -> None:
    """The same lines, as far as the page tells: a client that can do more tells more in each."""
    assert len(said) == len(page)
    for a_line in page:
        fitting = [line for line in said if tells(line, a_line)]
        assert len(fitting) == 1, (a_line, said)
    assert "idle" in said[-1]


def tells(said: object, page: object) -> bool:
    """Whether all that stands on the page was said."""
    if isinstance(said, dict) and isinstance(page, dict):
        unlike = {"name", "version", "features"}
        return all(name in said and (name in unlike or tells(said[name], page[name])) for name in page)
    return said == page


def test_our_own_adapters_answer_in_odd_cases_as_the_page_says(kit: Kit) -> None:
    assert kinds(kit.do("logout", client="nobody")) == ["closed"]
    assert kinds(kit.do("close", client="nobody")) == ["closed"]
    assert kinds(kit.open(api_key="")) == ["invalid_argument"]
    assert kit.looks == {}
    assert kinds(kit.open()) == ["done"]
    assert kinds(kit.do("answer", client="a", renewal=99, **{"with": "renew"})) == ["other"]
    assert kinds(kit.do("login_with_access_token", client="a", access_token="")) == ["invalid_argument"]
    kit.log_in()
    kit.advance(DUE)
    number = kit.renewal()
    assert kinds(kit.do("close", client="a")) == ["done"]
    assert kinds(kit.do("answer", client="a", renewal=number, **{"with": "unable"})) == ["done"]
    assert kinds(kit.do("logout", client="a")) == ["closed"]


def test_our_own_adapters_count_renewals_from_one_at_each_begin_whichever_client_it_is(kit: Kit) -> None:
    for _ in range(2):
        for client, user in (("a", "ann"), ("b", "bob")):
            kit.open(client)
            kit.log_in(user, client)
        kit.advance(DUE)
        asked = {event["renewal"]: event["client"] for event in kit.told if event["event"] == "renewal"}
        assert set(asked) == {1, 2}
        assert set(asked.values()) == {"a", "b"}
        for number, client in asked.items():
            kit.do("answer", client=client, renewal=number, **{"with": "unable"})
        kit.begin()


def test_our_own_adapters_say_that_a_token_is_missing_unless_in_development(kit: Kit) -> None:
    kit.open()
    assert kinds(kit.do("login", client="a", user_id="ann")) == ["auth_token_required"]


def test_a_client_without_a_login_by_auth_token_breaks_what_logins_promise(tmp_path: Path) -> None:
    body = """
    for c in commands():
        if c["do"] == "login": say(event="failed", of=c["id"], kind="unsupported")
        elif "client" in c: say(event="done", of=c["id"])
        idle(c)
    """
    source = Processes(Hostile("has-no-login", body, "").command(tmp_path))
    try:
        report = Campaign(source, budget=5, only=["LOGIN-1"]).run()
    finally:
        source.close()
    assert [result.verdict for result in report.results] == [Verdict.BROKEN]


def test_giving_up_a_login_that_is_over_is_nothing() -> None:
    with in_process(own_aio) as channel, TemporaryDirectory() as folder:
        kit = Kit(channel, Path(folder))
        kit.begin()
        kit.open()
        kit.log_in()
        assert kinds(kit.do("cancel", client="a", call=kit.last_call())) == ["done"]
        assert kit.looks["a"]["state"] == "established"
        kit.stop()


@pytest.mark.requirement("SECRET-3")
@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"event": "sing"}',
        b'{"event": "state", "client": "a", "observer": 0, "state": "happy"}',
        b'{"event": "failed", "of": 1, "kind": "sad"}',
        b'{"event": "done", "of": -1}',
        b'{"event": "done", "of": true}',
        b'{"idle": "7"}',
        b'{"idle": 7, "clients": []}',
        b'{"idle": 7, "clients": {"a": {"state": "establishing", "user_id": 5}}}',
        b'{"idle": 7, "sent": 1}',
    ],
)
def test_a_line_that_is_none_of_the_page_is_quoted_and_not_believed(line: bytes) -> None:
    with pytest.raises(AdapterError) as raised:
        parse(line)
    assert repr(line[:100].decode("utf-8", "replace"))[:-1] in str(raised.value)


def test_links_lead_to_files_that_exist() -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE)
    assert "requirements.md" in targets
    assert [target for target in targets if not (PAGE_PATH.parent / target).exists()] == []
