"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def write_once(path: Path, content: bytes) -> bool:
    """Write a file whole or not at all; True when it is there afterwards, with as many bytes.

    For files whose name says what is in them: one that is there is left alone. Two programs may write the same name at
    once: each writes its own temporary file and renames it.
    """
    try:
        if path.is_file() and path.stat().st_size == len(content):
            return True
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except OSError:
        Path(temporary).unlink(missing_ok=True)
        return False
    return True
