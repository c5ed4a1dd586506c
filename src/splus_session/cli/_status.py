"""How a command says in its exit status what came of it."""

from typing import Final

PASSED: Final = 0
FAILED: Final = 1
"""Something is not as it should be."""
UNUSABLE: Final = 2
"""Nothing could be done."""
