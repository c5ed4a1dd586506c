"""The explorer page does what the core does, in a real browser."""

import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import explorer_words
import pytest
from explorer import WORLDS, offered
from explorer_words import named, outcome, situation

from splus_session import LIFECYCLE, SessionState
from splus_session._events import REQUESTS, event_name
from splus_session.explore import TICK, Edge, Move, Slice, World, beginning, explore, moves
from splus_session.explore._world import is_due

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

SCENARIOS = 1_000
LENGTH = 25
SLICES = {slice.name: slice for slice in WORLDS.values()}

Trace = Sequence[Mapping[str, Any]]


def walk(slice: Slice, chance: random.Random) -> tuple[list[str], Trace]:
    """Things that happen at random, over the core: what was asked for, and what came of everything."""
    world = beginning(slice)
    asked: list[str] = []
    seen: list[Mapping[str, Any]] = []
    while is_due(world) or len(seen) < LENGTH:
        move = chance.choice(list(offered(world, slice)))
        what = named(world, move)
        if not is_due(world):
            asked.append(what.key)
        came = outcome(world, move)
        world = move.after
        seen.append(
            {
                **came._asdict(),
                **what._asdict(),
                "requirements": list(came.requirements),
                "commands": list(came.commands),
                "messages": [list(message) for message in came.messages],
                "state": world.session.state.value,
                "texts": list(situation(world)),
                "at": world.now / TICK,
                "offered": sorted(named(world, each).key for each in offered(world, slice)),
            }
        )
    return asked, seen


