"""The site in a real browser: on a phone, in the dark, for people who do not see it, and offline."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("index.html", "explorer.html", "tutorial.html")
# Something has happened there: there are steps, messages, and buttons for what is refused.
SCENARIO = "explorer.html#day=login-with-an-auth-token.answer-the-login-granted.logout.logout"
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def pages(site: Path) -> list[str]:
    found = sorted(file.relative_to(site).as_posix() for file in site.rglob("*.html"))
    assert set(NAMES) < set(found)
    return found


def visit(page: "Page", site: Path, name: str) -> None:
    page.goto(f"{site.as_uri()}/{name}")
    if name.startswith("explorer"):
        page.wait_for_selector("#explorer fieldset")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_nothing_serious_keeps_anybody_from_reading(
    scheme: Literal["light", "dark"], site: Path, chromium: "Browser", axe: str
) -> None:
    page = chromium.new_page(color_scheme=scheme)
    for name in [*pages(site), SCENARIO]:
        visit(page, site, name)
        page.evaluate(axe)
        found = page.evaluate("axe.run()")
        assert found["passes"], name
        serious = [
            (each["id"], each["nodes"][0]["html"], each["nodes"][0]["failureSummary"])
            for each in found["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        assert serious == [], name
    page.close()


def test_no_page_is_wider_than_a_phone(site: Path, page: "Page") -> None:
    page.set_viewport_size({"width": 360, "height": 780})
    for name in [*pages(site), SCENARIO]:
        visit(page, site, name)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, name


def test_nothing_is_asked_of_other_hosts(site: Path, address: str, page: "Page") -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in pages(site):
        page.goto(f"{address}/{name}", wait_until="load")
    assert len(asked) > len(pages(site))
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def test_the_first_page_is_light(address: str, page: "Page") -> None:
    sizes: list[int] = []
    page.on("requestfinished", lambda request: sizes.append(request.sizes()["responseBodySize"]))
    page.goto(f"{address}/index.html", wait_until="networkidle")
    assert len(sizes) > 3
    assert 10_000 < sum(sizes) < 500_000


def test_a_word_is_found(address: str, page: "Page") -> None:
    page.goto(f"{address}/search.html?q=visitor")
    first = page.locator("ul.search li a").first
    first.wait_for()
    first.click()
    assert "visitor" in page.locator("article").inner_text().lower()
