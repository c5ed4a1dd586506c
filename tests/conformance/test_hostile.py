"""Whatever an adapter does: it gets a clear verdict, the kit survives, and no process is left."""

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from splus_session import cli
from splus_session.conformance import _command
from splus_session.conformance._child import Child
from splus_session.conformance._lines import AdapterError
from splus_session.conformance._source import Processes
from tests.conformance import hostile
from tests.conformance.hostile import AT_HELLO, LATER, Hostile
from tests.conformance.kit import eventually
from tests.processes import output

pytestmark = pytest.mark.requirement("SECRET-3")

Conform = Callable[..., tuple[int, str]]


@pytest.fixture
def conform(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Conform:
    """Judge an adapter; gives the exit status, and all that was said in one line."""

    def run(*command: str, patience: float = 5.0, budget: int = 2) -> tuple[int, str]:
        monkeypatch.setattr(_command, "Processes", partial(Processes, patience=patience))
        only = ("--id", "SECRET-3", "--id", "LOGIN-2")  # shortening all the rest takes long
        status = cli.main(["conform", "--budget", str(budget), *only, "--", *command])
        said = capsys.readouterr()
        assert [
            character
            for character in said.out + said.err
            if not (character.isprintable() or character == "\n")
        ] == []
        return status, re.sub(r"\s+", " ", said.out + said.err)

    return run


@pytest.mark.parametrize("subject", AT_HELLO + LATER, ids=lambda subject: subject.name)
def test_a_hostile_adapter_gets_a_clear_verdict_and_leaves_nothing(
    subject: Hostile, conform: Conform, tmp_path: Path
) -> None:
    budget = 2 if subject.status == 1 else 4  # after three runs that could not begin it gives up
    status, said = conform(*subject.command(tmp_path), patience=subject.patience, budget=budget)
    assert subject.says in said
    assert status == subject.status
    assert ("SECRET-3 The client lives, and comes to rest" in said) == subject.is_dead
    assert hostile.begun(tmp_path)
    assert hostile.left(tmp_path) == []


@pytest.mark.parametrize("program", ["/no/such/program", "no-such-program", ".", __file__])
def test_what_cannot_be_started_is_said(program: str, conform: Conform) -> None:
    status, said = conform(program)
    assert status == 2
    assert said.startswith("splus-session: the adapter cannot be started: ")
    assert program in said


def test_a_program_that_is_no_adapter_is_quoted(conform: Conform) -> None:
    status, said = conform("echo", "hello", "world")
    assert (status, "it is no JSON: 'hello world'" in said) == (2, True)
    status, said = conform("true")
    assert (status, "the adapter ended with status 0" in said) == (2, True)
    status, said = conform("cat")
    assert (status, "it has neither `idle` nor a known `event`" in said) == (2, True)


def test_runs_that_cannot_begin_are_told_though_others_can(conform: Conform, tmp_path: Path) -> None:
    body = """
    n = len(os.listdir(sys.argv[1]))
    for c in commands():
        if c["do"] == "begin" and n > 1 and n % 2:
            sys.exit("no")
        idle(c)
    """
    status, said = conform(*Hostile("flaky", body, "").command(tmp_path), budget=5)
    assert status == 1
    assert "could not even begin in" in said


def test_one_that_ends_itself_when_it_has_nothing_to_do_costs_no_run(
    conform: Conform, tmp_path: Path
) -> None:
    body = """
    import threading
    def leave_when_idle():
        time.sleep(0.2)
        if not begun: os._exit(0)
    begun = False
    threading.Thread(target=leave_when_idle, daemon=True).start()
    for c in commands():
        begun = c["do"] != "hello"
        if c["do"] == "begin": time.sleep(0.5)  # the next one has ended by then
        idle(c)
    """
    status, said = conform(*Hostile("leaves", body, "").command(tmp_path), budget=2)
    assert "could not even begin" not in said
    assert status in (0, 1)
    assert hostile.left(tmp_path) == []


# ── What it costs ───────────────────────────────────────────────────────────────────────────────

GROWTH = """
import resource, sys, time
from splus_session.conformance._child import Child
from splus_session.conformance._lines import AdapterError

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (1024 if sys.platform == "darwin" else 1)

before = peak()
child = Child(sys.argv[1:], patience=5.0)
try:
    child.send({"id": 0, "do": "hello"})
    time.sleep(0.5)  # meanwhile it may say whatever it likes
    child.send({"id": 1, "do": "begin"})
except AdapterError as error:
    print(error)
child.kill()
print(peak() - before)
"""


@pytest.mark.parametrize(
    "body",
    [
        "for _ in range(1100): os.write(1, b'x' * 1000000)",
        "idle(next(commands()))\nfor _ in range(1100): os.write(1, b'x' * 1000000)",
        "idle(next(commands()))\nwhile True: os.write(1, b'x' * 1000000 + b'\\n')",
        "idle(next(commands()))\nline = json.dumps({'event': 'uncaught', 'message': 'x' * 1000000}) + '\\n'\nwhile True: sys.stdout.write(line)",
        "idle(next(commands()))\nfor _ in range(300): os.write(2, b'x' * 1000000)",
    ],
    ids=["at hello", "a line without end", "lines of garbage", "long events", "errors"],
)
def test_a_flood_costs_little_memory(body: str, tmp_path: Path) -> None:
    command = Hostile("flood", body, "").command(tmp_path)
    [said, kilobytes] = output(GROWTH, *command)
    assert "the adapter" in said
    assert int(kilobytes) < 60_000
    assert hostile.left(tmp_path) == []


def test_an_adapter_that_answers_unasked_and_never_reads_does_not_hold_the_kit_up(tmp_path: Path) -> None:
    body = "for n in range(100000): say(idle=n)"
    child = Child(Hostile("deaf", body, "").command(tmp_path), patience=0.5)

    def send_all() -> None:
        for n in range(100_000):
            child.send({"id": n, "do": "settle", "long": "x" * 10_000})

    with pytest.raises(AdapterError, match="the adapter does not read the command 'settle'"):
        send_all()
    child.close()
    assert hostile.left(tmp_path) == []


# ── How it ends ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("last", "is_orderly"),
    [("open(sys.argv[1] + '/../bye', 'w').close(); break", True), ("time.sleep(60)", False)],
)
def test_an_adapter_is_told_to_end_before_it_is_made_to(last: str, is_orderly: bool, tmp_path: Path) -> None:
    body = f"""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for c in commands():
        if c["do"] == "bye":
            {last}
        idle(c)
    """
    source = Processes(Hostile("polite", body, "").command(tmp_path), patience=1.0)
    source.close()
    assert (tmp_path / "bye").exists() == is_orderly
    assert hostile.left(tmp_path) == []


