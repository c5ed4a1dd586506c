"""Somebody's Sphinx project, outside of this one, shows the life cycle."""

import os
import pickle
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from splus_session import LIFECYCLE, SessionState
from splus_session.diagram import Diagram
from tests.diagram import readers
from tests.diagram.charts import DoorChart

CONF = 'extensions = ["splus_session.sphinxext", "myst_parser"]\n'
"""All that it takes."""

Build = Callable[..., str]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "conf.py").write_text(CONF)
    return tmp_path


def build(
    project: Path, pages: Mapping[str, str], *options: str, builder: str = "html", status: int = 0
) -> str:
    """Build it, warnings being errors; gives what Sphinx said."""
    for name, text in pages.items():
        (project / name).write_text(text, "utf-8")
    command = [sys.executable, "-m", "sphinx", "-n", "-W", "--keep-going", "-b", builder, *options]
    done = subprocess.run(
        [*command, str(project), str(project / "out")],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


def titled(*directives: str) -> str:
    return "\n\n".join(["Title\n=====", *directives, ""])


def pictures(page: Path) -> list[str]:
    """The pictures that a page shows, in its order."""
    found = re.findall(
        r'<figure class="session-diagram"[^>]*>(<svg.*?</svg>)', page.read_text("utf-8"), re.DOTALL
    )
    for picture in found:
        ElementTree.fromstring(picture)  # noqa: S314  we made it ourselves
    return found


def plain(svg: str | bytes) -> str:
    """A picture without what differs within a page: ids, room, and when it is dark."""
    text = svg.decode() if isinstance(svg, bytes) else svg
    text = re.sub(r' id="[^"]*"| style="[^"]*"', "", text[text.index("<svg") :])
    return re.sub(r"<style>.*?</style>", "", text).strip()


def cells(page: Path) -> list[list[list[str]]]:
    """The tables of a page: rows of cells of text."""
    text = page.read_text("utf-8")
    return [
        [
            ["".join(cell.itertext()).strip() for cell in row]
            for row in ElementTree.fromstring(table).iter("tr")  # noqa: S314  we made it ourselves
        ]
        for table in re.findall(r"<table.*?</table>", text, re.DOTALL)
    ]


def without_marks(table: list[list[str]]) -> list[list[str]]:
    return [[cell.replace("`", "") for cell in row] for row in table]


def test_two_lines_show_the_picture(project: Path) -> None:
    build(project, {"index.rst": titled(".. session-diagram::")})
    [shown] = pictures(project / "out" / "index.html")
    assert plain(shown) == plain(Diagram().draw())
    assert "A state machine with 5 states" in (project / "out" / "index.html").read_text("utf-8")


def test_the_options_are_those_of_a_diagram_in_restructuredtext_and_in_markdown(project: Path) -> None:
    options = ":active: established\n:events: logout, user_banned\n:dropped:\n:theme: dark\n:direction: right\n:title: Ours"
    links = ":links: logout = a.html\n   established=#b"
    indented = "\n".join(f"   {line}" for line in f"{options}\n{links}".splitlines())
    markdown = f"# Title\n\n```{{session-diagram}}\n{options}\n:links: logout = a.html, established=#b\n```\n"
    build(
        project,
        {
            "index.rst": titled(f".. session-diagram::\n{indented}", ".. toctree::\n\n   page"),
            "page.md": markdown,
        },
    )
    expected = Diagram(
        active=SessionState.ESTABLISHED,
        events=["logout", "user_banned"],
        dropped=True,
        theme="dark",
        direction="right",
        title="Ours",
        links={"logout": "a.html", "established": "#b"},
    ).draw()
    for name in ("index.html", "page.html"):
        [shown] = pictures(project / "out" / name)
        assert plain(shown) == plain(expected)


def test_tables_have_the_cells_of_the_diagrams_table(project: Path) -> None:
    index = titled(
        ".. session-table::",
        ".. session-table::\n   :view: full\n   :events: logout",
        ".. toctree::\n\n   page",
    )
    page = "# Title\n\n```{session-table} tests.diagram.charts:DoorChart\n:view: full\n```\n"
    build(project, {"index.rst": index, "page.md": page})
    overview, full = cells(project / "out" / "index.html")
    assert overview == without_marks(readers.markdown(Diagram().to_markdown()))
    assert full == without_marks(readers.markdown(Diagram(view="full", events=["logout"]).to_markdown()))
    [door] = cells(project / "out" / "page.html")
    assert door == without_marks(readers.markdown(Diagram.of(DoorChart, view="full").to_markdown()))
    assert "(if): only if a condition holds" in (project / "out" / "index.html").read_text("utf-8")


@pytest.mark.parametrize("builder", ["text", "man", "texinfo"])
def test_where_no_picture_can_be_shown_it_is_told_in_words(project: Path, builder: str) -> None:
    (project / "conf.py").write_text(CONF + 'man_pages = [("index", "x", "x", "", 1)]\n')
    build(project, {"index.rst": titled(".. session-diagram::\n   :events: logout")}, builder=builder)
    written = " ".join(
        path.read_text("utf-8")
        for path in (project / "out").rglob("*")
        if path.suffix in (".txt", ".1", ".texi")
    )
    assert "A state machine with 5 states" in " ".join(written.replace("\\", "").split())


def test_latex_gets_a_picture_that_it_can_show(project: Path) -> None:
    build(project, {"index.rst": titled(".. session-diagram::")}, builder="latex")
    [source] = (project / "out").glob("*.tex")
    [name] = re.findall(r"\\sphinxincludegraphics\[.*?\]\{(.*?)\}", source.read_text("utf-8"))
    assert (project / "out" / name).read_bytes() == Diagram().draw("png")


@pytest.mark.parametrize(
    ("directive", "words"),
    [
        (".. session-diagram::\n   :active: nowhere", "nowhere is no state of this life cycle"),
        (".. session-diagram::\n   :events: logout, nothing", "'nothing' is no event of this life cycle"),
        (
            ".. session-diagram::\n   :links: logout",
            "a link is a name, an equals sign and a URL, and not 'logout'",
        ),
        (".. session-diagram:: no_such_module:Chart", "no_such_module:Chart cannot be had"),
        (".. session-diagram:: sys:path", "is neither a StateChart nor its rows"),
        (".. session-table::\n   :view: sideways", "view is 'sideways'; it is one of overview, full"),
    ],
)
def test_a_mistake_is_reported_where_it_was_made(project: Path, directive: str, words: str) -> None:
    said = build(project, {"index.rst": titled(directive)}, status=1)
    assert words in said
    assert f"{project}/index.rst:4: ERROR" in said


def test_without_the_extra_it_is_told_in_words_and_warned_of(project: Path) -> None:
    hide = "import sys; sys.modules['graphviz.backend'] = None\nsuppress_warnings = ['splus_session']\n"
    pages = {"index.rst": titled(".. session-diagram::")}
    (project / "conf.py").write_text(CONF + hide)
    build(project, pages)
    assert "<p>A state machine with 5 states" in (project / "out" / "index.html").read_text("utf-8")
    (project / "conf.py").write_text(CONF + hide.partition("\n")[0])
    said = build(project, pages, "-E", status=1)
    assert "a diagram is told in words: this needs the extra 'diagram'" in said


def test_a_page_is_read_again_only_if_its_chart_changes(project: Path) -> None:
    (project / "conf.py").write_text(CONF + IMPORTS)
    chart = project / "chart.py"
    chart.write_text((Path(__file__).parent / "diagram" / "charts.py").read_text("utf-8"), "utf-8")
    pages = {
        "index.rst": titled(".. session-diagram:: chart:DoorChart", ".. toctree::\n\n   other"),
        "other.rst": titled(".. session-diagram::"),
    }
    build(project, pages)
    first = pictures(project / "out" / "index.html")
    assert "0 added, 0 changed, 0 removed" in build(project, {})
    changed = chart.read_text("utf-8").replace("    paint = at.SHUT", "    repaint = at.SHUT")
    touched(chart, changed, 10)
    assert "0 added, 1 changed, 0 removed" in build(project, {})
    assert pictures(project / "out" / "index.html") != first
    assert "repaint" in pictures(project / "out" / "index.html")[0]


def touched(file: Path, text: str, seconds: int) -> None:
    """Write a file, some seconds later than it is."""
    file.write_text(text, "utf-8")
    later = time.time() + seconds
    os.utime(file, (later, later))


IMPORTS = "import sys; sys.path.insert(0, str(__import__('pathlib').Path(__file__).parent))\n"


def test_a_page_is_read_again_if_what_its_chart_is_made_of_changes(project: Path) -> None:
    (project / "conf.py").write_text(CONF + IMPORTS)
    package = project / "pkg"
    package.mkdir()
    text = (Path(__file__).parent / "diagram" / "charts.py").read_text("utf-8")
    states = text[text.index("class Door(") : text.index("class DoorChart")]
    chart = text.replace(states, "from pkg.states import Door\n\n\n")
    (package / "__init__.py").write_text("from pkg.chart import DoorChart\n")
    (package / "chart.py").write_text(chart, "utf-8")
    (package / "states.py").write_text(f"import enum\n\n\n{states}", "utf-8")
    pages = {"index.rst": titled(".. session-diagram:: pkg:DoorChart")}
    build(project, pages)
    assert "0 added, 0 changed, 0 removed" in build(project, {})
    touched(package / "chart.py", chart.replace("    paint = ", "    repaint = "), 10)
    assert "0 added, 1 changed, 0 removed" in build(project, {})
    assert "repaint" in pictures(project / "out" / "index.html")[0]
    # Of another name, it is none that the page kept anything of.
    touched(package / "states.py", f"import enum\n\n\n{states}\n\nGate = Door\n".replace("Door", "Gate"), 20)
    touched(
        package / "chart.py",
        chart.replace("Door\n", "Gate\n").replace("Door.", "Gate.").replace("(Door,", "(Gate,"),
        20,
    )
    build(project, {}, "-a")


def test_a_page_whose_chart_was_broken_is_read_again_until_it_is_not(project: Path) -> None:
    (project / "conf.py").write_text(CONF + IMPORTS)
    charts = (Path(__file__).parent / "diagram" / "charts.py").read_text("utf-8")
    (project / "chart.py").write_text(charts, "utf-8")
    build(project, {"index.rst": titled(".. session-diagram:: chart:Later")}, status=1)
    touched(project / "chart.py", f"{charts}\n\nLater = DoorChart\n", 10)
    assert "0 added, 1 changed, 0 removed" in build(project, {})
    assert len(pictures(project / "out" / "index.html")) == 1
    touched(project / "chart.py", f"{charts}\n\nLater = DoorChart\n", -10)
    assert "0 added, 0 changed, 0 removed" in build(project, {})


def test_where_graphviz_cannot_be_run_it_is_told_in_words(project: Path) -> None:
    broken = "import splus_session.diagram._graphviz as g; g._wheels_program = lambda: 'no-such-program'\n"
    (project / "conf.py").write_text(CONF + broken + "suppress_warnings = ['splus_session']\n")
    build(project, {"index.rst": titled(".. session-diagram::")})
    assert "<p>A state machine with 5 states" in (project / "out" / "index.html").read_text("utf-8")


def test_a_table_can_be_read_as_plain_text(project: Path) -> None:
    pages = {"index.rst": titled(".. session-table::", ".. session-table::\n   :view: full")}
    build(project, pages, builder="text")
    text = (project / "out" / "index.txt").read_text("utf-8")
    for row in LIFECYCLE:
        assert f'"{row.event}"' in text, "no name is cut in two"


def test_pages_may_be_read_and_written_in_parallel(project: Path) -> None:
    pages = {
        f"page{number}.rst": titled(".. session-diagram::", ".. session-table::") for number in range(12)
    }
    pages["index.rst"] = titled(".. toctree::\n   :glob:\n\n   page*")
    build(project, pages, "-j", "2")
    shown = {
        picture for name in pages for picture in pictures(project / "out" / name.replace(".rst", ".html"))
    }
    assert len(shown) == 1
    for doctree in (project / "out" / ".doctrees").glob("page*.doctree"):
        pickle.loads(doctree.read_bytes())  # noqa: S301  Sphinx wrote it, just now


def test_pictures_of_one_page_have_no_ids_in_common_and_fit_into_it(project: Path) -> None:
    build(
        project,
        {
            "index.rst": titled(
                ".. session-diagram::\n   :name: first", ".. session-diagram::\n   :view: full"
            )
        },
    )
    text = (project / "out" / "index.html").read_text("utf-8")
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))
    assert "first" in ids
    small, large = pictures(project / "out" / "index.html")
    # The smallest letters are 9 pixels high where a picture is as wide as it says, and 10 where it is so wide.
    for shown in (small, large):
        width = int(re.findall(r'width="(\d+)pt"', shown)[0])
        assert shown.startswith(f'<svg style="max-width:max(100%,{round(width * 10 / 9)}px);height:auto" ')
    figures = re.findall(r'<figure class="session-diagram"[^>]*>', text)
    for figure, look in zip(figures, ("overflow:auto", "overflow:auto;max-height:85vh"), strict=True):
        assert 'tabindex="0" role="region" aria-label="Life cycle of a social.plus session"' in figure
        assert f'style="{look}"' in figure


def test_a_readers_choice_of_dark_or_light_counts_more_than_what_the_system_prefers(project: Path) -> None:
    build(project, {"index.rst": titled(".. session-diagram::")})
    [shown] = pictures(project / "out" / "index.html")
    [style] = re.findall(r"<style>(.*?)</style>", shown)
    preferred, _, chosen = style.removeprefix("@media (prefers-color-scheme:dark){").partition("}}")
    assert preferred.count("body:not([data-theme=light]) .") == chosen.count("body[data-theme=dark] .") > 5
    assert preferred.count("{") == chosen.count("{") == chosen.count("body[data-theme=dark] .")
