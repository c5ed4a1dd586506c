"""Proofs without bounds: any lifetime, any figures, any clocks, any number of logins.

**There is no third model.** The relation that is proved about is read off the code: `relation.py`
runs `step`, `at_time`, `upcoming` and `authorize` themselves, the guards and reactions of `_rules.py`
and the rows of `LIFECYCLE` with them, on a session whose every figure is a symbol. Wherever
the code decides, both ways are followed. What comes out is the finite list of all ways through the
code, each with the condition under which it is taken and the memory it leaves behind.

**What is proved.** `invariant.py`, `about_time.py` and `about_attempts.py` state properties of that
relation, under the names that they have in `tests/properties`. z3 shows each by induction of depth
one: the invariant holds of a new session, and every step from any session that satisfies it leads to
one that does. `windows.py` has what is arithmetic alone, `nonproperties.py` what is not so.

**What is assumed**, and printed with the proofs, is listed in `__main__.py`. Above all: numbers
are real numbers here and floats there.
"""
