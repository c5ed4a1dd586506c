from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store's file may be."""
    return tmp_path / "sessions.db"
