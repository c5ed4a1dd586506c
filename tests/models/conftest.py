import pytest

from models.proofs.claims import Relation


@pytest.fixture(scope="session")
def relation() -> Relation:
    """All that is read off the code, worked out once by each process that needs it."""
    return Relation()
