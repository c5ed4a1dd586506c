"""What is written is there as a whole, or what was there is there still."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from splus_session import InvalidArgumentError
from splus_session._files import write_whole
from splus_session.cli import _diagram
from splus_session.conformance import _command

WRITERS: dict[str, Callable[[Path], None]] = {
    "a picture": lambda to: _diagram.write(to, b"new" * 100),
    # The known breaches, with the reasons that somebody wrote, are written like that.
    "a report": lambda to: _command._write(to, "new" * 100),
}


def half(self: Path, content: bytes) -> int:
    """Write as a full disk does."""
    with self.open("wb") as file:
        file.write(content[: len(content) // 2])
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("writer", WRITERS)
def test_a_full_disk_takes_nothing_away(writer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    to = tmp_path / "file"
    to.write_text("what was there")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", half)
        with pytest.raises(InvalidArgumentError, match="cannot be written"):
            WRITERS[writer](to)
    assert to.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [to]
    WRITERS[writer](to)
    assert to.read_text() == "new" * 100


def test_a_new_file_has_the_mode_that_new_files_have_and_an_old_one_its_own(tmp_path: Path) -> None:
    usual, new, old = tmp_path / "usual", tmp_path / "new", tmp_path / "old"
    usual.touch()
    old.touch(mode=0o640)
    for to in (new, old):
        write_whole(to, b"content")
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_a_link_may_lead_to_what_is_not_there_yet(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("target")
    write_whole(link, b"content")
    assert link.is_symlink()
    assert (tmp_path / "target").read_bytes() == b"content"
