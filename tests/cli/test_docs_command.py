"""`splus-session docs` keeps what stands between marks in Markdown files as it should be."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from splus_session.diagram import Diagram

COMMAND = [sys.executable, "-W", "error", "-m", "splus_session.cli", "docs"]


def run(*arguments: str | Path, status: int = 0, cwd: Path | None = None) -> str:
    """What it said."""
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, cwd=cwd, check=False)
    assert done.returncode == status, done.stderr.decode()
    assert done.stdout == b""
    return done.stderr.decode()


def page(tmp_path: Path, text: str) -> Path:
    written = tmp_path / "page.md"
    written.write_bytes(text.encode())
    return written


def between(arguments: str, content: str = "", indent: str = "") -> str:
    begin, end = f"<!-- splus-session: {arguments} -->", "<!-- /splus-session -->"
    lines = [begin, *content.splitlines(), end]
    return "".join(f"{indent}{line}\n" if line else "\n" for line in lines)


def test_a_diagram_and_a_table_come_between_their_marks_and_all_else_stays(tmp_path: Path) -> None:
    before = "# Title\n\n{0}\ntext, \u00fc\n\n{1}\n{2}\nno end of line"
    made = page(
        tmp_path,
        before.format(
            between("diagram --event logout", "old\n\nlines"),
            between("table", indent="  "),
            between("diagram -f dot --view full"),
        ),
    )
    assert run(made) == f"{made} is written\n"
    mermaid = Diagram(events=["logout"]).to_mermaid()
    assert made.read_text("utf-8") == before.format(
        between("diagram --event logout", f"```mermaid\n{mermaid}```"),
        between("table", f"\n{Diagram().to_markdown()}\n", indent="  "),
        between("diagram -f dot --view full", f"```dot\n{Diagram(view='full').to_dot()}```"),
    )
    assert run(made) == ""
    assert run(made, "--check") == ""


def test_check_names_what_is_stale_and_leaves_it_alone(tmp_path: Path) -> None:
    stale = page(tmp_path, between("diagram", "old"))
    other = tmp_path / "other.md"
    other.write_text("nothing to see\n")
    before = stale.read_bytes()
    assert run(other, stale, "--check", status=1) == f"{stale} is stale\n"
    assert stale.read_bytes() == before


def test_a_picture_is_written_beside_the_page_and_shown_there(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    made = page(
        tmp_path, between('diagram -o images/s.svg --title "Our session"') + between("diagram -o t.png")
    )
    picture = tmp_path / "images" / "s.svg"
    assert run(made) == f"{picture} is written\n{tmp_path / 't.png'} is written\n{made} is written\n"
    assert made.read_text() == between(
        'diagram -o images/s.svg --title "Our session"', "![Our session](<images/s.svg>)"
    ) + between("diagram -o t.png", "![Life cycle of a social.plus session](<t.png>)")
    assert picture.read_bytes() == Diagram(title="Our session").draw()
    picture.write_text("older")
    assert run(made, "--check", status=1) == f"{picture} is stale\n"


def test_marks_within_code_are_examples(tmp_path: Path) -> None:
    mark = "<!-- splus-session: nonsense -->\n"
    made = page(
        tmp_path, f"````markdown\n```\n{mark}```\n{mark}````\n~~~\n{mark}```\n~~~\n{between('table')}"
    )
    run(made)
    text = made.read_text()
    assert text.count(mark) == 3
    assert "| event |" in text


def test_the_ends_of_lines_stay_what_they_are(tmp_path: Path) -> None:
    made = page(tmp_path, "text\r\n" + between("table --event logout", "old").replace("\n", "\r\n"))
    run(made)
    content = made.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n")
    assert b"| `logout` |" in content


def test_a_chart_of_ones_own_may_be_named(tmp_path: Path) -> None:
    made = page(tmp_path, between("table tests.diagram.charts:DoorChart"))
    run(made, cwd=Path(__file__).parent.parent.parent)
    assert "`paint`" in made.read_text("utf-8")


def test_a_chart_that_cannot_be_drawn_is_named_by_its_line(tmp_path: Path) -> None:
    made = page(tmp_path, "\n" + between("table chart:DoorChart"))
    chart = (Path(__file__).parents[1] / "diagram" / "charts.py").read_text("utf-8")
    chart = chart.partition("\nLIFECYCLES")[0]  # which it would be compiled for
    wrong = chart.replace("enable_self_transition_entries = False", "enable_self_transition_entries = True")
    (tmp_path / "chart.py").write_text(wrong, "utf-8")
    assert run(made, status=2, cwd=tmp_path).startswith(f"splus-session: {made}, line 2: DoorChart.enable_")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("one\n<!-- splus-session: diagram -->\n", ", line 2: no <!-- /splus-session --> follows this mark"),
        (between("nonsense"), ", line 1: argument command: invalid choice: 'nonsense'"),
        (between("diagram --view sideways"), ", line 1: argument --view: invalid choice: 'sideways'"),
        (between("diagram --active nowhere"), ", line 1: nowhere is no state of this life cycle"),
        (between("diagram -f svg"), ", line 1: -o names the file of a picture, svg or png"),
        (between("diagram -o x.mmd"), ", line 1: -o names the file of a picture, svg or png"),
        (
            between("diagram -o ../x.svg"),
            ", line 1: ../x.svg is not within the page's folder or the present one",
        ),
        (between("diagram -f svg -o Makefile"), ", line 1: Makefile does not end as any format's files do"),
        (between("diagram -f png -o x.svg"), ", line 1: x.svg is no name that a page may give to a png"),
        (between("diagram -o .git/x.svg"), ", line 1: .git/x.svg is no name that a page may give to a svg"),
        (between("diagram -o 'a>b.svg'"), ", line 1: a>b.svg is no name that a page may give to a svg"),
        (between("table splus_session:Session"), ", line 1: splus_session:Session cannot be had: "),
        (between("diagram -o x.svg --graphviz ./x"), ", line 1: unrecognized arguments: --graphviz"),
        (between("diagram -h"), ", line 1: unrecognized arguments: -h"),
        (between("table --check"), ", line 1: unrecognized arguments: --check"),
        (
            between("diagram -o x.svg") + between("diagram -o x.svg --theme dark"),
            ", line 3: x.svg is to hold two different pictures",
        ),
        (
            "<!-- splus-session: table -->\nold\n\n# A chapter\n\n" + between("table"),
            ", line 1: it does not end before the mark of line 6",
        ),
        (
            "a\n> <!-- splus-session: table -->\n",
            ", line 2: a mark is <!-- splus-session: … -->, alone in its",
        ),
        ("<!--splus-session: table-->\n", ", line 1: a mark is <!-- splus-session: … -->, alone in its line"),
        ("<!-- /splus-session -->\n", ", line 1: a mark is <!-- splus-session: … -->, alone in its line"),
        ("```\n" + between("table"), ", line 2: this mark is in a fence that does not end"),
        (between("diagram 'open"), ", line 1: No closing quotation"),
        (between("table -o t.svg"), ", line 1: a table is written as markdown or rst, and not as svg"),
    ],
)
def test_a_wrong_mark_is_named_by_its_line_and_nothing_is_written(
    tmp_path: Path, text: str, words: str
) -> None:
    made = page(tmp_path, text)
    said = run(made, status=2)
    assert said.startswith(f"splus-session: {made}{words}")
    assert said.count("\n") == 1
    assert made.read_text() == text


def test_a_page_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert "no-such-page.md cannot be read" in run(tmp_path / "no-such-page.md", status=2)
    binary = tmp_path / "binary.md"
    binary.write_bytes(b"\xff\xfe")
    assert "binary.md cannot be read" in run(binary, status=2)


def test_a_page_is_no_picture_and_nothing_is_written_if_anything_is_wrong(tmp_path: Path) -> None:
    first, second = tmp_path / "first.md", tmp_path / "second.svg"
    first.write_text(between("table"))
    second.write_text(between("diagram -o second.svg"))
    assert "second.svg is a page itself" in run(first, second, status=2)
    second.write_text(between("nonsense"))
    run(first, second, status=2)
    assert first.read_text() == between("table")
    first.write_text(between("diagram -o no/such/folder/s.svg"))
    assert "cannot be written" in run(first, status=2)
    assert first.read_text() == between("diagram -o no/such/folder/s.svg"), "no page shows what is not there"


@pytest.mark.parametrize("before", ["\ufeff", "a\r\nb\n", "```js``` is code\n", "text\u2028more\n"])
def test_a_mark_is_found_whatever_stands_before_it(tmp_path: Path, before: str) -> None:
    made = page(tmp_path, before + between("table --event logout"))
    assert run(made, "--check", status=1)
    run(made)
    content = made.read_bytes().decode()
    assert content.startswith(before)
    assert "| `logout` |" in content


def test_a_title_cannot_break_out_of_what_shows_the_picture(tmp_path: Path) -> None:
    made = page(tmp_path, between('diagram -o "my s.svg" --title "a](b) [c] \\\\"'))
    run(made)
    assert r"![a\](b) \[c\] \\](<my s.svg>)" in made.read_text()


def test_a_page_that_cannot_be_written_whole_stays_what_it_was(tmp_path: Path) -> None:
    made = page(tmp_path, "what its author wrote\n" * 50 + between("table"))
    before = made.read_bytes()
    command = " ".join(map(shlex.quote, [*COMMAND, str(made)]))
    done = subprocess.run(["/bin/sh", "-c", f"ulimit -f 1; {command}"], capture_output=True, check=False)
    assert done.returncode == 2
    assert b"cannot be written: File too large" in done.stderr
    assert made.read_bytes() == before


def test_a_picture_is_one_file_however_pages_name_it(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    above, below = tmp_path / "README.md", tmp_path / "docs" / "page.md"
    above.write_text(between("diagram -o s.svg --event login"))
    below.write_text(between("diagram -o ../s.svg --event logout"))
    assert "is to hold two different pictures" in run("README.md", "docs/page.md", cwd=tmp_path, status=2)
    below.write_text(between("diagram -o ../s.svg --event login"))
    run("README.md", "docs/page.md", cwd=tmp_path)
    assert run("--check", "README.md", "docs/page.md", cwd=tmp_path) == ""
