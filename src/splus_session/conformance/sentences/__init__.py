"""What is judged: sentences, each about one requirement. Each says of a moment whether it was kept."""

from splus_session.conformance.sentences import _ending, _expiry, _login, _renewal, _rest
from splus_session.conformance.sentences._base import SENTENCES, Judgement, Sentence, Wrong

__all__ = ["SENTENCES", "Judgement", "Sentence", "Wrong"]

_DECLARED = (_login, _renewal, _expiry, _ending, _rest)
