"""The search itself: complete, shortest, and honest about what it did not see."""

import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from splus_session import SessionState
from splus_session.explore import (
    BreachError,
    Edge,
    Eventually,
    Monitor,
    Slice,
    StuckError,
    TruncatedSearchError,
    as_pytest,
    as_text,
    beginning,
    check_eventually,
    explore,
    follow,
    moves,
    ranked,
    slices,
    view,
)


def renews(edge: Edge) -> bool | None:
    """Says no when a token has been renewed."""
    if edge.step is None or edge.step.row is None:
        return None
    return edge.step.row.event != "token_renewed" or not edge.step.row.hooks


NO_RENEWAL = Monitor("no token is renewed", ("RENEW-8",), renews)


def test_a_breach_comes_with_the_shortest_way_to_it() -> None:
    with pytest.raises(
        BreachError, match=r"no token is renewed \[RENEW-8\], in the slice 'renewal'"
    ) as breach:
        explore(slices.RENEWAL, monitors=[NO_RENEWAL])
    assert [edge.label[0] for edge in breach.value.way] == [
        "login", "open", "renew_now", "renewal_due", "handler", "renew",
    ]  # fmt: skip
    text = as_text(breach.value.way)
    assert "notLoggedIn -> establishing" in text
    assert "AskRenewal(attempt=2)" in text


def test_a_breach_becomes_a_test_that_fails_until_the_core_does_otherwise(tmp_path: Path) -> None:
    with pytest.raises(BreachError) as breach:
        explore(slices.RENEWAL, monitors=[NO_RENEWAL])
    code = as_pytest(breach.value.way, NO_RENEWAL.name)
    path = tmp_path / "test_breach.py"

    def run() -> str:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path)]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout

    path.write_text(code, "utf-8")
    assert "test_no_token_is_renewed" in code
    assert "1 failed" in run()
    path.write_text(code.replace("SessionState.ESTABLISHED,", "SessionState.TOKEN_EXPIRED,"), "utf-8")
    assert "1 passed" in run()


def test_a_way_of_which_the_session_hears_nothing_is_no_test() -> None:
    with pytest.raises(ValueError, match="heard of nothing"):
        as_pytest([], "nothing")


def test_what_was_not_seen_in_full_is_an_error() -> None:
    with pytest.raises(TruncatedSearchError, match="repeats has more than 10 states"):
        explore(slices.REPEATS, most_states=10)


def test_a_way_is_followed_by_what_happens_on_it() -> None:
    way = follow(slices.RENEWAL, [("login", "authToken", "a", False), ("logout",)])
    assert [edge.after.session.state for edge in way] == [
        SessionState.ESTABLISHING,
        SessionState.NOT_LOGGED_IN,
    ]
    with pytest.raises(LookupError, match="cannot happen here; possible are"):
        follow(slices.RENEWAL, [("renewal_due",)])


def test_every_state_is_found_by_the_way_that_is_told() -> None:
    graph = explore(slices.REPEATS)
    for state in range(0, len(graph.worlds), 7):
        way = follow(slices.REPEATS, graph.way_to(state))
        end = way[-1].after if way else beginning(slices.REPEATS)
        assert end == graph.worlds[state]


def test_a_monitor_counts_what_it_had_to_say() -> None:
    graph = explore(slices.REPEATS, monitors=[Monitor("anything", (), lambda edge: True)])
    assert graph.witnesses == {"anything": len(graph.arrows)}
    once = Monitor("any world", (), lambda edge: True, once=True)
    assert explore(slices.REPEATS, monitors=[once]).witnesses == {"any world": len(graph.worlds) - 1}


def test_any_number_of_logins_looks_like_two() -> None:
    login, granted, logout = ("login", "authToken", "a", False), "granted", ("logout",)
    labels: list[tuple[str | int | bool, ...]] = []
    views = []
    for number in range(1, 6):
        labels += [login, ("open", number, granted, 4)]
        views.append(ranked(follow(slices.RENEWAL, labels)[-1].after))
        labels.append(logout)
    assert len(set(views)) == 1
    bounded = [view(follow(slices.RENEWAL, labels[:end])[-1].after) for end in (2, 5, 8)]
    assert len(set(bounded)) == 3


@pytest.mark.parametrize(
    "slice", [slices.REPEATS, slices.RENEWAL, slices.VISITORS], ids=lambda each: each.name
)
def test_worlds_that_look_alike_go_on_alike(slice: Slice) -> None:
    """Otherwise a search that takes them for one would see only what the first of them does."""
    first: dict[object, set[object]] = {}
    twins = 0
    frontier = [beginning(slice)]
    for _ in range(9):
        following = []
        for world in frontier:
            leads_to: set[object] = {
                (move.label[0], len(move.label), ranked(move.after)) for move in moves(world, slice)
            }
            known = first.setdefault(ranked(world), leads_to)
            twins += known is not leads_to
            assert known == leads_to
            following += [move.after for move in moves(world, slice)]
        frontier = following[:: max(1, len(following) // 400)]
    assert twins > 100


def test_who_waits_for_ever_is_found_with_the_way_into_the_circle() -> None:
    graph = explore(slices.RENEWAL, unbounded=True)
    hope = Eventually("an app logs out", (), lambda world: world.session.state is SessionState.ESTABLISHED)
    with pytest.raises(StuckError, match="it may never be that an app logs out") as stuck:
        check_eventually(graph, hope)
    assert stuck.value.way[-1].after.session.state is SessionState.ESTABLISHED
    assert len(stuck.value.circle) > 1


def test_nobody_waits_where_time_alone_helps() -> None:
    graph = explore(slices.RENEWAL, unbounded=True)
    asked = Eventually(
        "a handler answers or is given up",
        (),
        lambda world: world.session.renewal is not None and world.session.renewal.deadline is not None,
        lambda edge: edge.before.session.attempt != edge.after.session.attempt,
    )
    assert check_eventually(graph, asked) > 100


def test_an_app_may_have_a_slice_of_its_own() -> None:
    mine = attrs.evolve(slices.RENEWAL, name="mine", app=frozenset({"logout"}), sleeps=0, most_attempts=2)
    assert 10 < len(explore(mine).worlds) < len(explore(slices.RENEWAL).worlds)
