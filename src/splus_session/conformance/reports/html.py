"""A report as one page for a browser. It asks nobody for anything and runs no script.

Each text from outside is escaped where it is put in: `_said` is the only way in for them.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from importlib.resources import files

from splus_session._text import visible
from splus_session.conformance.reports._contents import (
    company,
    counts,
    groups,
    hidden,
    level,
    number,
    outcome,
    parts,
    verdict,
)
from splus_session.conformance.verdicts import Breach, Report, Result, Trouble, Verdict
from splus_session.diagram._sequence_svg import sequence_diagram
from splus_session.requirements import REQUIREMENTS, SOURCES, Requirement

__all__ = ["page"]

# Whatever a text might smuggle in would still find no host to ask and no script to run.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_WHEN = {"before": "earlier", "beside": "at the same moment"}
_Names = dict[int, tuple[str, str]]
_CSS = files("splus_session.conformance.reports").joinpath("page.css").read_text("utf-8")


def page(report: Report, *, replay: Callable[[Breach], str]) -> str:
    """The whole page, HTML in UTF-8, with everything that it needs in it.

    Args:
        report: what came of judging one client.
        replay: the command that replays one breach.
    """
    names = _names(report)
    title = f"Conformance of {report.subject.name} {report.subject.version}"
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<link rel="icon" href="data:,">',
            f"<title>{_said(title)}</title>",
            f"<style>\n{_CSS}{_filters()}</style>",
            "</head>",
            "<body>",
            "<header>",
            f"<h1>{_said(title)}</h1>",
            *_facts(report),
            *_contents(report, names),
            "</header>",
            "<main>",
            *_breaches(report, names, replay),
            *_expected(report, names, replay),
            *_troubles(report.troubles),
            *_matrix(report, names),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _said(text: str) -> str:
    return escape(visible(text))


def _catalogued(text: str) -> str:
    """A text of the catalogue, which is Markdown and uses no more of it than this."""
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", _said(text))
    return re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)


def _slug(kind: Verdict) -> str:
    return kind.value.replace(" ", "-")


def _names(report: Report) -> _Names:
    """By breach: its requirement and the name of its section.

    Breaches hold dictionaries and have no hash; each is known by its identity here.
    """
    seen: dict[str, int] = {}
    names: _Names = {}
    for breach in (*report.unexpected, *report.expected):
        seen[breach.requirement] = seen.get(breach.requirement, 0) + 1
        name = f"{breach.requirement.lower()}-breach-{seen[breach.requirement]}"
        names[id(breach)] = (breach.requirement, name)
    return names


def _facts(report: Report) -> Iterator[str]:
    subject = report.subject
    yield f'<p class="outcome {"passed" if report.passed else "failed"}">{_said(outcome(report))}</p>'
    if (words := hidden(report)) is not None:
        yield f"<p>{_said(words)}</p>"
    told = ", ".join(f"{count} {kind.value}" for kind, count in counts(report))
    facts = {
        "verdicts": told,
        "features": ", ".join(subject.features) or "none",
        "played": f"{number(report.budget, 'scenario')} with seed {report.seed}, "
        f"{number(report.runs, 'run')} in {report.seconds:.1f} seconds",
    }
    yield '<dl class="facts">'
    if subject.command is not None:
        yield f"<dt>adapter</dt><dd><code>{_said(subject.command)}</code></dd>"
    for name, value in facts.items():
        yield f"<dt>{name}</dt><dd>{_said(value)}</dd>"
    yield "</dl>"


def _contents(report: Report, names: _Names) -> Iterator[str]:
    """Where to go from here."""
    yield '<nav aria-label="On this page"><ul>'
    for position, part in enumerate(parts(report.unexpected), 1):
        yield f'<li><a href="#part-{position}">Broken: {_said(part.title)}</a><ul>'
        for breach in part.breaches:
            words = _said(f"{breach.requirement}: {breach.sentence}")
            yield f'<li><a href="#{names[id(breach)][1]}">{words}</a></li>'
        yield "</ul></li>"
    if report.expected:
        yield f'<li><a href="#expected">Broken, as expected</a> ({len(report.expected)})</li>'
    if report.troubles:
        yield f'<li><a href="#troubles">Troubles</a> ({len(report.troubles)})</li>'
    yield f'<li><a href="#requirements">All requirements</a> ({len(report.results)})</li>'
    yield "</ul></nav>"


def _filters() -> str:
    """What hides the rows of other verdicts. A browser that does not know `:has` shows them all."""
    rules: list[str] = []
    for slug in map(_slug, Verdict):
        chosen = f"main:has(#show-{slug}:checked)"
        rules.append(f"{chosen} tr[data-verdict]:not([data-verdict={slug}]),")
        rules.append(f"{chosen} .group:not(:has(tr[data-verdict={slug}])) {{ display: none; }}")
    return "\n".join([*rules, ""])


def _matrix(report: Report, names: _Names) -> Iterator[str]:
    yield '<section aria-labelledby="requirements">'
    yield '<h2 id="requirements">All requirements</h2>'
    choices = [("all", "all", len(report.results))]
    choices += [(_slug(kind), kind.value, count) for kind, count in counts(report) if count]
    yield "<fieldset><legend>Show</legend>"
    for slug, words, count in choices:
        checked = " checked" if slug == "all" else ""
        yield f'<label><input type="radio" name="show" id="show-{slug}"{checked}> {words} ({count})</label>'
    yield "</fieldset>"
    for position, (group, members) in enumerate(groups(report.results), 1):
        yield f'<div class="group"><h3 id="group-{position}">{_said(group)}</h3>'
        yield f'<table aria-labelledby="group-{position}"><thead><tr>'
        yield '<th scope="col">id</th><th scope="col">requirement</th><th scope="col">verdict</th>'
        yield "</tr></thead><tbody>"
        for requirement, result in members:
            yield _row(report, requirement, result, names)
        yield "</tbody></table></div>"
    yield "</section>"


def _row(report: Report, requirement: Requirement, result: Result, names: _Names) -> str:
    slug = _slug(result.verdict)
    words = _said(verdict(report, result))
    links = [name for broken, name in names.values() if broken == requirement.id]
    if len(links) == 1:
        words = f'<a class="{slug}" href="#{links[0]}">{words}</a>'
    elif links:
        words += ": " + ", ".join(f'<a href="#{name}">{n}</a>' for n, name in enumerate(links, 1))
    title = _catalogued(requirement.title)
    if requirement.level == "should":
        title += ' <span class="tag">should</span>'
    if result.why and result.verdict is Verdict.NOT_APPLICABLE:
        title += f'<br><span class="quiet">{_said(result.why)}</span>'
    return (
        f'<tr data-verdict="{slug}"><th scope="row">{requirement.id}</th>'
        f'<td class="title">{title}</td><td class="verdict {slug}">{words}</td></tr>'
    )


def _breaches(report: Report, names: _Names, replay: Callable[[Breach], str]) -> Iterator[str]:
    for position, part in enumerate(parts(report.unexpected), 1):
        yield f'<section aria-labelledby="part-{position}">'
        yield f'<h2 id="part-{position}">Broken: {_said(part.title)}</h2>'
        yield f'<p class="quiet">{_said(part.origin)}</p>'
        for breach in part.breaches:
            yield from _breach(breach, names[id(breach)][1], replay, known=False)
        yield "</section>"


def _expected(report: Report, names: _Names, replay: Callable[[Breach], str]) -> Iterator[str]:
    if not report.expected:
        return
    yield '<section aria-labelledby="expected">'
    yield '<h2 id="expected">Broken, as expected</h2>'
    for breach in report.expected:
        yield from _breach(breach, names[id(breach)][1], replay, known=True)
    yield "</section>"


def _breach(breach: Breach, name: str, replay: Callable[[Breach], str], *, known: bool) -> Iterator[str]:
    """A section of its own; that of an expected breach is folded but for its reason."""
    requirement = REQUIREMENTS[breach.requirement]
    yield f'<article class="breach{" known" if known else ""}" id="{name}" aria-labelledby="{name}-head">'
    yield f'<h3 id="{name}-head">{requirement.id}: {_said(breach.sentence)}</h3>'
    if known:
        yield f"<p>Expected, because: {_said(breach.reason or 'no reason is given')}</p>"
        yield "<details><summary>What happened</summary>"
    tags = [level(requirement), *(f"{letter}: {SOURCES[letter]}" for letter in requirement.source)]
    yield f"<p>{' '.join(f'<span class=tag>{_said(tag)}</span>' for tag in tags)}</p>"
    note = f'<p class="quiet">{_catalogued(requirement.source_note)}</p>' if requirement.source_note else ""
    yield f"<blockquote><p>{_catalogued(requirement.text)}</p>{note}</blockquote>"
    yield '<div class="sides">'
    yield f'<div class="wanted"><h4>Expected</h4><p>{_said(breach.expected)}</p></div>'
    yield f'<div class="observed"><h4>Observed</h4><p>{_said(breach.observed)}</p></div>'
    yield "</div>"
    if breach.after or breach.beside:
        others = "".join(f"<li>{_WHEN[when]}: {_said(other)}</li>" for when, other in company(breach))
        yield f"<h4>Broken in the same run</h4><ul>{others}</ul>"
    yield f"<h4>Steps ({number(breach.commands, 'command')} to the adapter)</h4>"
    yield f"<ol>{''.join(f'<li>{_said(step)}</li>' for step in breach.steps)}</ol>"
    if breach.lines:
        title = f"What happened until {requirement.id} was broken"
        yield "<h4>What happened</h4>"
        yield f'<div class="scroll" tabindex="0" role="region" aria-label="{_said(title)}, a diagram">'
        yield sequence_diagram(breach.lines, name=name, title=title)
        yield "</div>"
    yield "<h4>To see it again</h4>"
    yield f'<pre class="copy" tabindex="0">{_said(replay(breach))}</pre>'
    scenario = "\n".join(json.dumps(step, sort_keys=True) for step in breach.scenario)
    yield "<details><summary>The steps as JSON</summary>"
    yield f'<pre tabindex="0">{_said(scenario)}</pre></details>'
    if known:
        yield "</details>"
    yield "</article>"


def _troubles(troubles: Sequence[Trouble]) -> Iterator[str]:
    if not troubles:
        return
    yield '<section aria-labelledby="troubles">'
    yield '<h2 id="troubles">Troubles</h2>'
    told = (
        "Expected breaches that did not come, breaches that came once and never again, "
        "and whatever else kept the kit from judging."
    )
    yield f'<p class="quiet">{told}</p>'
    yield "<ul>"
    for trouble in troubles:
        text = f"{trouble.sentence}: {trouble.text}"
        yield f"<li><strong>{_said(trouble.requirement)}</strong>: {_said(text)}</li>"
    yield "</ul></section>"
