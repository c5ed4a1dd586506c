"""`splus-session conform`, from its arguments to its exit status and what it writes."""

import json
import shlex
import subprocess
import sys
import textwrap
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from splus_session import cli
from splus_session.conformance import _command
from splus_session.conformance._judge import ALIVE, FALLBACKS
from splus_session.conformance.reports import as_json
from splus_session.conformance.sentences import SENTENCES
from splus_session.conformance.verdicts import Breach, Report
from splus_session.requirements import REQUIREMENTS
from tests.conformance import made_up
from tests.conformance.hostile import Hostile
from tests.processes import run

ROOT = Path(__file__).parents[2]
SMALL = [sys.executable, str(ROOT / "tests" / "subjects" / "small" / "client.py")]
WRONG = [*SMALL, "--mistake", "new-observer-hears-nothing"]

Said = pytest.CaptureFixture[str]


def conform(*arguments: object, command: list[str] | None = SMALL) -> int:
    """Run it in this process."""
    adapter = [] if command is None else ["--", *command]
    return cli.main(["conform", *map(str, arguments), *adapter])


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, int]:
    """A wrong client, judged once: the folder of reports, what was said, and the exit status."""
    folder = tmp_path_factory.mktemp("judged") / "not" / "there"
    command = [sys.executable, "-W", "error", "-m", "splus_session.cli", "conform", "--budget", "3"]
    ids = ["--id", "OBSERVE-1", "--id", "LOGIN-2"]
    done = subprocess.run(
        [*command, *ids, "--report", str(folder), "--", *WRONG],
        capture_output=True, text=True, timeout=120, check=False, cwd=ROOT,
    )  # fmt: skip
    return folder, done.stdout, done.returncode


def report_of(folder: Path) -> Report:
    return as_json.load((folder / "report.json").read_text("utf-8"))


# ── What is listed ──────────────────────────────────────────────────────────────────────────────


def test_the_list_names_every_sentence_under_its_requirement(capsys: Said) -> None:
    assert conform("--list", command=None) == 0
    listed: dict[str, list[str]] = {}
    current = ""
    for line in capsys.readouterr().out.splitlines():
        if line.startswith("    "):
            listed[current].append(line.strip().partition("  [")[0])
        else:
            current, _, title = line.partition("  ")
            assert title == REQUIREMENTS[current].title
            listed[current] = []
    assert {(name, text) for name, texts in listed.items() for text in texts} == {
        (sentence.requirement, sentence.text) for sentence in SENTENCES
    }
    assert [name for name in REQUIREMENTS if name in listed] == list(listed)


def test_the_list_of_one_requirement_is_of_that_alone(capsys: Said) -> None:
    assert conform("--list", "--id", "WIRE-1", command=None) == 0
    first, *others = capsys.readouterr().out.splitlines()
    assert first.startswith("WIRE-1  ")
    assert all(line.startswith("    ") for line in others)


