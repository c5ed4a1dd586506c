"""The vendor's SDK, installed on demand."""

from pathlib import Path

import pytest

from tests.npm import CannotInstallError, installed


@pytest.fixture(scope="session")
def sdk() -> Path:
    """The folder that the SDK is installed in. Skips, saying why, where that cannot be done."""
    try:
        return installed(Path(__file__).parent)
    except CannotInstallError as error:
        pytest.skip(f"the vendor's SDK does not judge the fake platform: {error}")
