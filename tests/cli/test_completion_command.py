"""`splus-session completion` teaches a shell the words of the command."""

import shutil
import subprocess
import sys

import pytest

from splus_session.cli import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_each_shell_gets_a_script_with_all_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    for command in ("diagram", "table", "docs", "explain", "doctor", "conform", "completion"):
        assert command in script


@pytest.mark.skipif(shutil.which("bash") is None, reason="NOT RUN: there is no bash here")
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("splus-session dia", "diagram"),
        ("splus-session diagram --view f", "full"),
        ("splus-session diagram --dir", "--direction"),
    ],
)
def test_bash_completes_what_was_begun(
    typed: str, completed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    words = typed.split()
    ask = f"COMP_WORDS=({typed}); COMP_CWORD={len(words) - 1}; _shtab_splus_session; echo ${{COMPREPLY[@]}}"
    done = subprocess.run(["bash", "-c", f"{script}\n{ask}"], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [completed]


def test_without_the_extra_it_says_how_to_get_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert "pip install 'splus-session[completion]'" in capsys.readouterr().err
