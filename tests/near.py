"""The slices as far as a test goes that only wants things to come up; `make explore` and `make model` go on."""

from typing import Final

import attrs

from splus_session.explore import Slice, slices

LARGE: Final = {"ban", "rejection", "storage"}

NEAR: Final[list[Slice]] = [
    attrs.evolve(slice, most_attempts=slice.most_attempts - (slice.name in LARGE)) for slice in slices.SLICES
]
"""The large ones with an attempt less."""
