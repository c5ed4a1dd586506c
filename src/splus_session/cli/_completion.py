"""`splus-session completion SHELL`: what a shell needs to complete this command's words."""

import argparse
from collections.abc import Callable
from typing import Any, Final

from splus_session._errors import MissingExtraError
from splus_session.cli._status import PASSED

_SHELLS: Final = ("bash", "zsh", "tcsh")
_EPILOG: Final = """\
bash: eval "$(splus-session completion bash)" in ~/.bashrc
zsh:  splus-session completion zsh > a file `_splus-session` in a folder of $fpath
"""


def add_to(commands: Any, parser_of_all: Callable[[], argparse.ArgumentParser]) -> None:
    """Add the command to those that there are."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "completion",
        help="print what a shell needs to complete these words",
        description="Print a script by which a shell completes the words of this command.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )

    def run(options: argparse.Namespace) -> int:
        return _run(options.shell, parser_of_all())

    parser.set_defaults(run=run)
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=", ".join(_SHELLS))


def _run(shell: str, parser: argparse.ArgumentParser) -> int:
    try:
        import shtab
    except ImportError:
        raise MissingExtraError("completion") from None
    print(shtab.complete(parser, shell))
    return PASSED
