"""Pages with generated blocks.

They are written by hand, but for what stands between `<!-- generated: NAME -->` and
`<!-- end of NAME -->`.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path


def filled(path: Path, blocks: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with its generated blocks as they should be.

    Raises:
        ValueError: the page has no such block, or one that nothing is known about.
    """
    text = path.read_text("utf-8")
    there = re.findall(r"^<!-- generated: (.+) -->$", text, re.MULTILINE)
    if sorted(there) != sorted(blocks):
        raise ValueError(f"{path.name} has the blocks {there}, and should have {list(blocks)}")
    for name, make in blocks.items():
        begin, end = f"<!-- generated: {name} -->\n", f"<!-- end of {name} -->"
        before, rest = text.split(begin)
        _, after = rest.split(end)
        text = f"{before}{begin}{make()}\n{end}{after}"
    return text
