"""Reports about clients that do not exist, always the same: with all that a report may have to show."""

from typing import Any

import attrs

from splus_session.conformance.verdicts import Breach, Line, Report, Result, Subject, Trouble, Verdict
from splus_session.requirements import REQUIREMENTS

# What a page might obey, a terminal might obey, XML can't hold, and what looks like another thing.
NASTY = "<script>alert('1')</script> & \"quotes\" ]]> \x1b[31mred\x07 \x00 \u202egnp\u202c | `x` *y* [bold]z[/] 🦊 漢字 \ud800"

BROKEN = ("LOGIN-2", "LOGIN-10", "RENEW-1", "RENEW-4", "LOGOUT-1", "OBSERVE-3", "CLIENT-2")
NOT_APPLICABLE = {
    "HOOK-1": "the client does not declare `hooks`",
    "HOOK-2": "the client does not declare `hooks`",
    "RESUME-1": "the client does not declare `resume`",
    "RESUME-2": "the client does not declare `resume`",
    "RESUME-3": "the client does not declare `resume`",
    "BACKEND-1": "it is about the customer's backend, not about a client",
    "BACKEND-2": "it is about the customer's backend, not about a client",
    "BACKEND-3": "it is about the customer's backend, not about a client",
}
NOT_REACHED = ("EXPIRE-3", "BAN-2", "BAN-5", "SECRET-2", "SECRET-3")


def _breach(requirement: str, **fields: Any) -> Breach:
    told: dict[str, Any] = {
        "sentence": "observers are told after everything is in place",
        "expected": "user id `ann` when `established` is told",
        "observed": "no user id when `established` is told",
        "scenario": (
            {"do": "open", "client": "a", "development": False, "session_handler": True},
            {"do": "login", "client": "a", "user_id": "ann"},
        ),
        "steps": ("Open client a, in production, with a session handler.", "Log in as ann."),
        "lines": (
            Line("kit", "client", "open"),
            Line("kit", "client", "login ann"),
            Line("client", "platform", "POST /api/v5/sessions"),
            Line("platform", "client", "200, a token that expires in 3600 s"),
            Line("client", "kit", "state established, user id null", wrong=True),
        ),
        "commands": 2,
    }
    return Breach(**{**told, "requirement": requirement, **fields})


def breaches() -> tuple[Breach, ...]:
    """One short, one long, one with two clients, one that means harm, one expected."""
    return (
        _breach(
            "CLIENT-2",
            sentence="a ban of one client's user does not reach another client",
            expected="client b stays `established`",
            observed="client b is told `terminated` 0 s after client a",
            steps=("Open client a.", "Open client b.", "Log both in.", "Ban ann.", "Have a make a request."),
            lines=(
                Line("kit", "client a", "login ann"),
                Line("kit", "client b", "login bob"),
                Line("client a", "platform", "POST /api/v5/sessions (ann), device d-1"),
                Line("client b", "platform", "POST /api/v5/sessions (bob), device d-2, and no more"),
                Line("platform", "client a", "200"),
                Line("platform", "client b", "200"),
                Line(
                    "app",
                    "platform",
                    "ban ann, who is the user of client a and of no other client in this process",
                ),
                Line("client a", "kit", "state terminated (banned)"),
                Line(
                    "client b", "client b", "forgets its token, though nobody asked it to do so", wrong=True
                ),
                Line("client b", "kit", "state terminated", wrong=True),
                Line("platform", "platform", "notes that bob has no session any more"),
            ),
            commands=7,
        ),
        _breach("LOGIN-2"),
        _breach("LOGIN-2", sentence="observers are told once", observed="`established` twice", commands=3),
        _breach("LOGIN-10", sentence="the display name is sent", expected="it is", observed="it is not"),
        _breach(
            "RENEW-1",
            sentence="renewal begins before the token expires",
            expected="a renewal is asked between 2880 s and 3600 s after the token was issued",
            observed="nothing until 3600 s, when the client was told `tokenExpired`",
            steps=(
                "Open client a.",
                "Log in as ann.",
                *(f"Let {60 * n} seconds pass." for n in range(1, 13)),
            ),
            lines=(
                Line("kit", "client", "login ann"),
                Line("client", "platform", "POST /api/v5/sessions"),
                Line("platform", "client", "200"),
                *(Line("kit", "client", f"advance {60 * n} s") for n in range(1, 13)),
                Line("client", "kit", "state tokenExpired", wrong=True),
            ),
            commands=15,
        ),
        _breach(
            "RENEW-4",
            sentence="an answer to an old renewal changes nothing " + "and neither does a later one " * 6,
            expected="nothing happens. " + "The renewal was over, and its object is inert. " * 8,
            observed="a request left:\nPOST /api/v5/sessions\n" + "x" * 300,
            lines=(
                Line("client", "app", "renewal 1, " + "which says a great deal about itself " * 5),
                Line("app", "client", "renew_with_auth_token(" + "t" * 120 + ")"),
                Line("client", "platform", "POST /api/v5/sessions", wrong=True),
                Line("client", "client", "waits"),
            ),
        ),
        _breach(
            "LOGOUT-1",
            sentence="a logout ends in notLoggedIn",
            observed="it stays `terminated`",
            reason="SDK 6.35 stays terminated, #12",
        ),
        _breach(
            "OBSERVE-3",
            sentence=NASTY,
            expected=NASTY,
            observed=NASTY,
            steps=(NASTY, "Observe."),
            scenario=({"do": "observe", "note": NASTY},),
            lines=(Line(NASTY, "client", NASTY), Line("client", NASTY, NASTY, wrong=True)),
        ),
    )


