"""The site, built once for all who look at it, and a browser to look at it with."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

import pytest

from tests.npm import CannotInstallError, installed

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# It draws no page in a sandbox for root, and asks its maker for nothing.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the pages."""
    if find_spec("furo") is None:
        pytest.skip("NOT RUN: the site's theme is not installed here; make setup")
    ours = tmp_path_factory.getbasetemp()
    # Of tests that run in several processes, one builds; the others find it in the folder that they share.
    shared = ours.parent if ours.name.startswith("popen-") else ours
    out, complaints = shared / "site", shared / "site.txt"
    with (shared / "site.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complaints.exists():
            command = [sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "docs", str(out)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            complaints.write_text(done.stderr + "failed" * bool(done.returncode), "utf-8")
    assert complaints.read_text("utf-8") == ""
    return out


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """Where the site is served: searching fetches, which a browser does not do for files."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


# Of a module, not of the session: as long as it is there, Playwright has an event loop running in this
# thread, beside which no test of asyncio or trio could run.
@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A real browser, without a window."""
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        pytest.skip(f"NOT RUN: none of {', '.join(CHROMIUM)} is on PATH")
    sync_api = pytest.importorskip("playwright.sync_api", reason="NOT RUN: make setup")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: "Browser") -> Iterator["Page"]:
    """A page that is still empty. Whatever goes wrong in it is a failure."""
    wrong: list[str] = []
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
    yield page
    page.close()
    assert wrong == []


@pytest.fixture(scope="session")
def axe() -> str:
    """The program that finds what keeps people from reading a page."""
    try:
        folder = installed(Path(__file__).parent / "vendor")
    except CannotInstallError as error:
        pytest.skip(f"NOT RUN: {error}")
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
