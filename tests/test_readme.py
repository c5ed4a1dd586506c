"""The README's words hold: its code runs as it stands, its links lead somewhere, its commands exist."""

import ast
import doctest
import inspect
import re
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import anyio.abc
import httpx2
import pytest

from splus_session import AuthToken, Reason, SessionState, TerminationReason, aio, sync
from splus_session.ports import Renewal
from splus_session.stores.sqlite import SqliteStore
from splus_session.testing import FakePlatform

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS: list[tuple[str, str]] = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
PYTHON = [code for kind, code in BLOCKS if kind == "python"]

WHO = 'api_key="…", region="sg"'
"""How the README names an application; here it is one that the fake platform knows."""

pytestmark = pytest.mark.anyio


def block(words: str) -> str:
    """The one block of Python that has these words."""
    [code] = [code for code in PYTHON if words in code]
    return code


async def run(code: str, names: dict[str, Any]) -> dict[str, Any]:
    """Run a block as if it were typed in, where these names are taken for granted; gives them back."""
    line = README[: README.index(code)].count("\n")  # so that a traceback shows the README's own
    code = "\n" * line + code.replace(WHO, "api_key=API_KEY, endpoint=ENDPOINT").replace(
        'server_key, region="sg"', "server_key, endpoint=ENDPOINT"
    )
    names["__name__"] = "readme"
    path = str(ROOT / "README.md")
    compiled = compile(code, path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    running = eval(compiled, names)  # noqa: S307  it is our own
    if inspect.isawaitable(running):
        await running
    return names


class Place:
    """A fake platform, and what the README calls `my_backend`, for threads."""

    def __init__(self, platform: FakePlatform, url: str) -> None:
        self.platform = platform
        self.url = url
        self.names = {"API_KEY": platform.api_key, "ENDPOINT": url}

    def auth_token(self, user_id: str) -> AuthToken:
        return self.platform.issue_auth_token(user_id)


class AsyncBackend:
    """The same for asyncio and trio."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.away = False

    async def auth_token(self, user_id: str) -> AuthToken:
        if self.away:
            raise ConnectionError
        return self.place.auth_token(user_id)


class App:
    """Makes its session live through everything: an expiry, a renewal, a ban, a logout."""

    def __init__(self, place: Place, names: dict[str, Any], tasks: anyio.abc.TaskGroup) -> None:
        self.place, self.names, self.tasks = place, names, tasks
        self.shown: list[object] = []

    @property
    def session(self) -> aio.Session:
        session: aio.Session = self.names["session"]
        return session

    def show_home(self) -> None:
        self.shown.append("home")
        if len(self.shown) == 1:
            self.tasks.start_soon(self.lose_the_token)
        else:
            self.session.note_ban("user-123")

    def show_spinner(self) -> None:
        self.shown.append("spinner")

    def say_goodbye(self, reason: Reason) -> None:
        self.shown.append(reason)
        self.tasks.start_soon(self.session.logout)

    async def lose_the_token(self) -> None:
        used = await self.session.authorization()
        self.place.platform.expire("user-123")
        await self.session.report_rejected(used.attempt)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Place]:
    """A platform to talk to, and a folder to leave files in."""
    monkeypatch.chdir(tmp_path)
    platform = FakePlatform()
    with platform.serve() as server:
        yield Place(platform, server.url)


@pytest.fixture
async def backend(place: Place) -> AsyncBackend:
    return AsyncBackend(place)


@pytest.fixture
async def handler(backend: AsyncBackend) -> Any:
    """What the README shows as a handler."""
    names = await run(block("renewal.unable_to_retrieve_auth_token()"), {"my_backend": backend})
    return names["Handler"]()


async def test_the_first_lines_follow_a_session_through_its_life(
    place: Place, backend: AsyncBackend, handler: Any
) -> None:
    names: dict[str, Any] = {**place.names, "handler": handler, "my_backend": backend}
    async with anyio.create_task_group() as tasks:
        names["app"] = App(place, names, tasks)
        await run(block("app.show_home()"), names)
    app: App = names["app"]
    assert app.shown == ["home", "spinner", "home", TerminationReason.GLOBAL_BAN]
    assert app.session.state is SessionState.NOT_LOGGED_IN


def test_the_script_prints_what_the_readme_says(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(block("asyncio.run(main())"), "utf-8")
    command = [sys.executable, "-W", "error", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    [output] = [text for kind, text in BLOCKS if kind == "text"]
    assert (done.stdout, done.stderr, done.returncode) == (output, "", 0)


async def test_the_threaded_lines_log_in_and_out(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    class Handler:
        def session_will_renew_access_token(self, renewal: Renewal) -> None:
            raise AssertionError

    known = {"my_backend": place, "handler": Handler(), **place.names}
    names = await run(block("session.secure_logout()"), known)
    session: sync.Session = names["session"]
    assert session.state is SessionState.NOT_LOGGED_IN
    assert not any(place.platform.is_alive(issued.token) for issued in place.platform.tokens_of("user-123"))
    assert "Traceback" not in capsys.readouterr().err


async def test_the_handler_says_when_there_is_no_auth_token(handler: Any, backend: AsyncBackend) -> None:
    class Spy:
        said: str | None = None

        def unable_to_retrieve_auth_token(self) -> None:
            self.said = "unable"

        def renew_with_auth_token(self, auth_token: AuthToken) -> None:
            raise AssertionError

    backend.away = True
    await handler.session_will_renew_access_token(spy := Spy())
    assert spy.said == "unable"


async def test_the_http_client_is_authorised(place: Place, handler: Any) -> None:
    platform = place.platform
    async with aio.Session(platform.api_key, endpoint=place.url, session_handler=handler) as session:
        await session.login("user-123", auth_token=place.auth_token("user-123"))
        names = await run(block("httpx2.AsyncClient("), {"session": session})
    assert names["response"].status_code == 200


async def test_a_stored_session_is_resumed(place: Place, backend: AsyncBackend, handler: Any) -> None:
    code = block("SqliteStore(")
    for _ in range(2):
        names = await run(code, {"handler": handler, "my_backend": backend, **place.names})
        assert names["session"].state is SessionState.ESTABLISHED
        assert isinstance(names["store"], SqliteStore)
    assert len(place.platform.tokens_of("user-123")) == 1


async def test_the_backend_vouches_for_the_users_it_knows(place: Place) -> None:
    names: dict[str, Any] = {
        **place.names,
        "server_key": place.platform.server_key,
        "authenticate": lambda request: request.headers.get("x-signed-in"),
    }
    app = (await run(block("auth_token_app("), names))["app"]
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://backend")
    async with client:
        path, asked = "/api/auth/social-plus-token", {"userId": "user-123"}
        vouched = await client.post(path, json=asked, headers={"x-signed-in": "user-123"})
        assert vouched.status_code == 200
        assert vouched.json()["authToken"]
        assert (await client.post(path, json=asked)).status_code == 401
        someone = await client.post(path, json=asked, headers={"x-signed-in": "somebody else"})
        assert someone.status_code == 403


async def test_the_picture_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    await run(block("Diagram("), {})
    picture = (tmp_path / "session.svg").read_bytes()
    assert ElementTree.fromstring(picture).tag.endswith("svg")  # noqa: S314  we made it ourselves


def test_the_core_answers_what_the_readme_says() -> None:
    [dialogue] = [code for kind, code in BLOCKS if kind == "pycon"]
    test = doctest.DocTestParser().get_doctest(dialogue, {}, "README.md", "README.md", 0)
    runner = doctest.DocTestRunner()
    report: list[str] = []
    result = runner.run(test, out=report.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(report)


async def test_everything_that_may_happen_is_looked_at() -> None:
    names = await run(block("unbounded=True"), {})
    assert len(names["graph"].worlds) > 100


def test_a_client_in_another_language_is_judged() -> None:
    [line] = re.findall(r"^splus-session (.*)$", README, re.MULTILINE)
    small = ROOT / "tests" / "subjects" / "small" / "client.py"
    options, separator, adapter = line.partition(" -- ")
    assert (separator, adapter) == (" -- ", "node my_adapter.mjs")
    quick = ["--id", "LOGIN-1", "--budget", "5"]
    program = [sys.executable, "-m", "splus_session.cli"]
    command = [*program, *options.split(), *quick, "--", sys.executable, small]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed: no breach" in done.stdout


def test_no_block_of_python_goes_untested() -> None:
    source = Path(__file__).read_text("utf-8")
    words = re.findall(r'block\("([^"]+)"\)', source)
    assert {block(some) for some in words} == set(PYTHON)


def test_links_lead_to_files_that_exist() -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    ours = [target for target in targets if "://" not in target]
    assert "docs/images/session.svg" in ours
    assert [target for target in ours if not (ROOT / target).exists()] == []


def test_commands_and_extras_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    for extra in re.findall(r"'\.\[([\w,]+)\]'", README):
        for name in extra.split(","):
            assert re.search(rf"^{name} = \[", project, re.MULTILINE)
