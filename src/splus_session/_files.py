"""Files that are written as a whole, or stay what they were."""

import os
import shutil
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(to: Path, content: bytes) -> None:
    """Write a file: nobody ever sees a part of it, and if that fails, what was there is there still.

    A file keeps its mode, and a link leads where it led. What is no file, such as a pipe, is just written to.

    Raises:
        OSError: it cannot be written.
    """
    if to.exists() and not to.is_file():
        to.write_bytes(content)
        return
    target = to.resolve()
    new = target.with_name(f".{target.name}.{os.getpid()}")  # others may write the same one
    try:
        new.write_bytes(content)
        if target.exists():
            shutil.copymode(target, new)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
