"""The command `splus-session`.

    splus-session diagram -o session.svg
    splus-session table --view full > lifecycle.md
    splus-session conform -- node my_adapter.mjs

Each has a `--help` of its own. What is asked for goes to standard output, what is wrong to standard error.
"""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager

from splus_session._errors import SplusSessionError
from splus_session.cli import _completion, _conform, _diagram, _docs, _doctor, _explain
from splus_session.cli._status import UNUSABLE

__all__ = ["main"]

_EPILOG = "exit status: 0 if all is well, 1 if something is not as it should be, 2 if nothing could be done."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; gives the exit status."""
    options, unknown = parser().parse_known_args(arguments)
    if unknown:  # told by the one that does not know them, with its own usage
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="backslashreplace")  # letters that cannot be shown are spelled out
    with _told_to_end():
        try:
            status: int = options.run(options)
            if sys.stdout is not None:
                sys.stdout.flush()
            return status
        except SplusSessionError as error:
            print(f"splus-session: {error}", file=sys.stderr)
        except KeyboardInterrupt:
            print("splus-session: interrupted", file=sys.stderr)
        except BrokenPipeError:  # whoever reads has seen enough
            _write_no_more()
        except OSError as error:
            print(f"splus-session: standard output cannot be written: {error.strerror}", file=sys.stderr)
            _write_no_more()
        return UNUSABLE


@contextmanager
def _told_to_end() -> Generator[None]:
    """Whoever is told to end while the block runs, takes along what it started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signals = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {each: signal.signal(each, _interrupt) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _write_no_more() -> None:
    """Let what is left go nowhere, or Python would try it again at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def parser() -> argparse.ArgumentParser:
    """What it understands."""
    top = argparse.ArgumentParser(
        prog="splus-session", description="Tools for social.plus sessions.", epilog=_EPILOG
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _diagram.add_to(commands)
    _docs.add_to(commands)
    _explain.add_to(commands)
    _doctor.add_to(commands)
    _conform.add_to(commands)
    _completion.add_to(commands, parser)
    for command in commands.choices.values():
        command.set_defaults(parser=command)
    return top


def _interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt
