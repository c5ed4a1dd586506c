"""The command `splus-session`.

    splus-session conform -- node my_adapter.mjs

See `splus-session conform --help`, and `docs/reference/protocol.md` for what an adapter is.
"""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from splus_session._errors import MissingExtraError, SplusSessionError

PASSED, FAILED, UNUSABLE = 0, 1, 2
"""Exit statuses: nothing to complain about; something; nothing could be judged."""

_EPILOG: Final = """\
exit status: 0 if there is nothing to complain about, 1 if there is, 2 if nothing could be judged.

An adapter is a small program around your client that reads commands and answers in JSON lines; the page
docs/reference/protocol.md says how to write one.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status."""
    parser = argparse.ArgumentParser(prog="splus-session", description="Tools for social.plus sessions.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_conform(commands.add_parser("conform", **_CONFORM_HELP))  # type: ignore[arg-type]
    options = parser.parse_args(arguments)
    # Whoever is told to end, takes the adapters along.
    before = {each: signal.signal(each, _interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        return _conform(options)
    except SplusSessionError as error:
        print(f"splus-session: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        print("splus-session: interrupted", file=sys.stderr)
        return UNUSABLE
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


_CONFORM_HELP: Final = {
    "help": "find out which requirements a client keeps",
    "description": "Play scenarios with a client, in any language, and judge what it does.",
    "epilog": _EPILOG,
    "formatter_class": argparse.RawDescriptionHelpFormatter,
}


def _add_conform(parser: argparse.ArgumentParser) -> None:
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


if __name__ == "__main__":
    sys.exit(main())