# ── What cannot be asked for ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("arguments", "command", "problem"),
    [
        ([], None, "how is the adapter started? Say it after --"),
        ([], [], "how is the adapter started? Say it after --"),
        (["--id", "LOGIN-99"], SMALL, "no requirement is called LOGIN-99; see --list"),
        (["--list", "--id", "LOGIN-99"], None, "no requirement is called LOGIN-99; see --list"),
        (["--budget", "0"], SMALL, "the budget is at least one scenario"),
        (["--replay", "no/such.json"], SMALL, "no/such.json cannot be read"),
        (["--replay", __file__], SMALL, "cannot be read"),
        (["--against", "no/such.json"], SMALL, "no/such.json cannot be read"),
        (["--report", f"{__file__}/reports"], SMALL, "cannot be made"),
        (["--accept", f"{__file__}/known.json"], SMALL, "cannot be made"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(
    arguments: list[str], command: list[str] | None, problem: str, capsys: Said
) -> None:
    assert conform(*arguments, command=command) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert problem in said.err
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize("arguments", [["--budget", "many"], ["--seed", "x"], ["--dance"]])
def test_an_option_that_is_none_is_a_usage_error(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        conform(*arguments)
    assert ended.value.code == 2


def test_a_replay_of_nothing_playable_is_a_usage_error(tmp_path: Path, capsys: Said) -> None:
    for content in ({}, {"scenario": [{"do": "dance"}]}):
        (tmp_path / "replay.json").write_text(json.dumps(content))
        assert conform("--replay", tmp_path / "replay.json") == 2
        assert str(tmp_path / "replay.json") in capsys.readouterr().err


@pytest.mark.parametrize(
    ("absent", "extra"),
    [
        ("rich", "conformance"),
        ("starlette", "conformance"),
        ("hypothesis", "conformance"),
        ("uvicorn", "testing"),
    ],
)
def test_what_is_not_installed_is_named_with_its_extra(absent: str, extra: str) -> None:
    program = f"""
    import sys
    sys.modules[{absent!r}] = None  # as if it were not installed
    from splus_session import cli
    sys.exit(cli.main(["conform", "--budget", "1", "--", *sys.argv[1:]]))
    """
    done = run(program, *SMALL)
    assert done.returncode == 2
    assert f"pip install 'splus-session[{extra}]'" in done.stderr.splitlines()[-1]


# ── What is written ─────────────────────────────────────────────────────────────────────────────


def test_only_the_requirements_that_are_named_are_judged(judged: tuple[Path, str, int]) -> None:
    folder, said, status = judged
    report = report_of(folder)
    assert status == 1
    assert [result.requirement for result in report.results] == ["LOGIN-2", "OBSERVE-1"]
    assert {breach.requirement for breach in report.breaches} == {"OBSERVE-1"}
    assert "BAN-1" not in said
    assert conform("--budget", "3", "--id", "LOGIN-2", command=WRONG) == 0


def test_all_reports_tell_the_same(judged: tuple[Path, str, int]) -> None:
    folder, said, _ = judged
    assert {each.name for each in folder.iterdir()} == {
        "report.html", "report.json", "report.md", "junit.xml", "replays",
    }  # fmt: skip
    [breach] = report_of(folder).breaches
    [replay] = (folder / "replays").iterdir()
    assert replay.name == _command.file_name(breach.requirement, breach.sentence)
    content = json.loads(replay.read_text("utf-8"))
    assert (content["requirement"], content["sentence"]) == (breach.requirement, breach.sentence)
    assert content["scenario"] == list(breach.scenario)

    html = (folder / "report.html").read_text("utf-8")
    markdown = (folder / "report.md").read_text("utf-8")
    suite = ET.fromstring((folder / "junit.xml").read_text("utf-8"))  # noqa: S314  it is ours
    failed = [case.get("name") or "" for case in suite.iter("testcase") if case.find("failure") is not None]
    assert ["OBSERVE-1" in name for name in failed] == [True]
    for text in (html, markdown, said, ET.tostring(suite, "unicode")):
        assert breach.sentence in " ".join(text.split())


def test_the_command_that_is_told_shows_the_breach_again(judged: tuple[Path, str, int]) -> None:
    folder, said, _ = judged
    [told] = [line.strip() for line in said.splitlines() if "--replay" in line]
    program, *arguments = shlex.split(told)
    assert program == "splus-session"
    assert str(folder) in told
    assert cli.main(arguments) == 1


def test_reports_of_an_earlier_judging_are_replaced(judged: tuple[Path, str, int], tmp_path: Path) -> None:
    (tmp_path / "replays").mkdir()
    (tmp_path / "replays" / "LOGIN-1-old.json").write_text("{}")
    _command.write(report_of(judged[0]), tmp_path, lambda _: "again")
    assert [each.name for each in (tmp_path / "replays").iterdir()] == [
        each.name for each in (judged[0] / "replays").iterdir()
    ]


def test_what_is_seen_once_and_never_again_is_a_trouble_whose_run_may_be_played(
    tmp_path: Path, capsys: Said
) -> None:
    program = """
    import pathlib, sys
    sys.path.insert(0, sys.argv[1])
    from adapter import play
    from client import Client
    from mistakes import MISTAKES

    born = pathlib.Path(sys.argv[2])
    client = Client if born.exists() else MISTAKES["new-observer-hears-nothing"].client
    born.touch()
    play(client)
    """
    folder, born = tmp_path / "found", tmp_path / "born"
    command = [sys.executable, "-c", textwrap.dedent(program), str(Path(SMALL[1]).parent), str(born)]
    assert conform("--budget", "3", "--id", "OBSERVE-1", "--report", folder, command=command) == 1
    assert "seen once, and not again" in capsys.readouterr().out
    report = report_of(folder)
    assert not report.breaches
    (file,) = (folder / "replays").iterdir()
    assert conform("--replay", file, command=command) == 0
    assert conform("--replay", file, command=WRONG) == 1
    assert {trouble.sentence for trouble in report.troubles} == {json.loads(file.read_text())["sentence"]}


@pytest.mark.requirement("SECRET-3")
def test_a_replay_file_holds_whatever_a_client_says(tmp_path: Path) -> None:
    report = made_up.nasty()
    assert any("\ud800" in breach.observed for breach in report.breaches)
    _command.write(report, tmp_path, lambda _: "again")
    for breach in report.breaches:
        content = json.loads(
            (tmp_path / "replays" / _command.file_name(breach.requirement, breach.sentence)).read_text(
                "utf-8"
            )
        )
        assert content["observed"] == breach.observed


def test_no_two_sentences_share_a_file() -> None:
    sentences = [*SENTENCES, ALIVE, *FALLBACKS.values()]
    breaches = [Breach(each.requirement, each.text, "", "", (), (), (), 0) for each in sentences]
    assert len({_command.file_name(breach.requirement, breach.sentence) for breach in breaches}) == len(
        breaches
    )


# ── Replays ─────────────────────────────────────────────────────────────────────────────────────


def test_without_a_report_nobody_is_sent_to_a_replay_that_was_not_written(capsys: Said) -> None:
    assert conform("--budget", "3", "--id", "OBSERVE-1", command=WRONG) == 1
    told = capsys.readouterr().out
    assert "--replay" not in told
    assert "--report FOLDER" in told


def test_a_replay_tells_the_breach_line_by_line(judged: tuple[Path, str, int], capsys: Said) -> None:
    [replay] = (judged[0] / "replays").iterdir()
    content = json.loads(replay.read_text("utf-8"))
    assert conform("--replay", replay, command=WRONG) == 1
    said = capsys.readouterr().out
    assert f"broken: {content['requirement']}, {content['sentence']}" in said
    assert f"observed  {content['observed']}" in said
    assert "app → client" in said


def test_a_replay_of_what_is_not_broken_any_more_passes(judged: tuple[Path, str, int], capsys: Said) -> None:
    [replay] = (judged[0] / "replays").iterdir()
    assert conform("--replay", replay) == 0
    assert "it is not broken any more" in capsys.readouterr().out


@pytest.mark.parametrize("when", ["begin", "login"])
def test_a_replay_with_an_adapter_that_dies_is_no_pass(when: str, tmp_path: Path, capsys: Said) -> None:
    replay = tmp_path / "replay.json"
    scenario = [{"do": "login", "client": "a", "how": "ann"}]
    replay.write_text(json.dumps({"requirement": "LOGIN-2", "sentence": "any", "scenario": scenario}))
    body = f"for c in commands(): os._exit(7) if c['do'] in ({when!r}, 'open') else idle(c)"
    assert conform("--replay", replay, command=Hostile("dies", body, "").command(tmp_path)) == 2
    assert "ended with status 7" in capsys.readouterr().err


def test_a_replay_of_what_the_client_does_not_declare_is_no_pass(tmp_path: Path, capsys: Said) -> None:
    replay = tmp_path / "replay.json"
    replay.write_text(json.dumps({"scenario": [{"do": "login_as_bot", "client": "a"}]}))
    assert (
        conform(
            "--replay", replay, command=Hostile("plain", "for c in commands(): idle(c)", "").command(tmp_path)
        )
        == 2
    )
    assert "does not declare what that run needs: bot" in capsys.readouterr().err


@pytest.mark.requirement("SECRET-3")
def test_a_replay_shows_nothing_that_a_terminal_would_obey(tmp_path: Path, capsys: Said) -> None:
    (tmp_path / "replay.json").write_text(
        json.dumps({"scenario": [{"do": "login", "client": "a", "how": "ann"}]})
    )
    body = """
    for c in commands():
        if c["do"] == "open":
            say(event="failed", of=c["id"], kind="other", message="\\x1b[2J \\ud800")
            say(event="uncaught", message="\\x1b[2J")
        idle(c)
    """
    assert (
        conform("--replay", tmp_path / "replay.json", command=Hostile("rude", body, "").command(tmp_path))
        == 1
    )
    said = capsys.readouterr().out
    assert "\\x1b[2J" in said
    assert "\x1b" not in said


@pytest.mark.requirement("SECRET-1")
def test_a_replay_shows_what_the_adapter_said_last_and_no_secret(tmp_path: Path, capsys: Said) -> None:
    scenario = [{"do": "open", "client": "a"}, {"do": "login", "client": "a", "how": "ann"}]
    (tmp_path / "replay.json").write_text(json.dumps({"scenario": scenario}))
    body = """
    for c in commands():
        for n in range(40 if c["do"] == "login" else 0):
            print("line", n, c["do"], "\\x1b[2J", c.get("auth_token", ""), c.get("api_key", ""), file=sys.stderr)
        sys.stderr.flush()
        if c["do"] == "login": sys.exit("no such thing as a login")
        idle(c)
    """
    command = Hostile("speaks", body, "").command(tmp_path)
    assert conform("--replay", tmp_path / "replay.json", command=command) == 1
    lines = capsys.readouterr().out.splitlines()
    told = lines[lines.index("the adapter said at last:") + 1 :]
    assert "  line 39 login \\x1b[2J (a secret) " in told
    assert "  no such thing as a login" in told
    assert "  line 9 login \\x1b[2J (a secret) " not in told
    said = "\n".join(lines)
    assert "it said: line 0 login \\x1b[2J (a secret) | …" in said
    assert "eyJ" not in said


def test_a_replay_with_an_adapter_that_said_nothing_says_nothing_of_it(
    judged: tuple[Path, str, int], capsys: Said
) -> None:
    [replay] = (judged[0] / "replays").iterdir()
    assert conform("--replay", replay) == 0
    assert "the adapter said" not in capsys.readouterr().out
