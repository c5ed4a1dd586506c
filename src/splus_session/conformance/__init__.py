"""Which requirements does a client keep? Any client, in any language, and your own in its tests.

`splus-session conform -- COMMAND` judges a client through an adapter, as `docs/reference/protocol.md`
says; `adapter` helps to write one in Python. `Conformance` judges a client in Python in its own tests.
Both come to a `Report`, of which `reports` makes what people and programs read.

Needs the extra `conformance`.
"""

from importlib.util import find_spec

from splus_session._errors import MissingExtraError

if find_spec("hypothesis") is None or find_spec("rich") is None:
    raise MissingExtraError("conformance")

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
