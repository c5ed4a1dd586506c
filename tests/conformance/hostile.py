"""Adapters that mean no good, each a few lines of Python, and what the kit has to say of them.

`body` is a program in which `say` writes a line, `commands()` gives the commands that come, and `idle`
answers one. Each writes the ids of its processes down, so that one sees that they are gone.
"""

import os
import sys
import textwrap
import time
from pathlib import Path

import attrs

_PRELUDE = """
import json, os, signal, subprocess, sys, time

def born(pid):
    open(os.path.join(sys.argv[1], str(pid)), "w").close()

def say(**fields):
    print(json.dumps(fields), flush=True)

def commands():
    for line in sys.stdin:
        yield json.loads(line)

def idle(command, **fields):
    if command["do"] == "hello":
        fields = {"protocol": 1, "name": "hostile", "version": "0", "features": [], **fields}
    looks = {"a": {"state": "notLoggedIn", "user_id": None}}
    say(**{"idle": command["id"], "clients": looks, "sent": 0, "open": 0, **fields})

born(os.getpid())
"""


@attrs.frozen
class Hostile:
    """One of them."""

    name: str
    body: str
    says: str
    """What is said of it."""
    status: int = 2
    """With which status the command ends."""
    patience: float = 5.0

    @property
    def is_dead(self) -> bool:
        """Whether the adapter is done for in the middle, and not just the client wrong."""
        return self.status == 1 and not self.name.startswith("tells")

    def command(self, folder: Path) -> list[str]:
        """How it is started. The ids of its processes come into the folder."""
        folder.mkdir(exist_ok=True)
        program = folder / f"{self.name}.py"
        program.write_text(_PRELUDE + textwrap.dedent(self.body), "utf-8")
        (pids := folder / "pids").mkdir(exist_ok=True)
        return [sys.executable, "-S", "-E", str(program), str(pids)]


def begun(folder: Path) -> list[int]:
    """The ids of all processes that there were."""
    return [int(each.name) for each in (folder / "pids").iterdir()]


def left(folder: Path) -> list[int]:
    """Those that are still there, though they had a moment to go."""
    until = time.monotonic() + 2.0
    while (there := [pid for pid in begun(folder) if is_there(pid)]) and time.monotonic() < until:
        time.sleep(0.01)
    return there


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:  # one that ended and that nobody has asked how is there no more
        return not stat.parent.parent.is_dir() or stat.read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not Path("/proc/self").exists()


AT_HELLO = (
    Hostile(
        "never-says-hello", "time.sleep(60)", "is not idle 0.5 s after the command 'hello'", patience=0.5
    ),
    Hostile(
        "dies-at-hello",
        "sys.exit('no licence \\x1b[2J here')",
        "ended with status 1; it said: no licence \\x1b[2J here",
    ),
    Hostile("dies-at-once-and-says-nothing", "os._exit(3)", "ended with status 3"),
    Hostile("is-killed", "os.kill(os.getpid(), signal.SIGKILL)", "ended by signal 9"),
    Hostile(
        "garbage",
        "print('Listening on port 80', flush=True); time.sleep(60)",
        "it is no JSON: 'Listening on port 80'",
    ),
    Hostile(
        "wrong-idle-id",
        "for c in commands(): idle({**c, 'id': 41})",
        "idle after 41, which was not its last command",
    ),
    Hostile("no-protocol", "for c in commands(): say(idle=0)", "speaks version None of the protocol, not 1"),
    Hostile(
        "wrong-protocol",
        "for c in commands(): idle(c, protocol=2)",
        "speaks version 2 of the protocol, not 1",
    ),
    Hostile(
        "true-for-a-protocol",
        "for c in commands(): idle(c, protocol=True)",
        "speaks version True of the protocol, not 1",
    ),
    Hostile(
        "no-features",
        "for c in commands(): idle(c, features='time')",
        "does not say which features its client has",
    ),
    Hostile(
        "unknown-features",
        "for c in commands(): idle(c, features=['time', 'fly\\x1b[2J'])",
        "what the protocol does not know: 'fly\\x1b[2J'",
    ),
    Hostile(
        "odd-features",
        "for c in commands(): idle(c, features=[{}, ['time'], 5])",
        "what the protocol does not know: {}, ['time'], 5",
    ),
    Hostile(
        "a-million-features",
        "for c in commands(): idle(c, features=[str(n) for n in range(100000)])",
        "what the protocol does not know: '0', '1', '2', '3', '4', …",
    ),
    Hostile(
        "floods-events",
        "while True: sys.stdout.write(json.dumps({'event': 'done', 'of': 1}) + '\\n')",
        "floods: more than 10000 events for one command",
    ),
    Hostile(
        "floods-long-lines",
        "line = json.dumps({'event': 'uncaught', 'message': 'x' * 1000000}) + '\\n'\nwhile True: sys.stdout.write(line)",
        "floods: more than 4194304 bytes for one command",
    ),
    Hostile(
        "floods-without-line-ends",
        "for _ in range(1000): sys.stdout.write('x' * 1000000)",
        "a line of the adapter's is longer than 1048576 bytes",
    ),
    Hostile(
        "drips",
        "while True: print(end='x', flush=True); time.sleep(0.02)",
        "is not idle 0.5 s after the command 'hello'",
        patience=0.5,
    ),
    Hostile("closes-its-output-but-lives", "os.close(1); time.sleep(60)", "closed its output"),
    Hostile(
        "writes-errors-without-end",
        "while True: os.write(2, b'no end of it \\x1b[2J' * 500)",
        "is not idle 0.5 s after the command 'hello'",
        patience=0.5,
    ),
    Hostile(
        "does-not-mind-signals",
        "for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(each, signal.SIG_IGN)\nprint('x', flush=True); time.sleep(60)",
        "it is no JSON: 'x'",
    ),
    Hostile(
        "leaves-a-child-that-holds-the-pipes",
        "born(subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(60)']).pid)",
        "is not idle 0.5 s after the command 'hello'",
        patience=0.5,
    ),
)
"""Those of which nothing can be judged."""

