"""The documentation site: `make docs`."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "tools"))

import public

project = "splus-session"
author = "The splus-session contributors"
project_copyright = "The splus-session contributors"
release = version_of("splus-session")
version = release

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "docstrings",
    "explorer",
    "pages",
    "splus_session.sphinxext",
]
exclude_patterns = ["_build", "examples", "tools"]
nitpicky = True
# Every link is followed in the pages that come out, anchors that are HTML among them.
suppress_warnings = ["myst.xref_missing"]

myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 4

# Docstrings are read by people in their editors first: names stand between single backquotes there.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {
    "members": True,
    "undoc-members": True,  # a name may say it all
    "inherited-members": ",".join(sorted(public.not_repeated())),
    "show-inheritance": True,
}
autodoc_preserve_defaults = True  # `LIFECYCLE`, and not all that it holds
autodoc_class_signature = "separated"
# Names of other libraries, whose documentation is not at hand while this is built.
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(abc|collections|contextlib|datetime|enum|httpx2|hypothesis|os|pathlib|rich|sphinx|ssl|starlette|types|typing)"
        r"\..*",
    ),
    # Ours, which nobody makes or asks anything: they are what public ones are made of.
    ("py:class", r"splus_session\.(\w+\.)*_\w+\.\w+"),
    # Imported only while types are checked.
    ("py:class", r"SessionAuth|FakeTransport|FakeServer"),
]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
pygments_dark_style = "a11y-dark"  # the theme's underlines modules as if they were links
html_favicon = "_static/icon.svg"
html_title = "splus-session"
html_baseurl = ""
html_copy_source = False
html_show_sourcelink = False
