"""The site is built without a warning, and every link in it leads somewhere."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest


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
