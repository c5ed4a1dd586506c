"""`python -m docs.examples.demo`: plays all the scenes, and draws session.svg."""

import codecs
import io
import logging
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
from rich.console import Console

from docs.examples.demo import killed, life, logins
from docs.examples.demo.customer import Customer
from docs.examples.demo.journal import Journal, JournalHandler
from docs.examples.demo.serving import Witness, serve
from docs.examples.demo.stage import BrokenPromiseError, Stage
from docs.examples.demo.world import World
from splus_session.diagram import Diagram
from splus_session.testing import FakePlatform

PICTURE = Path("session.svg")


async def all_scenes(world: World) -> None:
    """Play everything."""
    await life.play(world)
    await logins.play(world)
    await killed.play(world)


def main(scenes: Callable[[World], Awaitable[None]] = all_scenes) -> int:
    """Play scenes, and draw the picture. Gives the exit code: 0 if all went as promised."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="in_ascii")
    console = Console(highlight=False)
    with parties(console) as world:
        stage = world.stage
        stage.introduce(
            {
                "platform": f"social.plus, as FakePlatform plays it, at {world.platform_url}",
                "backend": f"a customer's, Starlette under uvicorn, at {world.backend_url}",
                "client": "an app with a Session, in this process",
            }
        )
        try:
            anyio.run(scenes, world)
        except BrokenPromiseError:
            failed = stage.scenes[-1]
            console.print(f"\nNot as promised: scene {len(stage.scenes)}, {failed.title}.", style="bold red")
            return 1
        except KeyboardInterrupt:
            console.print("\nInterrupted.")
            return 130
    PICTURE.write_bytes(Diagram().draw())
    stage.summarise()
    console.print(f"\nThe life cycle that all of this followed is drawn in {PICTURE}.")
    return 0


@contextmanager
def parties(console: Console) -> Iterator[World]:
    """The platform and the customer's backend, each a real server, while the block runs."""
    platform = FakePlatform()
    journal = Journal(platform)
    logger, handler = logging.getLogger("splus_session"), JournalHandler(journal)
    logger.addHandler(handler)
    try:
        with platform.serve() as server:
            backend = Witness(Customer(platform, server.url).app, journal)
            with serve(backend) as backend_url:
                yield World(
                    platform=platform,
                    platform_url=server.url,
                    backend_url=backend_url,
                    journal=journal,
                    stage=Stage(console, journal),
                )
    finally:
        logger.removeHandler(handler)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """What stands for signs that a terminal's encoding lacks, one for one."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_IN_ASCII.get(sign, "?") for sign in lacking), error.end


_IN_ASCII = {"→": ">", "●": "*", "✓": "+", "✗": "!", "×": "x", "…": "~", "─": "-"}
codecs.register_error("in_ascii", _in_ascii)


if __name__ == "__main__":
    sys.exit(main())
