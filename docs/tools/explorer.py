"""The data of the explorer page: small worlds, explored over the real core, as a graph that a browser walks.

The page knows no rule of the life cycle. What may happen in a state, what the session makes of it, what it
commands, and how things stand then, is all looked up here, where it was written down while the core ran.

    docsExplorer.add({
      name, title, about,
      texts: ["a renewal waits for the handler", …],
      labels: [{who, text, key, minutes, due}, …],
      outcomes: [{event, verdict, why, requirements, commands, messages}, …],
      states: [[name of its state, texts, [label, outcome, state, label, outcome, state, …]], …],
    })

`texts`, `labels`, `outcomes` and `states` are referred to by their places. State 0 is the beginning. A
state in which something is due has that as its only edge. Messages are `[sender, receiver, text, whether it
was in vain]`, as in a `SequenceDiagram`.
"""

import json
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from explorer_words import Named, Outcome, named, outcome, situation
from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from splus_session import SessionKind, SessionState
from splus_session.explore import Move, Slice, Who, World, explore, figures, moves

T = TypeVar("T", bound=Hashable)
ANN: Final = Who(SessionKind.AUTH_TOKEN)
"""Whoever logs in with an auth token; the explorer calls her `a`."""

WORLDS: Final[Mapping[str, Slice]] = {
    "An ordinary day": Slice(
        name="day",
        about="Logins, renewals and logouts; answers that are late, lost, refused, or about somebody else.",
        logins=(ANN, Who(SessionKind.DEVELOPMENT)),
        app=frozenset({"logout", "renew_now", "cancel"}),
        answers=("granted", "refused", "lost", "foreign"),
        sleeps=3,
    ),
    "A ban": Slice(
        name="ban",
        about="The platform bans or deletes the user at any moment; the session hears of it in many ways.",
        lifetimes=(2,),
        handler=("auth token",),
        answers=("granted", "lost"),
        ends=("banned", "deleted"),
    ),
    "A token that is rejected": Slice(
        name="rejection",
        about="A call of the app is answered with 401, rightly or wrongly, and the token is verified.",
        lifetimes=(2,),
        handler=("auth token",),
        answers=("granted", "lost"),
        rejects=True,
    ),
    "A secure logout": Slice(
        name="secure-logout",
        about="The access token is revoked first; meanwhile it may expire, or be renewed.",
        config=figures(wait=1),
        lifetimes=(2,),
        app=frozenset({"logout", "secure_logout"}),
        handler=("auth token",),
        answers=("granted", "lost"),
    ),
    "Access tokens of one's own": Slice(
        name="access-token",
        about="The customer's backend makes the access tokens, and its handler brings the next one.",
        logins=(Who(SessionKind.ACCESS_TOKEN), Who(SessionKind.ACCESS_TOKEN, token="dead")),
        session_handler=False,
        access_token_handler=True,
        handler=("fresh", "unable"),
        answers=("granted", "lost"),
    ),
    "Visitors and bots": Slice(
        name="visitors",
        about="Nobody has to vouch for them: they renew themselves.",
        logins=(Who(SessionKind.VISITOR, "v"), Who(SessionKind.BOT, "v")),
        session_handler=False,
        lifetimes=(2,),
        handler=(),
        answers=("granted", "lost"),
    ),
    "Handlers that come and go": Slice(
        name="handlers",
        about="Nobody can renew the session until the app registers a handler.",
        session_handler=False,
        handlers_change=True,
        lifetimes=(2,),
        app=frozenset({"logout", "renew_now"}),
        answers=("granted", "lost"),
    ),
    "A process that is killed": Slice(
        name="storage",
        about="What is stored is stored before it is told; the next process goes on with it.",
        lifetimes=(2,),
        handler=("auth token",),
        answers=("granted",),
        kills=True,
        most_processes=2,
        most_owed=1,
    ),
}
"""What there is to explore, by its title. Each is explored without bounds: any number of logins."""


def setup(app: Sphinx) -> ExtensionMetadata:
    """Have the worlds written beside the site's other static files."""
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def _write(app: Sphinx, failed: Exception | None) -> None:
    if failed is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, "_static", "explorer")
    folder.mkdir(parents=True, exist_ok=True)
    worlds = [{"name": slice.name, "title": title} for title, slice in WORLDS.items()]
    index = "".join(f"docsExplorer.add({json.dumps(world)});\n" for world in worlds)
    (folder / "index.js").write_text(index, "utf-8")
    for title, slice in WORLDS.items():
        data = json.dumps(exported(title, slice), separators=(",", ":"), ensure_ascii=False)
        # A script and not JSON: a browser does not fetch anything for a page that was opened as a file.
        (folder / f"{slice.name}.js").write_text(f"docsExplorer.add({data});\n", "utf-8")


def exported(title: str, slice: Slice) -> dict[str, Any]:
    """One world, as the page reads it.

    Raises:
        ValueError: in some state two things that may happen have the same name.
    """
    graph = explore(slice, unbounded=True)
    texts: Places[str] = Places()
    labels: Places[Named] = Places()
    outcomes: Places[Outcome] = Places()
    states: list[tuple[str, list[int], list[int]]] = []
    targets = iter(graph.arrows)
    for world in graph.worlds:
        edges: list[int] = []
        keys: set[str] = set()
        for move in moves(world, slice):
            target = next(targets).target
            if not _is_offered(world, move):
                continue
            name = named(world, move)
            keys.add(name.key)
            edges += labels.of(name), outcomes.of(outcome(world, move)), target
        if 3 * len(keys) < len(edges):
            raise ValueError(f"two things that may happen here have the same name: {world}")
        states.append((world.session.state.value, [texts.of(text) for text in situation(world)], edges))
    return {
        "name": slice.name,
        "title": title,
        "about": slice.about,
        "texts": list(texts),
        "labels": [each._asdict() for each in labels],
        "outcomes": [each._asdict() for each in outcomes],
        "states": states,
    }


def offered(world: World, slice: Slice) -> Iterator[Move]:
    """What may happen on the page: all that may happen in the slice, but for what no driver does."""
    return (move for move in moves(world, slice) if _is_offered(world, move))


def _is_offered(world: World, move: Move) -> bool:
    """Whether something happens on the page.

    The core takes a login's cancelling at any time, for it cannot know whether the call has returned. A
    driver cancels only a call that has not; on the page it has by the end of the minute of its success.
    """
    session = world.session
    if move.label[0] != "login_cancelled" or session.state is SessionState.ESTABLISHING:
        return True
    is_new = session.credential is not None and session.credential.issued_at == world.now
    return is_new and session.credential_attempt == session.session


class Places(dict[T, int], Generic[T]):
    """Things that are kept once each, and the places that they have."""

    def of(self, thing: T) -> int:
        """Where a thing is; at the end, if it is new."""
        return self.setdefault(thing, len(self))