def report(**changes: Any) -> Report:
    """All four verdicts, both origins, both levels, two troubles."""
    found = breaches()
    results: list[Result] = []
    for name in REQUIREMENTS:
        if name in BROKEN:
            own = tuple(breach for breach in found if breach.requirement == name)
            results.append(Result(name, Verdict.BROKEN, reached=12, breaches=own))
        elif name in NOT_APPLICABLE:
            results.append(Result(name, Verdict.NOT_APPLICABLE, why=NOT_APPLICABLE[name]))
        elif name in NOT_REACHED:
            results.append(Result(name, Verdict.NOT_REACHED))
        else:
            results.append(Result(name, Verdict.KEPT, reached=250))
    told: dict[str, Any] = {
        "subject": Subject(
            "made-up client", "1.2.3", ("secure_logout", "several", "time"), "node my_adapter.mjs --fast"
        ),
        "seed": 7,
        "budget": 500,
        "runs": 641,
        "seconds": 12.345,
        "results": tuple(results),
        "unexpected": tuple(breach for breach in found if breach.reason is None),
        "troubles": (
            Trouble("BAN-1", "a ban ends the session", "this was expected to be broken and is kept (#34)"),
            Trouble(
                "EXPIRE-2",
                "waiting ends in time",
                "it was seen broken once, and never again",
                ({"do": "call", "client": "a"},),
            ),
        ),
    }
    return Report(**{**told, **changes})


def clean() -> Report:
    """Nothing to complain about."""
    results = tuple(Result(name, Verdict.KEPT, reached=1) for name in REQUIREMENTS)
    subject = Subject("good client", "2.0", ())
    return Report(subject, seed=1, budget=10, runs=10, seconds=0.5, results=results)


def nasty() -> Report:
    """A report in which every text from outside means harm."""
    subject = Subject(NASTY, NASTY, (NASTY,), NASTY)
    results = tuple(
        attrs.evolve(result, why=NASTY) if result.verdict is Verdict.NOT_APPLICABLE else result
        for result in report().results
    )
    return report(subject=subject, results=results, troubles=(Trouble("BAN-1", NASTY, NASTY),))


def replay(breach: Breach) -> str:
    """What the command line would say."""
    return f"splus-session conform --replay '{breach.requirement}.json' -- node my_adapter.mjs --fast '<&>'"
