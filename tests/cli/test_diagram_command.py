"""`splus-session diagram` and `splus-session table`, as somebody at a terminal or a Makefile uses them."""

import os
import pty
import shlex
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from splus_session.cli import main
from splus_session.diagram import FORMATS, Diagram
from tests.diagram.charts import DoorChart

COMMAND = [sys.executable, "-W", "error", "-m", "splus_session.cli"]
ROOT = Path(__file__).parent.parent.parent


def run(*arguments: str, status: int = 0, cwd: Path = ROOT) -> tuple[bytes, str]:
    """What it wrote to standard output and standard error."""
    done = subprocess.run([*COMMAND, *arguments], capture_output=True, cwd=cwd, check=False)
    assert done.returncode == status, done.stderr.decode()
    return done.stdout, done.stderr.decode()


def test_without_more_words_the_overview_goes_to_standard_output() -> None:
    assert run("diagram") == (Diagram().to_dot().encode(), "")
    assert run("table") == (Diagram().to_markdown().encode(), "")


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "pdf"])
def test_the_end_of_a_files_name_says_as_what_it_is_written(form: str, tmp_path: Path) -> None:
    for ending in FORMATS[form]:
        to = tmp_path / f"session{ending}"
        assert run("diagram", "-o", str(to), "--view", "full") == (b"", "")
        assert to.read_bytes() == Diagram(view="full").render(form)
    assert run("diagram", "-f", form, "--view", "full")[0] == Diagram(view="full").render(form)


def test_what_is_asked_for_is_what_is_written() -> None:
    asked = "--active tokenExpired --initial established --event logout --event token_expired --dropped"
    more = "--direction right --theme dark --link logout=#logout --link established=e.html?a=b --title Ends"
    assert run("diagram", *asked.split(), *more.split())[0] == (
        Diagram(
            active="tokenExpired",
            initial="established",
            events=["logout", "token_expired"],
            dropped=True,
            direction="right",
            theme="dark",
            links={"logout": "#logout", "established": "e.html?a=b"},
            title="Ends",
        )
        .to_dot()
        .encode()
    )


def test_a_chart_of_ones_own_is_drawn_from_the_folder_that_one_is_in(tmp_path: Path) -> None:
    expected = Diagram.of(DoorChart)
    assert run("diagram", "tests.diagram.charts:DoorChart", "-f", "json")[0] == expected.to_json().encode()
    assert run("diagram", "tests.diagram.charts:LIFECYCLE")[0] == Diagram().to_dot().encode()
    (tmp_path / "chart.py").write_text((ROOT / "tests/diagram/charts.py").read_text("utf-8"), "utf-8")
    assert run("table", "chart:DoorChart", cwd=tmp_path)[0] == expected.to_markdown().encode()


