"""`splus-session doctor` tells what is in order, what is not here, and what is wrong."""

import sqlite3
import stat
import sys
from contextlib import closing
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path

import pytest

from splus_session import AccessToken, Credential, Record, SessionKind
from splus_session.cli import main
from splus_session.stores.sqlite import SqliteStore
from splus_session.testing import FakePlatform

SECRET = "CANARY"


def told(
    capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0
) -> dict[str, list[tuple[str, str]]]:
    """By what it is about, how it is and in which words."""
    assert main(["doctor", *arguments]) == status
    out = capsys.readouterr().out
    assert SECRET not in out
    findings: dict[str, list[tuple[str, str]]] = {}
    for line in out.splitlines():
        mark, about, words = line.split(None, 2)
        findings.setdefault(about, []).append((mark, words))
    return findings


def stored(path: Path) -> Path:
    """A store that holds two sessions."""
    store = SqliteStore(path)
    credential = Credential(AccessToken(SECRET), "ann", issued_at=0.0, expires_at=3600.0)
    for key in ("one", "two"):
        store.save(key, Record(SessionKind.AUTH_TOKEN, credential, expired=False, offset=0.0))
    return path


def test_here_all_parts_are_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys)
    extras = set(metadata("splus-session").get_all("Provides-Extra", []))
    assert set(found) == {"library"} | extras - {"all"}
    assert {mark for each in found.values() for mark, _ in each} == {"ok"}


def test_a_part_that_is_not_installed_is_no_fault_and_it_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_httpx2(name: str) -> str:
        if name == "httpx2":
            raise PackageNotFoundError
        return version(name)

    monkeypatch.setattr("splus_session.cli._doctor.version", without_httpx2)
    monkeypatch.setitem(sys.modules, "graphviz.backend", None)
    found = told(capsys)
    how = "social.plus over HTTP: this needs the extra 'http': pip install 'splus-session[http]' (no httpx2)"
    assert found["http"] == [("-", how)]
    missing = {about for about, [(mark, _)] in found.items() if mark == "-"}
    assert missing == {"http", "backend", "testing", "conformance", "diagram"}, "one extra may bring another"


def test_a_store_is_looked_into_and_left_alone(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = stored(tmp_path / "sessions.sqlite")
    before = path.read_bytes()
    assert told(capsys, "--store", str(path))["store"] == [("ok", f"{path} holds 2 sessions")]
    assert path.read_bytes() == before
    path.chmod(0o644)
    [_, (mark, words)] = told(capsys, "--store", str(path), status=1)["store"]
    assert mark == "WRONG"
    assert "may be read by others (mode 644)" in words
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_store_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    foreign, damaged = tmp_path / "foreign.sqlite", tmp_path / "damaged.sqlite"
    with closing(sqlite3.connect(foreign)) as database, database:
        database.execute("CREATE TABLE t (x)")
    damaged.write_bytes(b"\0" * 100)
    for path, words in (
        (tmp_path / "missing.sqlite", "missing.sqlite: No such file"),
        (foreign, "the file is foreign"),
        (damaged, "file is not a database"),
    ):
        [(mark, said)] = told(capsys, "--store", str(path), status=1)["store"]
        assert mark == "WRONG"
        assert words in said
    assert not (tmp_path / "missing.sqlite").exists()


def test_a_store_in_the_middle_of_a_write_is_not_touched(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = stored(tmp_path / "sessions.sqlite")
    journal = path.with_name("sessions.sqlite-journal")
    journal.write_bytes(b"what a killed writer left")
    [(mark, words)] = told(capsys, "--store", str(path), status=1)["store"]
    assert mark == "WRONG"
    assert "its next use mends that" in words
    assert journal.read_bytes() == b"what a killed writer left"


def test_without_the_extra_the_platform_is_not_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    [(mark, words)] = told(capsys, "--region", "sg", status=1)["platform"]
    assert mark == "WRONG"
    assert "pip install 'splus-session[http]'" in words


def test_the_platform_is_asked_for_the_time_and_for_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    fake = FakePlatform()
    with fake.serve() as server:
        found = told(capsys, "--endpoint", server.url)
        assert found["clock"] == [("ok", "ours is right")]
        assert f"{server.url} answered after " in found["platform"][0][1]
        fake.clock_offset = 90.0
        [(mark, words)] = told(capsys, "--endpoint", server.url, status=1)["clock"]
    assert mark == "WRONG"
    assert "ours is 1 min 30 s behind" in words or "ours is 1 min 29 s behind" in words
    assert {(record.method, record.path, record.access_token) for record in fake.requests} == {
        ("HEAD", "/", None)
    }
    [(mark, words)] = told(capsys, "--endpoint", server.url, status=1)["platform"]
    assert mark == "WRONG"
    assert "cannot be reached" in words


def test_an_endpoint_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--endpoint", f"http://{SECRET}@example.org"]) == 2
    said = capsys.readouterr()
    assert SECRET not in said.err
    assert said.out == "", "before anything else is told"
