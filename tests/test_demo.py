"""The demo, run as `make demo` runs it: it checks itself, scene by scene, and so is an end-to-end test."""

import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from docs.examples.demo import __main__ as demo
from docs.examples.demo.customer import PASSWORD
from docs.examples.demo.world import World
from splus_session.testing import FakePlatform

ROOT = Path(__file__).parent.parent
OUTCOMES = {
    "Production login": "established, by the backend's word",
    "Renewal ahead": "a new token, established throughout",
    "Expiry and recovery": "10 callers served by one renewal",
    "Renewal fails: platform ails": "third try, and nobody noticed",
    "Renewal fails: backend refuses": "tokenExpired until renew_now()",
    "A ban": "terminated, nothing sent any more",
    "Logout": "notLoggedIn, nothing left of ada",
    "Development login": "established, by a user id alone",
    "Access-token login": "established, by customer's token",
    "Visitor login": "established, by signed device id",
    "Secure logout, at second try": "out once the token was void",
    "A killed process, resumed": "established again, without login",
}
# Every secret in the demo looks like one of these: 16 random bytes and more in hexadecimal, or a JWT.
SECRET = re.compile(r"[0-9a-f]{32}|eyJ[\w-]{8}")


@pytest.mark.requirement(
    "LOGIN-2", "LOGIN-7", "LOGIN-8", "RENEW-2", "RENEW-3", "RENEW-7", "RENEW-9", "RENEW-10", "EXPIRE-1",
    "EXPIRE-2", "BAN-1", "BAN-3", "LOGOUT-1", "LOGOUT-3", "LOGOUT-5", "RESUME-1", "RESUME-2",
    "BACKEND-1", "BACKEND-2", "BACKEND-3", "SECRET-1",
)  # fmt: skip
def test_every_scene_of_the_demo_goes_as_promised_and_shows_no_secret(tmp_path: Path) -> None:
    kept = {name: text for name, text in os.environ.items() if name not in ("COLUMNS", "FORCE_COLOR")}
    run = subprocess.run(
        [sys.executable, "-m", "docs.examples.demo"],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        timeout=250,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    told = run.stdout + (tmp_path / "session.svg").read_text("utf-8")
    # Without what wrapped the lines, so that nothing hides by being broken in two.
    assert not SECRET.search(re.sub(r"\s", "", told))

    headings = re.findall(r"^(\d+)  (.+?) ─", run.stdout, re.MULTILINE)
    assert headings == [(str(number), title) for number, title in enumerate(OUTCOMES, 1)]
    summary = run.stdout.partition("All as promised")[2]
    for title, outcome in OUTCOMES.items():
        assert re.search(
            rf"^ +\d+ +{re.escape(title)} +{re.escape(outcome)} +[\d.]+ s$", summary, re.MULTILINE
        )

    assert "\x1b" not in run.stdout
    assert [line for line in run.stdout.splitlines() if line != line.rstrip()] == []
    assert run.stdout.count("by auth token → 503") == 2, "each of the tries that failed, with its time"
    assert max(map(len, run.stdout.splitlines())) <= 80
    picture = ElementTree.parse(tmp_path / "session.svg")  # noqa: S314  we made it ourselves
    assert picture.getroot().tag.endswith("}svg")


def test_the_demo_fails_and_says_where_when_a_scene_goes_otherwise(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def scenes(world: World) -> None:
        with world.stage.scene("A flight", "Pigs take off.", outcome="pigs in the air") as scene:
            scene.check("there are pigs", kept=True)
            scene.check("they fly", kept=False)

    assert demo.main(scenes) == 1
    said = capsys.readouterr().out
    assert "✗ they fly" in said
    assert "Not as promised: scene 1, A flight." in said
    assert "All as promised" not in said
    assert not (tmp_path / "session.svg").exists()


def test_where_there_are_no_arrows_the_demo_does_without(tmp_path: Path) -> None:
    program = """
from docs.examples.demo import __main__ as demo

async def scenes(world):
    with world.stage.scene("A flight", "Pigs take off.", outcome="pigs in the air") as scene:
        scene.check("pigs \\u2192 air \\u2708", kept=True)

raise SystemExit(demo.main(scenes))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        encoding="ascii",
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert "+ pigs > air ?" in run.stdout


def test_whatever_is_secret_in_the_demo_looks_like_one() -> None:
    platform = FakePlatform()
    secrets = [
        platform.api_key,
        platform.server_key,
        platform.visitor_secret,
        platform.admin_token,
        platform.issue_auth_token("ada"),
        platform.issue_access_token("ada"),
    ]
    assert all(SECRET.search(text) for text in [PASSWORD, *(secret.reveal() for secret in secrets)])
