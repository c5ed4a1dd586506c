"""Docstrings as Sphinx reads them.

They are written for people in their editors, with the sections that Google's style has and the code that
Markdown has. What they say of an argument, an error or an example is made into fields by napoleon; this
does the rest:

- code that is fenced or set off by four spaces,
- requirements in brackets, such as `[RENEW-7]`, which lead to their page,
- what a class says of its attributes, which is told of where each is,
- what is said of a constant or of a type that has a name, where it is defined and not exported from,
- classes that are exported from two modules, which are told of once.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType, UnionType
from typing import Any, Final, get_args

import ids
import public
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.ext.napoleon import Config
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.pycode import ModuleAnalyzer

from splus_session.requirements import REQUIREMENTS

REQUIREMENTS_PAGE: Final = "reference/requirements"
_API: Final = "reference/api/"
_ATTRIBUTES: Final = re.compile(r"^Attributes:\n((?: .*\n)+)", re.MULTILINE)
_LONGEST_VALUE: Final = 100
_TOO_LONG: Final = ":meta hide-value:"
_SECTIONS: Final = re.compile(r"(Args|Attributes|Example|Examples|Raises|Returns|Yields):")
_FENCE: Final = re.compile(r"( *)```(\w*)")


def setup(app: Sphinx) -> None:
    """Have docstrings read so."""
    app.connect("autodoc-process-docstring", _process)
    app.connect("autodoc-skip-member", _skip)
    app.connect("autodoc-before-process-signature", _with_values)
    app.connect("doctree-read", _name_requirements)
    app.connect("builder-inited", _tell_of_data)


def _process(app: Sphinx, what: str, name: str, thing: Any, _: Any, lines: list[str]) -> None:
    given = inspect.cleandoc("\n".join(lines)).split("\n")
    if what in ("attribute", "data", "property"):
        # What is said of one of these is a sentence, and a colon in it is no type.
        if what == "attribute" and not any(given):
            given = _of_the_class(name)
        text = list(_linked(_with_code(given)))
    else:
        if isinstance(thing, type):
            given = _attributes_of_instances(given, thing)
        options: Any = Config(napoleon_use_rtype=False)
        kind: Any = what
        text = GoogleDocstring(list(_linked(_with_code(given))), options, app, kind, name, thing).lines()
    if what == "module":
        text += _also_here(app, name)
    lines[:] = text


# ── Requirements ────────────────────────────────────────────────────────────────────────────────


def _name_requirements(app: Sphinx, document: nodes.document) -> None:
    """Give each requirement a name that any page, and other projects' pages, can link to."""
    if app.env.docname == REQUIREMENTS_PAGE:
        there = {each for section in document.findall(nodes.section) for each in section["ids"]}
        labels = app.env.domains.standard_domain
        for requirement in REQUIREMENTS.values():
            anchor = requirement.id.lower()
            if anchor in there:  # if not, a link to it is a warning
                labels.labels[anchor] = REQUIREMENTS_PAGE, anchor, f"{requirement.id}: {requirement.title}"
                labels.anonlabels[anchor] = REQUIREMENTS_PAGE, anchor


def _linked(lines: Iterator[str]) -> Iterator[str]:
    """Requirements in brackets as links, but not in code."""
    code_indent: int | None = None
    for line in lines:
        indent = len(line) - len(line.lstrip())
        if code_indent is not None and line and indent <= code_indent:
            code_indent = None
        if line.lstrip().startswith(".. code-block::") or line.endswith("::"):
            code_indent = indent
        yield line if code_indent is not None else ids.NAMED.sub(_link, line)


def _link(found: re.Match[str]) -> str:
    id = found[1]
    return f"[:ref:`{id} <{id.lower()}>`]" if id in REQUIREMENTS else found[0]


# ── What is said elsewhere ──────────────────────────────────────────────────────────────────────


def _skip(app: Sphinx, what: str, name: str, thing: Any, _: Any, options: Any) -> bool | None:
    """Tell of a class only under the first of its names."""
    if what == "module" and isinstance(thing, type) and app.env.docname.startswith(_API):
        module = _module_of_page(app.env.docname)
        if first := _first_name(thing, f"{module}.{name}"):
            return first != f"{module}.{name}"
    return None  # as autodoc would have it


def _module_of_page(page: str) -> str:
    name = page.removeprefix(_API)
    return name if name == "splus_session" else f"splus_session.{name}"


def _first_name(thing: type, name: str) -> str | None:
    """The name under which a class is told of, if this is one of its names."""
    known = public.classes().get(thing, [])
    return known[0] if name in known else None


