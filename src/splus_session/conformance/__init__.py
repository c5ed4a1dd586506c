"""Which requirements does a client keep? Any client, in any language, and your own in its tests.

`splus-session conform -- COMMAND` judges a client through an adapter, as `docs/reference/protocol.md`
says; `adapter` helps to write one in Python. `Conformance` judges a client in Python in its own tests.
Both come to a `Report`, of which `reports` makes what people and programs read.

Needs the extra `conformance`; `adapter` does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from splus_session.conformance._campaign import DEFAULT_BUDGET, NOT_VISIBLE
    from splus_session.conformance._lines import FEATURES, KINDS, PROTOCOL, AdapterError
    from splus_session.conformance._pytest import Conformance
    from splus_session.conformance.sentences import SENTENCES, Sentence
    from splus_session.conformance.verdicts import Breach, Line, Report, Result, Subject, Trouble, Verdict

__all__ = [
    "Conformance",
    "Report",
    "Result",
    "Breach",
    "Verdict",
    "Trouble",
    "Line",
    "Subject",
    "Sentence",
    "SENTENCES",
    "NOT_VISIBLE",
    "FEATURES",
    "KINDS",
    "PROTOCOL",
    "DEFAULT_BUDGET",
    "AdapterError",
]

_MODULES: Final = ("_lines", "verdicts", "sentences", "_campaign", "_pytest")
"""Where those are. They are imported when they are asked for: an adapter imports this package too, its
process is started many times, and it needs none of them.
"""


def __getattr__(name: str) -> Any:
    if name in __all__:
        for module in _MODULES:
            if name in (found := vars(import_module(f"{__name__}.{module}"))):
                return globals().setdefault(name, found[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