def test_check_tells_whether_a_file_is_what_it_should_be_and_leaves_it_alone(tmp_path: Path) -> None:
    to = tmp_path / "session.mmd"
    assert run("diagram", "-o", str(to), "--check", status=1)[1].startswith(f"{to} is missing")
    assert not to.exists()
    run("diagram", "-o", str(to))
    assert run("diagram", "-o", str(to), "--check") == (b"", "")
    to.write_text("older")
    assert run("diagram", "-o", str(to), "--check", status=1)[1].startswith(f"{to} is stale")
    assert to.read_text() == "older"
    assert "--check needs a file" in run("diagram", "--check", status=2)[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("diagram --active nowhere", "nowhere is no state of this life cycle; there are notLoggedIn, "),
        ("diagram --event nothing", "'nothing' is no event of this life cycle; there are login, "),
        ("diagram --link established", "a link is NAME=URL, and not 'established'"),
        ("diagram DoorChart", "a chart is named as package.module:ChartClass, and not as 'DoorChart'"),
        (
            "diagram no_such_module:Chart",
            "no_such_module:Chart cannot be had: ModuleNotFoundError: No module named",
        ),
        ("diagram tests.diagram.charts:Nobody", "cannot be had: AttributeError: module"),
        ("diagram .charts:Door", "a chart is named as package.module:ChartClass, and not as '.charts:Door'"),
        ("diagram --link nowhere=#x", "there is no state or event 'nowhere' that could lead anywhere"),
        ("diagram --link logout=javascript:x", "'javascript:x' is no URL of the web or of this site"),
        ("diagram tests.diagram.charts:Door", "is neither a StateChart nor its rows"),
        ("diagram -o session.txt", "session.txt does not end as any format's files do: .dot, .gv, "),
        ("diagram -o no/such/folder/session.svg", "cannot be written: No such file or directory"),
        ("diagram -f svg --graphviz no-such-program", "no-such-program cannot be run to draw"),
        ("table -o session.svg", "a table is written as markdown or rst, and not as svg"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments: str, words: str) -> None:
    out, error = run(*arguments.split(), status=2)
    assert out == b""
    assert error.startswith("splus-session: ")
    assert words in error
    assert error.count("\n") == 1


def test_a_picture_is_not_written_to_a_terminal() -> None:
    ours, theirs = pty.openpty()
    try:
        done = subprocess.run(
            [*COMMAND, "diagram", "-f", "png"], stdout=theirs, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(theirs)
        os.close(ours)
    assert done.returncode == 2
    assert "png is nothing for a terminal: name a file with -o" in done.stderr.decode()


@pytest.mark.parametrize(
    "arguments", ["diagram -f json --view full", "explain logout", "doctor", "completion bash"]
)
def test_whoever_reads_may_be_gone(arguments: str) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    env = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    try:
        done = subprocess.run(
            [*COMMAND, *arguments.split()], stdout=theirs, stderr=subprocess.PIPE, env=env, check=False
        )
    finally:
        os.close(theirs)
    assert (done.returncode, done.stderr) == (2, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT RUN: there is no /dev/full here")
def test_a_full_disk_is_said_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "diagram"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert done.stderr == b"splus-session: standard output cannot be written: No space left on device\n"


def test_a_chart_that_cannot_be_imported_is_said_in_one_line(tmp_path: Path) -> None:
    for content, words in (
        ("x = (", "SyntaxError"),
        ("raise ValueError('no')", "ValueError: no"),
        ("1 / 0", "ZeroDivision"),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ):
        (tmp_path / "broken.py").write_text(content)
        _, error = run("diagram", "broken:Chart", status=2, cwd=tmp_path)
        assert error.startswith("splus-session: broken:Chart cannot be had: ")
        assert words in error
        assert error.count("\n") == 1


def test_it_runs_in_any_thread() -> None:
    with ThreadPoolExecutor() as pool:
        assert pool.submit(main, ["diagram", "-o", os.devnull, "-f", "dot"]).result() == 0


def shell(code: str, cwd: Path, status: int = 0, **environment: str) -> str:
    """Run a line of a shell, in which `$it` is the command; gives what it said to standard error."""
    it = " ".join(map(shlex.quote, COMMAND))
    done = subprocess.run(
        ["/bin/sh", "-c", f'it() {{ {it} "$@"; }}; {code}'],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stderr


def test_a_file_that_cannot_be_written_whole_stays_what_it_was(tmp_path: Path) -> None:
    to = tmp_path / "session.svg"
    to.write_text("what was there")
    assert "cannot be written: File too large" in shell("ulimit -f 1; it diagram -o session.svg", tmp_path, 2)
    assert to.read_text() == "what was there"
    assert list(tmp_path.iterdir()) == [to]


def test_a_file_keeps_its_mode_and_a_link_leads_where_it_led(tmp_path: Path) -> None:
    to, link = tmp_path / "real.mmd", tmp_path / "link.mmd"
    to.write_text("older")
    to.chmod(0o640)
    link.symlink_to(to)
    run("diagram", "-o", str(link))
    assert link.is_symlink()
    assert to.read_text("utf-8") == Diagram().to_mermaid()
    assert stat.S_IMODE(to.stat().st_mode) == 0o640
    shell("umask 077; it diagram -o new.mmd", tmp_path)
    assert stat.S_IMODE((tmp_path / "new.mmd").stat().st_mode) == 0o600
    shell("it diagram -f mermaid -o /dev/stdout > through.mmd", tmp_path)
    assert (tmp_path / "through.mmd").read_text("utf-8") == Diagram().to_mermaid()


def test_without_a_standard_output_there_must_be_a_file(tmp_path: Path) -> None:
    assert "there is no standard output: name a file with -o" in shell("it diagram >&-", tmp_path, 2)
    shell("it diagram -o session.mmd >&-", tmp_path)


def test_the_present_folder_is_for_charts_alone(tmp_path: Path) -> None:
    (tmp_path / "graphviz.py").write_text("raise SystemExit('not me')")
    # As the program that is installed does, -P leaves the present folder out.
    command = [sys.executable, "-P", "-m", "splus_session.cli", "diagram", "-f", "svg"]
    charts = "tests.diagram.charts:DoorChart"
    for more, drawn in (([], Diagram()), ([charts], Diagram.of(DoorChart))):
        done = subprocess.run(
            [*command, *more],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            check=True,
        )
        assert done.stdout == drawn.draw()


def test_two_pdfs_are_not_compared(tmp_path: Path) -> None:
    assert "no two PDFs are the same" in run("diagram", "-o", str(tmp_path / "x.pdf"), "--check", status=2)[1]


def test_a_folder_is_no_stale_file(tmp_path: Path) -> None:
    (tmp_path / "x.svg").mkdir()
    assert "x.svg cannot be read" in run("diagram", "-o", str(tmp_path / "x.svg"), "--check", status=2)[1]


def test_what_is_no_graphviz_is_named() -> None:
    assert "true is no Graphviz" in run("diagram", "-f", "svg", "--graphviz", "true", status=2)[1]
    assert "echo is no Graphviz" in run("diagram", "-f", "png", "--graphviz", "echo", status=2)[1]


def test_what_a_command_does_not_know_is_told_with_its_own_usage() -> None:
    for command in ("diagram", "table", "doctor"):
        _, error = run(command, "--teme", "dark", status=2)
        assert error.startswith(f"usage: splus-session {command} ")
        assert f"splus-session {command}: error: unrecognized arguments: --teme" in error