def _also_here(app: Sphinx, module: str) -> Iterator[str]:
    """Links to the classes of a module that are told of on another page. Who looks for one comes to these."""
    others = {
        name: first
        for name in getattr(sys.modules[module], "__all__", ())
        if isinstance(thing := getattr(sys.modules[module], name), type)
        and (first := _first_name(thing, full := f"{module}.{name}"))
        and first != full
    }
    if others:
        yield from ("", "Exported here, too, and described there:", "")
        yield from (f"- :py:class:`{first}`" for first in others.values())
        yield ""
        for name in others:
            app.env.domains.python_domain.note_object(f"{module}.{name}", "class", f"module-{module}")


def _tell_of_data(_: Sphinx) -> None:
    """Have autodoc tell of constants and of types that have a name.

    It does so only if the module that it looks at says something of one, and that is most often another.
    """
    for module in public.modules():
        analyzer = ModuleAnalyzer.for_module(module.__name__)
        told = analyzer.find_attr_docs()
        for name in module.__all__:
            thing = getattr(module, name)
            if not isinstance(thing, (type, ModuleType)) and not inspect.isroutine(thing):
                said = told.get(("", name)) or _where_defined(module, name)
                told["", name] = [*said, "", *_alternatives(thing)]
                if len(repr(thing)) > _LONGEST_VALUE:
                    told["", name].append(_TOO_LONG)


def _alternatives(thing: object) -> Iterator[str]:
    """What a type that has a name stands for, if that is any of several of ours."""
    if isinstance(thing, UnionType):
        known = public.classes()
        names = [f":py:class:`~{known[each][0]}`" for each in get_args(thing) if each in known]
        if len(names) == len(get_args(thing)):
            yield from (f"One of {', '.join(names)}.", "")


def _where_defined(module: ModuleType, name: str) -> list[str]:
    """What is said of something in the module that this one has it from."""
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if isinstance(node, ast.ImportFrom) and node.module and name in {each.name for each in node.names}:
            said = ModuleAnalyzer.for_module(node.module).find_attr_docs().get(("", name))
            return said or _where_defined(sys.modules[node.module], name)
    return []


def _of_the_class(name: str) -> list[str]:
    """What a class says of this attribute under `Attributes:`."""
    of, _, attribute = name.rpartition(".")
    for thing, known in public.classes().items():
        if of in known:
            return [_attributes(inspect.getdoc(thing) or "").get(attribute, "")]
    return []


def _attributes(doc: str) -> dict[str, str]:
    section = _ATTRIBUTES.search(f"{doc}\n")
    words = re.split(r"^    (\w+): ", "" if section is None else section[1], flags=re.MULTILINE)[1:]
    return {name: " ".join(text.split()) for name, text in zip(words[::2], words[1::2], strict=True)}


def _attributes_of_instances(lines: Sequence[str], of: type) -> list[str]:
    """A class's docstring with those attributes alone of which autodoc knows nothing."""
    said = _attributes("\n".join(lines))
    told = ModuleAnalyzer.for_module(of.__module__).find_attr_docs()
    left = [
        name
        for name in public.given_to_instances(of)
        if (of.__qualname__, name) not in told
        and not hasattr(of, name)
        and name not in inspect.get_annotations(of)
    ]
    each = [f"    {name}: {said.get(name, '')}".rstrip() for name in left]
    without = _ATTRIBUTES.sub("", "\n".join(lines) + "\n").split("\n")
    return [*without, "", "Attributes:", *each, ""] if each else without


def _with_values(_: Sphinx, function: Any, bound: bool) -> None:
    """Show a function that attrs made with the values of its defaults: their source is attrs's own."""
    function = getattr(function, "__func__", function)
    if getattr(function, "__code__", None) and function.__code__.co_filename.startswith("<attrs"):
        vars(function).pop("__signature__", None)  # which autodoc read from there


# ── Code ────────────────────────────────────────────────────────────────────────────────────────


def _with_code(lines: Sequence[str]) -> Iterator[str]:
    """Markdown's code as reStructuredText has it."""
    fence: str | None = None
    in_section = False
    previous = ""
    is_code = False
    for line in lines:
        indent = len(line) - len(line.lstrip())
        found = _FENCE.fullmatch(line)
        if fence is not None:
            if found:
                fence = None
                yield ""
            else:
                yield f"   {line}" if line else ""
        elif found:
            fence = found[1]
            yield f"{fence}.. code-block:: {found[2] or 'text'}"
            yield ""
        else:
            if indent == 0 and line:
                in_section, is_code = bool(_SECTIONS.fullmatch(line)), False
            if (
                not in_section
                and not is_code
                and indent >= 4
                and not previous
                and not line.lstrip().startswith(("- ", ">>>"))
            ):
                is_code = True
                yield "::"
                yield ""
            yield line
        previous = line
