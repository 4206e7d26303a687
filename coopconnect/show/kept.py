"""What one start leaves for the next: the default territory, its contours and its reference assessment, on disk.

Working them out takes two seconds of a processor, reading them three thousandths. The file is named after a digest of
all that they follow from: the sources of the model, the data, the parameters, the libraries, the official tables
loaded. Change any of it and the file is not found, everything is worked out again and kept anew: what is read is what
the model would say. `make setup` writes it, the first start does so otherwise.

Like a `.pyc`, the file runs in this process when it is read: it lies in a folder that only the program writes
(`.cache/` beside the app), and a checksum tells a damaged one, which counts as none.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import pickle
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from coopconnect.files import write_once
from coopconnect.model.types import Assessment
from coopconnect.parameters import DATA_DIR
from coopconnect.show.geometry import Geometry
from coopconnect.territory.types import Territory

PACKAGE = Path(__file__).resolve().parents[1]
FOLDER = PACKAGE.parent / ".cache"
SOURCES = ("*.py", "model/*.py", "territory/*.py", "territory/official/*.py", "show/*.py")
"""What the three follow from, in the package; screens, exports and the building of data/territory do not count."""
DATA = ("*.toml", "territory/*")
LIBRARIES = ("numba", "numpy", "pandas", "pyarrow", "scipy", "shapely")
_SUM_BYTES = 32


@dataclass(frozen=True, eq=False)
class Start:
    """What the first picture shows."""

    territory: Territory
    geometry: Geometry
    assessment: Assessment


@lru_cache(maxsize=1)
def _project_digest() -> bytes:
    """Of the sources, the data and the libraries: they do not change while the program runs."""
    found = hashlib.blake2b(sys.version.encode("utf-8"), digest_size=16)
    for name in LIBRARIES:
        found.update(f"{name} {importlib.metadata.version(name)}\n".encode())
    for root, patterns in ((PACKAGE, SOURCES), (DATA_DIR, DATA)):
        for path in sorted(path for pattern in patterns for path in root.glob(pattern) if path.is_file()):
            content = path.read_bytes()
            found.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode())
            found.update(content)
    return found.digest()


def digest(official: object) -> str:
    """Name of what is kept. official: the stamp of the official tables (any value with a stable `repr`)."""
    return hashlib.blake2b(_project_digest() + repr(official).encode("utf-8"), digest_size=16).hexdigest()


def _path(official: object, folder: Path) -> Path:
    return folder / f"start-{digest(official)}.pickle"


def read(official: object, folder: Path = FOLDER) -> Start | None:
    """What an earlier start kept for this code, these data and these official tables; None where there is nothing sound."""
    path = _path(official, folder)
    try:
        content = path.read_bytes()
        body = content[_SUM_BYTES:]
        if hashlib.blake2b(body, digest_size=_SUM_BYTES).digest() != content[:_SUM_BYTES]:
            path.unlink()
            return None
    except OSError:
        return None
    found = pickle.loads(body)
    return found if isinstance(found, Start) else None


def write(start: Start, official: object, folder: Path = FOLDER) -> bool:
    """Keep `start` for the next start, instead of what was kept before; False where the disk does not let it."""
    path = _path(official, folder)
    body = pickle.dumps(start, protocol=pickle.HIGHEST_PROTOCOL)
    if not write_once(path, hashlib.blake2b(body, digest_size=_SUM_BYTES).digest() + body):
        return False
    for old in folder.glob("start-*.pickle"):
        if old != path:
            old.unlink(missing_ok=True)
    return True
