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


def test_no_table_is_cut_on_an_ordinary_screen(site: Path, page: "Page") -> None:
    page.set_viewport_size({"width": 1440, "height": 1000})
    seen = 0
    for name in pages(site):
        visit(page, site, name)
        tables = page.evaluate(
            "[...document.querySelectorAll('.table-wrapper')].map(table => [table.scrollWidth, table.clientWidth])"
        )
        seen += len(tables)
        assert [needs for needs, has in tables if needs > has] == [], name
    assert seen > 20


@pytest.mark.parametrize("width", [360, 1440])
def test_the_letters_of_a_picture_can_be_read(width: int, site: Path, page: "Page") -> None:
    page.set_viewport_size({"width": width, "height": 800})
    for name, number in (("index.html", 1), ("reference/lifecycle.html", 3)):
        visit(page, site, name)
        for figure in page.locator("figure.session-diagram").all():
            number -= 1
            heights = figure.evaluate(
                "figure => [...figure.querySelectorAll('svg text')].map(text =>"
                " parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a)"
            )
            assert min(heights) > 9.5, name
            # What does not fit is moved by keys, and whoever comes there hears what it is.
            figure.focus()
            page.keyboard.press("ArrowRight")
            page.wait_for_timeout(300)
            fits, moved = figure.evaluate("f => [f.scrollWidth <= f.clientWidth, f.scrollLeft > 0]")
            assert fits != moved, name
            assert figure.get_attribute("aria-label")
        assert number == 0


@pytest.mark.parametrize("width", [360, 1440])
def test_a_link_to_a_requirement_shows_it_from_its_top(width: int, site: Path, page: "Page") -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(reduced_motion="reduce")  # it is there at once
    visit(page, site, "reference/requirements.html#renew-7")
    page.wait_for_timeout(500)
    box = page.locator("#renew-7 > h3").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 120
    assert page.locator("#renew-7 > p").nth(1).inner_text().startswith("What a failed renewal leads to.")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_modules_name_in_code_does_not_look_like_a_link(
    scheme: Literal["light", "dark"], site: Path, page: "Page"
) -> None:
    page.emulate_media(color_scheme=scheme)
    visit(page, site, "tutorial.html")
    decorations = page.evaluate(
        "[...document.querySelectorAll('.highlight .nn')].map(name => getComputedStyle(name).textDecorationLine)"
    )
    assert set(decorations) == {"none"}


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