def test_every_process_whose_run_ended_well_is_told_to_end(conform: Conform, tmp_path: Path) -> None:
    body = """
    for c in commands():
        if c["do"] == "bye":
            time.sleep(0.1)
            open(sys.argv[1] + f"/../bye-{os.getpid()}", "w").close()
            break
        idle(c)
    """
    conform(*Hostile("polite", body, "").command(tmp_path), budget=3)
    byes = {int(each.name.removeprefix("bye-")) for each in tmp_path.glob("bye-*")}
    born = hostile.begun(tmp_path)
    assert len(born) > 3
    assert len(set(born) - byes) <= 1  # the spare may not have said hello yet
    assert hostile.left(tmp_path) == []


def test_processes_that_do_not_mind_being_told_to_end_hold_nobody_up(tmp_path: Path) -> None:
    body = """
    for c in commands():
        if c["do"] == "bye": time.sleep(60)
        idle(c)
    """
    source = Processes(Hostile("stays", body, "").command(tmp_path))
    began = time.monotonic()
    most = 0
    for _ in range(12):
        source.fresh()
        most = max(most, len([pid for pid in hostile.begun(tmp_path) if hostile.is_there(pid)]))
    took = time.monotonic() - began
    source.discard()
    source.close()
    assert took < 5
    assert most <= 8
    assert hostile.left(tmp_path) == []