@pytest.mark.parametrize("name", SLICES)
def test_the_page_walks_as_the_core_does(name: str, site: Path, page: "Page") -> None:
    chance = random.Random(name)
    walks = [walk(SLICES[name], chance) for _ in range(SCENARIOS // len(SLICES))]
    assert len({tuple(asked) for asked, _ in walks}) > len(walks) * 0.9
    page.goto((site / "explorer.html").as_uri())
    traces = page.evaluate(
        "([name, all]) => Promise.all(all.map((keys) => docsExplorer.trace(name, keys)))",
        [name, [asked for asked, _ in walks]],
    )
    for (asked, expected), trace in zip(walks, traces, strict=True):
        assert trace == expected, asked


def look(world: World, slice: Slice) -> Any:
    """All that the page has about a state."""
    there = ((named(world, move), outcome(world, move)) for move in offered(world, slice))
    return world.session.state, list(situation(world)), sorted(there)


@pytest.mark.parametrize("name", SLICES)
def test_worlds_that_are_one_state_look_alike(name: str) -> None:
    slice = SLICES[name]
    graph = explore(slice, unbounded=True)
    looks = [look(world, slice) for world in graph.worlds]
    targets = iter(graph.arrows)
    merged = 0
    for world in graph.worlds:
        for move in moves(world, slice):
            target = next(targets).target
            if move.after is not graph.worlds[target]:
                merged += 1
                assert look(move.after, slice) == looks[target]
    assert merged > len(looks)


# ── The words ───────────────────────────────────────────────────────────────────────────────────


def edges(name: str) -> Iterator[Edge]:
    for world in explore(SLICES[name], unbounded=True).worlds:
        for move in moves(world, SLICES[name]):
            yield Edge(world, *move)


def test_what_a_session_has_yet_to_hear_is_said_while_it_can_hear_it() -> None:
    seen: Counter[SessionState] = Counter()
    for edge in edges("ban"):
        if "of which the session has not heard" in " ".join(situation(edge.after)):
            seen[edge.after.session.state] += 1
    assert seen.keys() == {SessionState.ESTABLISHING, SessionState.ESTABLISHED, SessionState.TOKEN_EXPIRED}


def test_a_void_token_is_news_only_while_it_is_taken_for_alive() -> None:
    seen = {
        edge.after.session.state
        for name in ("rejection", "secure-logout")
        for edge in edges(name)
        if "has yet to find out" in " ".join(situation(edge.after))
    }
    assert seen == {SessionState.ESTABLISHED}


FACTS = [row for row in LIFECYCLE if row.event not in {event_name(each) for each in REQUESTS}]


def test_there_are_words_for_whatever_a_fact_may_be_dropped_for() -> None:
    # The last row that is tried says what was against it; one without conditions is always taken.
    last = {(row.source, row.event): row for row in FACTS}
    always = {(row.source, row.event) for row in FACTS if not row.guards}
    against = {str(guard) for where, row in last.items() if where not in always for guard in row.guards}
    assert explorer_words._AGAINST.keys() == against


def test_nobody_is_told_before_it_is_carried_out() -> None:
    told: Counter[str] = Counter()
    for edge in edges("storage"):
        move = Move(edge.label, edge.step, edge.after)
        for sender, receiver, text, _ in outcome(edge.before, move).messages:
            if (sender, receiver) == ("session", "app") and not text.startswith(
                ("refused", "what was waited")
            ):
                told[str(edge.label[0])] += 1
    assert told.keys() == {"tell"}


@pytest.mark.parametrize("name", SLICES)
def test_every_state_of_a_world_is_in_the_page(name: str, site: Path, page: "Page") -> None:
    page.goto((site / "explorer.html").as_uri())
    reached, states = page.evaluate(
        """async (name) => {
          await docsExplorer.trace(name, []);
          const { states } = docsExplorer.worlds.get(name);
          const reached = new Set([0]);
          for (const state of reached) {
            for (let place = 2; place < states[state][2].length; place += 3) reached.add(states[state][2][place]);
          }
          return [reached.size, states.length];
        }""",
        name,
    )
    assert reached == states == len(explore(SLICES[name], unbounded=True).worlds)


# ── As somebody who uses it ─────────────────────────────────────────────────────────────────────


@pytest.fixture
def explorer(site: Path, page: "Page") -> "Page":
    page.goto((site / "explorer.html").as_uri())
    page.wait_for_selector("#explorer fieldset")
    return page


def state(page: "Page") -> str:
    return page.locator(".explorer-state").inner_text()


def told(page: "Page") -> str:
    return page.get_by_role("status").inner_text()


def press(page: "Page", *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name).click()


def test_a_session_moves_when_something_happens(explorer: "Page") -> None:
    assert state(explorer) == "notLoggedIn"
    press(explorer, "login with an auth token")
    assert state(explorer) == "establishing"
    assert "moves from notLoggedIn to establishing" in told(explorer)
    press(explorer, "answer the login: granted")
    assert state(explorer) == "established"
    here = explorer.locator("figure g.explorer-here title")
    assert here.evaluate("(title) => title.textContent") == "established"
    taken = explorer.locator("figure g.explorer-taken title")
    assert taken.evaluate("(title) => title.textContent") == "establishing->established"
    assert explorer.locator(".explorer-sequence li").count() == 8
    steps = explorer.locator(".explorer-steps li")
    assert "adopt_credential" in steps.nth(1).inner_text()


def test_what_is_refused_or_dropped_says_why(explorer: "Page") -> None:
    press(explorer, "login with a user id alone")
    assert "Refused: production login needs an auth token" in told(explorer)
    press(explorer, "login with an auth token", "give up another login, whose call has not returned")
    assert "Dropped: it is about another login than the one that this session began with" in told(explorer)
    assert "(is_current_login)." in told(explorer)
    press(explorer, "logout", "answer the abandoned login: refused")
    assert "Dropped: nothing in notLoggedIn waits for it" in told(explorer)
    messages = explorer.locator(".explorer-sequence li").all_inner_texts()
    assert "not_allowed" not in messages[-1]
    assert messages[-1].endswith("dropped")
    last = explorer.locator(".explorer-steps li").last
    assert last.get_by_role("link").inner_text() == "LOGIN-3"


def test_the_slider_lets_time_pass_and_takes_it_back(explorer: "Page") -> None:
    press(explorer, "login with an auth token", "answer the login: granted")
    slider = explorer.get_by_label("Minutes")
    slider.fill("4")
    assert state(explorer) == "tokenExpired"
    assert told(explorer) == (
        "2 minutes pass. A renewal begins. A minute passes. The handler's time to answer is over. "
        "A minute passes. The access token expires. The session moves from established to tokenExpired."
    )
    slider.fill("1")
    assert state(explorer) == "established"
    assert "lives for 3 min" in explorer.locator(".explorer-now").inner_text()
    slider.fill("3")  # what was taken back comes again
    assert "A renewal waits" not in explorer.locator(".explorer-now").inner_text()
    press(explorer, "logout")
    slider.fill("5")
    assert told(explorer) == "No time can pass here."
    assert slider.input_value() == "3"


def test_a_login_is_given_up_only_as_long_as_its_call_may_not_have_returned(explorer: "Page") -> None:
    give_up = explorer.get_by_role("button", name="give up")
    assert give_up.count() == 0
    press(explorer, "login with an auth token")
    assert give_up.count() == 2
    press(explorer, "answer the login: granted")
    assert give_up.count() == 2
    press(explorer, "let a minute pass")
    assert give_up.count() == 0
    press(explorer, "Take back", "give up the login, whose call has not returned")
    assert state(explorer) == "notLoggedIn"


def test_the_slider_does_again_what_it_took_back(explorer: "Page") -> None:
    press(explorer, "login with an auth token", "answer the login: granted")
    press(explorer, "let a minute pass", "let a minute pass", "answer the renewal: an auth token")
    press(explorer, "let a minute pass", "answer the renewal: granted", "let a minute pass", "logout")
    address, steps = explorer.url, explorer.locator(".explorer-steps").inner_text()
    slider = explorer.get_by_label("Minutes")
    slider.fill("1")
    assert explorer.url != address
    slider.fill("4")
    press(explorer, "Do again")  # the logout, after which no time passes
    assert explorer.url == address
    assert explorer.locator(".explorer-steps").inner_text() == steps
    assert explorer.get_by_role("button", name="Do again").is_disabled()
    slider.fill("2")
    press(explorer, "logout")
    assert explorer.get_by_role("button", name="Do again").is_disabled()


def test_it_takes_back_what_was_asked_for(explorer: "Page") -> None:
    assert explorer.get_by_role("button", name="Take back").is_disabled()
    press(explorer, "login with an auth token", "answer the login: granted")
    press(explorer, "let a minute pass", "let a minute pass")  # and a renewal begins
    assert "A renewal waits for the handler" in explorer.locator(".explorer-now").inner_text()
    press(explorer, "Take back")
    assert "In 1 min: a renewal begins" in explorer.locator(".explorer-now").inner_text()
    press(explorer, "Begin anew")
    explorer.wait_for_function("document.querySelector('.explorer-told').textContent === 'Begun anew.'")
    assert state(explorer) == "notLoggedIn"
    assert explorer.locator(".explorer-steps li").count() == 0
    # The button can't be pressed any more, and whoever pressed it is not sent to the page's top.
    assert explorer.evaluate("document.activeElement.className") == "explorer-now"


def test_a_link_carries_the_scenario(explorer: "Page", chromium: "Browser") -> None:
    explorer.get_by_label("A small world").select_option("A ban")
    explorer.wait_for_url("**#ban=*")
    press(explorer, "login with an auth token", "answer the login: granted", "ban the user")
    press(explorer, "tell the session that the user is banned")
    assert state(explorer) == "terminated"
    other = chromium.new_page()
    other.goto(explorer.url)
    other.wait_for_selector("#explorer fieldset")
    assert state(other) == "terminated"
    assert other.locator(".explorer-steps").inner_text() == explorer.locator(".explorer-steps").inner_text()
    other.close()


def test_who_asks_for_no_scenario_is_told_nothing(explorer: "Page") -> None:
    assert told(explorer) == ""
    assert "#" not in explorer.url


def test_a_link_to_a_heading_leads_there(site: Path, page: "Page") -> None:
    page.set_viewport_size({"width": 400, "height": 700})
    address = f"{(site / 'explorer.html').as_uri()}#explore-the-life-cycle"
    page.goto(address)
    page.wait_for_selector("#explorer fieldset")
    assert told(page) == ""
    assert page.url == address
    heading = page.get_by_role("heading", level=1)
    assert heading.evaluate("(it) => it.getBoundingClientRect().top") < 150
    assert page.evaluate("document.activeElement === document.body")


PRESENTED = """() => {
  const { top, bottom } = document.querySelector(".explorer-now").getBoundingClientRect();
  return document.activeElement.className === "explorer-now" && top >= 0 && bottom <= innerHeight + 1;
}"""


def test_a_link_to_a_scenario_brings_what_it_came_to_before_ones_eyes(site: Path, page: "Page") -> None:
    page.set_viewport_size({"width": 400, "height": 700})
    page.goto((site / "explorer.html").as_uri())
    page.wait_for_selector("#explorer fieldset")
    link = page.get_by_role("link", name="the platform bans the user during a renewal")
    for _ in range(2):  # also to where one is already
        link.click()
        page.wait_for_function(PRESENTED)
        assert told(page).startswith("social.plus: answer the renewal: banned. The session moves from")
        assert state(page) == "terminated"
    page.reload()  # as somebody who was sent the link
    page.wait_for_function(PRESENTED)
    assert told(page).startswith("social.plus: answer the renewal: banned.")


def test_a_link_that_leads_nowhere_says_how_far_it_goes(explorer: "Page") -> None:
    address = explorer.url.partition("#")[0]
    explorer.goto(f"{address}#day=login-with-an-auth-token.fly")
    explorer.wait_for_function("document.querySelector('.explorer-told').textContent !== ''")
    assert told(explorer) == "This cannot happen here: fly. The link ends before."
    assert state(explorer) == "establishing"
    explorer.goto(f"{address}#mars=fly")
    explorer.wait_for_function("document.querySelector('.explorer-told').textContent.includes('mars')")
    assert told(explorer) == "There is no world mars."
    assert state(explorer) == "notLoggedIn"


@pytest.mark.parametrize(
    "fragment", ["day=%", "100%", "%E0%A4%A", "day=logout*9999999", "day=logout*x*-3..*"]
)
def test_a_link_that_was_damaged_on_its_way_leaves_a_page_that_works(
    fragment: str, site: Path, page: "Page"
) -> None:
    page.goto(f"{(site / 'explorer.html').as_uri()}#{fragment}")
    page.wait_for_selector("#explorer fieldset")
    press(page, "login with an auth token")
    assert state(page) == "establishing"


# Another listener comes last, and a timeout after whatever those before began.
FOLLOW = """(fragment) => new Promise((done) => {
  addEventListener("hashchange", () => setTimeout(done), { once: true });
  location.hash = fragment;
})"""


def test_links_within_the_page_leave_the_scenario_alone(explorer: "Page") -> None:
    press(explorer, "login with an auth token", "answer the login: granted")
    for fragment in ("#furo-main-content", "#", "#explore-the-life-cycle"):
        explorer.evaluate(FOLLOW, fragment)
        assert state(explorer) == "established"
    press(explorer, "let a minute pass")
    assert explorer.url.endswith("answer-the-login-granted.let-a-minute-pass")


def test_the_world_that_was_chosen_last_is_shown(address: str, page: "Page") -> None:
    late: list[Route] = []

    def keep(route: "Route") -> None:
        late.append(route)

    page.route("**/explorer/ban.js", keep)
    page.goto(f"{address}/explorer.html")
    page.wait_for_selector("#explorer fieldset")
    page.get_by_label("A small world").select_option("A ban")
    page.get_by_label("A small world").select_option("Visitors and bots")
    page.wait_for_url("**#visitors=*")
    late[0].continue_()
    page.wait_for_function("docsExplorer.worlds.get('ban').states !== undefined")
    assert page.get_by_label("A small world").input_value() == "visitors"
    assert page.url.endswith("#visitors=")


def test_it_is_used_with_the_keyboard_alone(explorer: "Page") -> None:
    explorer.get_by_label("A small world").focus()
    for key in ("login-with-an-auth-token", "answer-the-login-granted", "let-a-minute-pass"):
        for _ in range(40):
            if explorer.evaluate("document.activeElement.dataset.key") == key:
                break
            explorer.keyboard.press("Tab")
        explorer.keyboard.press("Enter")
    assert state(explorer) == "established"
    # What was pressed is still there, and nobody has to look for it.
    assert explorer.evaluate("document.activeElement.dataset.key") == "let-a-minute-pass"
    explorer.keyboard.press("Space")
    assert "A renewal waits for the handler" in explorer.locator(".explorer-now").inner_text()


def test_the_scenarios_that_pages_link_to_can_be_walked(site: Path, page: "Page") -> None:
    links = {
        link
        for file in site.rglob("*.html")
        for link in re.findall(r'href="[^"#]*(?:explorer\.html)?#([a-z-]+=[^"]+)"', file.read_text("utf-8"))
    }
    assert len(links) >= 4
    page.goto((site / "explorer.html").as_uri())
    for link in links:
        trace = page.evaluate(
            "(link) => { const { name, keys } = docsExplorer.read(link); return docsExplorer.trace(name, keys); }",
            link,
        )
        assert trace, link
