"""The gallery of wrong clients: each has one mistake, and the kit must report the requirement it breaks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from splus_session.conformance._campaign import Campaign
from splus_session.conformance._source import Processes

CLIENT: Final = str(Path(__file__).parent / "small" / "client.py")


class Mistake(NamedTuple):
    """A wrong client."""

    slug: str
    requirement: str
    """What it breaks."""


def mistakes() -> tuple[Mistake, ...]:
    """All of them."""
    listed = subprocess.run(
        [sys.executable, CLIENT, "--mistakes"], capture_output=True, text=True, check=True, timeout=60
    )
    return tuple(Mistake(slug, each["requirement"]) for slug, each in json.loads(listed.stdout).items())


def is_caught(mistake: Mistake, seed: int) -> bool:
    """Whether its requirement is among those reported, within the default budget."""
    source = Processes([sys.executable, CLIENT, "--mistake", mistake.slug])
    try:
        report = Campaign(source, seed=seed, shorten=False, until=mistake.requirement).run()
    finally:
        source.close()
    return any(breach.requirement == mistake.requirement for breach in report.breaches)