def test_one_that_is_at_a_command_is_ended_at_once_and_whoever_waits_for_it_is_told(tmp_path: Path) -> None:
    child = Child(Hostile("busy", "time.sleep(60)", "").command(tmp_path), patience=30.0)
    said: list[str] = []

    def ask() -> None:
        with pytest.raises(AdapterError) as ended:
            child.send({"id": 0, "do": "hello"})
        said.append(str(ended.value))

    asking = threading.Thread(target=ask)
    asking.start()
    while not (tmp_path / "pids").exists() or not hostile.begun(tmp_path):
        time.sleep(0.005)
    began = time.monotonic()
    child.close()
    asking.join()
    assert time.monotonic() - began < 3
    assert said == ["the adapter was ended"]
    assert hostile.left(tmp_path) == []
    with pytest.raises(AdapterError, match="the adapter was ended"):
        child.send({"id": 1, "do": "settle"})


SLOW = {
    "at the first hello": (1, "time.sleep(60)"),
    "at a later hello": (2, "if len(os.listdir(sys.argv[1])) > 1: time.sleep(60)"),
    "at the hello of a spare": (3, "if len(os.listdir(sys.argv[1])) > 2: time.sleep(60)"),
    "in a run": (4, "slow = True\nif len(os.listdir(sys.argv[1])) > 2: time.sleep(60)"),
}
"""How many processes there are when it is interrupted, and where it hangs."""


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("when", SLOW)
def test_a_kit_that_is_interrupted_leaves_no_adapter(how: signal.Signals, when: str, tmp_path: Path) -> None:
    processes, body = SLOW[when]
    rest = """
for c in commands():
    idle(c)
    if c["do"] == "begin" and "slow" in globals():
        born(subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(60)"]).pid)
        time.sleep(60)
"""
    command = Hostile("slow", body + rest, "").command(tmp_path)
    kit = [sys.executable, "-m", "splus_session.cli", "conform", "--", *command]
    with subprocess.Popen(kit, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as running:
        eventually(lambda: len(hostile.begun(tmp_path)) >= processes, seconds=20)
        time.sleep(0.1)
        began = time.monotonic()
        running.send_signal(how)
        _, said = running.communicate(timeout=20)
    assert said.splitlines()[-1] == "splus-session: interrupted"
    assert running.returncode == 2
    assert time.monotonic() - began < 5
    assert hostile.left(tmp_path) == []


# ── What it said ────────────────────────────────────────────────────────────────────────────────

TRACE = """
    print("ready", file=sys.stderr)
    for c in commands():
        if c["do"] == "hello":
            print("says hello", file=sys.stderr, flush=True)
        if c["do"] == "begin":
            idle(c)
            next(commands())
            lines = ["java.lang.NullPointerException: \\x1b[2J " + "y " * 900, *[f"at line {n}" for n in range(40)]]
            sys.exit("\\n".join(lines))
        idle(c)
    """


def test_of_an_adapter_that_dies_the_beginning_and_the_end_of_its_trace_are_told(tmp_path: Path) -> None:
    child = Child(Hostile("traces", TRACE, "").command(tmp_path), patience=5.0)
    for n, do in enumerate(("hello", "begin")):
        child.send({"id": n, "do": do})
    with pytest.raises(AdapterError) as died:
        child.send({"id": 2, "do": "settle"})
    child.close()
    said = str(died.value)
    assert "ended with status 1; it said: java.lang.NullPointerException: \\x1b[2J y y" in said
    assert said.endswith("y y … | … | at line 37 | at line 38 | at line 39")
    assert len(said) < 400


def test_of_an_adapter_that_dies_without_a_word_what_it_said_before_is_told(tmp_path: Path) -> None:
    body = "print('ready', file=sys.stderr, flush=True)\nfor c in commands(): idle(c) if c['id'] < 3 else os._exit(4)"
    child = Child(Hostile("silent", body, "").command(tmp_path), patience=5.0)
    for n in range(3):
        child.send({"id": n, "do": "hello"})
    with pytest.raises(AdapterError, match=r"ended with status 4; it said: ready$"):
        child.send({"id": 3, "do": "settle"})
    child.close()