_SMALL = Path(__file__).parents[1] / "subjects" / "small"
_A_RIGHT_CLIENT = f"""
sys.path.insert(0, {str(_SMALL)!r})
import adapter, client

def commands_for_a_right_client(instead):
    def read():
        for line in lines:
            if json.loads(line)["do"] == "login":
                instead(json.loads(line)["id"])
            yield line
    lines, sys.stdin = sys.stdin, read()
    adapter.play(client.Client)
"""


def miscounting() -> Hostile:
    """A right client that says it sent one request more than it did."""
    body = f"""
{_A_RIGHT_CLIENT}
count = adapter.World.idle
adapter.World.idle = lambda world: {{**count(world), "sent": world.loop.sent + (world.loop.sent > 0)}}
adapter.play(client.Client)
"""
    return Hostile("miscounts", body, "")


def unknown_to_the_platform() -> Hostile:
    """A right client that has another app's API key."""
    body = f"""
{_A_RIGHT_CLIENT}
begin = adapter.World.__init__
adapter.World.__init__ = lambda world, command, make: begin(world, {{**command, "api_key": "another"}}, make)
adapter.play(client.Client)
"""
    return Hostile("has-no-key", body, "")


def _right_until_login(
    name: str, instead: str, says: str, *, status: int = 1, patience: float = 5.0
) -> Hostile:
    """A right client but for what it does when it is to log in."""
    body = f"{_A_RIGHT_CLIENT}\ndef instead(id): {instead}\ncommands_for_a_right_client(instead)"
    return Hostile(name, body, says, status, patience)


LATER = (
    Hostile(
        "never-begins",
        "for c in commands(): idle(c) if c['do'] == 'hello' else time.sleep(60)",
        "is not idle 0.6 s after the command 'begin'",
        patience=0.6,
    ),
    Hostile(
        "dies-at-begin",
        "for c in commands(): idle(c) if c['do'] == 'hello' else sys.exit('no')",
        "ended with status 1; it said: no",
    ),
    _right_until_login("dies-in-the-middle", "os._exit(7)", "the adapter ended with status 7"),
    _right_until_login(
        "is-killed-in-the-middle", "os.kill(os.getpid(), signal.SIGKILL)", "the adapter was ended by signal 9"
    ),
    _right_until_login(
        "idles-late",
        "time.sleep(60)",
        "the adapter is not idle 0.6 s after the command 'login'",
        patience=0.6,
    ),
    _right_until_login(
        "writes-garbage-in-the-middle",
        "print('Segmentation \\x1b[2J fault')",
        "it is no JSON: 'Segmentation \\x1b[2J fault'",
    ),
    _right_until_login(
        "floods-in-the-middle",
        "print((json.dumps({'event': 'done', 'of': id}) + '\\n') * 10001)",
        "the adapter floods: more than 10000 events for one command",
    ),
    _right_until_login(
        "tells-half-characters",
        "say(event='failed', of=id, kind='refused', message='\\ud800 \\x1b[2J')",
        "login fails: refused (",
    ),
)
"""Those of which something can be judged."""
