"""The site is built without a warning, every link in it leads somewhere, and all that is public is in it."""

import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import errors_table
import public
import pytest

from splus_session import SessionState, SplusSessionError


class Page(HTMLParser):
    """What a page links to, and what may be linked to in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[tuple[str, str]] = []
        """The element's name, and where it leads."""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            elif name in ("href", "src", "data", "xlink:href") and value:
                self.links.append((tag, value))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    return {file: Page(file.read_text("utf-8")) for file in site.rglob("*.html")}


def nowhere(pages: dict[Path, Page]) -> Iterator[str]:
    """The links that lead to nothing."""
    for file, page in pages.items():
        for _, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            if "=" in parts.fragment:  # a scenario; test_explorer.py walks it
                parts = parts._replace(fragment="")
            to = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            if not to.is_file() or (
                parts.fragment and to in pages and unquote(parts.fragment) not in pages[to].ids
            ):
                yield f"{file.name}: {link}"


def test_every_link_leads_somewhere(pages: dict[Path, Page]) -> None:
    assert len(pages) > 20
    assert sum(len(page.links) for page in pages.values()) > 1000
    assert list(nowhere(pages)) == []


def test_nothing_is_fetched_from_other_hosts(pages: dict[Path, Page]) -> None:
    for file, page in pages.items():
        fetched = [link for tag, link in page.links if tag not in ("a", "link") and urlsplit(link).netloc]
        assert not fetched, file.name


def test_every_page_is_in_the_navigation(site: Path, pages: dict[Path, Page]) -> None:
    linked = {urlsplit(link).path for tag, link in pages[site / "index.html"].links if tag == "a"}
    wanted = {file.relative_to(site).as_posix() for file in pages}
    assert wanted - linked <= {"index.html", "genindex.html", "py-modindex.html", "search.html"}


# ── What is public ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def inventory(site: Path) -> set[str]:
    """What the site tells of, by its full names."""
    _, _, _, _, packed = (site / "objects.inv").read_bytes().split(b"\n", 4)
    return {line.split()[0] for line in zlib.decompress(packed).decode().splitlines() if " py:" in line}


def members(of: type) -> Iterator[str]:
    """The public members of a class: its own, and those of its private bases, which nobody can look up."""
    for holder in of.__mro__:
        if holder is of or (holder.__module__.startswith("splus_session") and holder not in public.classes()):
            own = {**vars(holder), **vars(holder).get("__annotations__", {})}
            yield from (name for name in own if not name.startswith("_"))


def test_every_public_name_is_on_a_page(inventory: set[str]) -> None:
    names = {name for name, _ in public.names()}
    assert {"splus_session.HOOKS", "splus_session.diagram.Theme", "splus_session.conformance.Report"} < names
    assert sorted(names - inventory) == []


def test_every_public_member_of_a_public_class_is_on_a_page(inventory: set[str]) -> None:
    wanted = {
        (of.__qualname__, member, tuple(names))
        for of, names in public.classes().items()
        for member in (*members(of), *public.given_to_instances(of))
    }
    found = {member for _, member, _ in wanted}
    assert {"GLOBAL_BAN", "note_ban", "state", "reason", "retry_at", "deadline"} < found
    assert [
        f"{of}.{member}"
        for of, member, names in sorted(wanted)
        if not any(f"{name}.{member}" in inventory for name in names)
    ] == []


def test_every_public_module_has_a_page_of_its_own(site: Path, inventory: set[str]) -> None:
    assert {module.__name__ for module in public.modules()} <= inventory


def test_a_default_is_a_name_or_a_value_and_not_how_it_is_made(site: Path) -> None:
    shown = {file: file.read_text("utf-8") for file in (site / "reference" / "api").glob("*.html")}
    assert [file.name for file, text in shown.items() if "attr_dict" in text] == []
    told = shown[site / "reference/api/diagram.html"]
    assert ">LIFECYCLE</span>" in told
    assert "Row(" not in told


def test_requirements_in_docstrings_are_links(pages: dict[Path, Page], site: Path) -> None:
    there = pages[site / "reference/api/splus_session.html"]
    assert ("a", "../requirements.html#renew-7") in there.links


def test_every_error_is_on_the_page_about_errors_once_and_with_its_code() -> None:
    told = [error for group in errors_table.GROUPS for error in errors_table.of_group(group)]
    exported = {
        of
        for of, names in public.classes().items()
        if issubclass(of, SplusSessionError) and f"splus_session.{of.__name__}" in names
    }
    assert len(told) == len(set(told))
    assert set(told) == exported - {SplusSessionError}
    page = errors_table.PAGE.read_text("utf-8")
    assert [error for error in told if f"| `{error.code}` |" not in page] == []
    assert len({error.code for error in told}) == len(told)


def test_a_state_in_the_first_picture_leads_to_what_is_said_of_it(
    pages: dict[Path, Page], site: Path
) -> None:
    links = {link for _, link in pages[site / "index.html"].links}
    for state in SessionState:
        assert f"reference/lifecycle.html#{state.value.lower()}" in links
        assert state.value.lower() in pages[site / "reference/lifecycle.html"].ids
