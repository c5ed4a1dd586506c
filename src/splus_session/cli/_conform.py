"""`splus-session conform -- COMMAND`. What an adapter is, `docs/reference/protocol.md` says."""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

from splus_session._errors import MissingExtraError
from splus_session.cli._status import UNUSABLE

_EPILOG: Final = """\
exit status: 0 if there is nothing to complain about, 1 if there is, 2 if nothing could be judged.

An adapter is a small program around your client that reads commands and answers in JSON lines; the page
docs/reference/protocol.md says how to write one.
"""


def add_to(commands: Any) -> None:
    """Add the command to those that there are."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "conform",
        help="find out which requirements a client keeps",
        description="Play scenarios with a client, in any language, and judge what it does.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=_conform)
    parser.add_argument(
        "adapter", nargs="*", metavar="-- COMMAND", help="how the client's adapter is started"
    )
    parser.add_argument(
        "--id", action="append", default=[], metavar="ID", help="judge this requirement only; may be repeated"
    )
    parser.add_argument("--list", action="store_true", help="list what is judged, and stop")
    parser.add_argument("--seed", type=int, default=1, help="decides which scenarios are played (default: 1)")
    parser.add_argument(
        "--budget", type=int, default=320, help="how many scenarios are played (default: 320)"
    )
    parser.add_argument(
        "--against",
        type=Path,
        metavar="FILE",
        help="known breaches, with reasons: any other fails, and so does one that is gone",
    )
    parser.add_argument(
        "--accept",
        type=Path,
        metavar="FILE",
        help="write the breaches found to a file for --against; reasons in it are kept",
    )
    parser.add_argument(
        "--replay", type=Path, metavar="FILE", help="play one breach's scenario, and tell it line by line"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FOLDER",
        help="write report.html, report.json, report.md, junit.xml and replays",
    )


def _conform(options: argparse.Namespace) -> int:
    try:
        from splus_session.conformance import _command
    except ImportError:  # whatever is missing, the extra brings it
        raise MissingExtraError("conformance") from None
    if options.list:
        return _command.list_sentences(options.id)
    if not options.adapter:
        print("splus-session conform: how is the adapter started? Say it after --", file=sys.stderr)
        return UNUSABLE
    if options.replay is not None:
        return _command.replay(options.adapter, options.replay)
    return _command.judge(
        options.adapter,
        only=options.id,
        seed=options.seed,
        budget=options.budget,
        against=options.against,
        accept=options.accept,
        report=options.report,
    )
