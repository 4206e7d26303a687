"""What a download tells: its progress, its result, and errors with a text in French and in English."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from requests.exceptions import InvalidProxyURL, ProxyError

__all__ = [
    "PROXY_EN", "PROXY_FR", "FetchCancelled", "FetchError", "Fetched", "Progress", "ProgressCallback", "human_size",
    "is_proxy_silent",
]  # fmt: skip

PROXY_FR = "le proxy ne répond pas. Vérifiez son adresse"
PROXY_EN = "the proxy does not answer. Check its address"


def is_proxy_silent(error: Exception) -> bool:
    """True where it is the proxy that did not answer, not the server behind it."""
    return isinstance(error, (ProxyError, InvalidProxyURL))


class FetchError(Exception):
    """A download that could not be done, with what to do. `str()` is the English text; `fr` and `en` both.

    reason: 'moved', 'network', 'server', 'login_page', 'altered', 'disk', 'mirror', 'by_hand' or 'cancelled'.
    """

    def __init__(self, reason: str, fr: str, en: str, *, wait_s: float | None = None) -> None:
        super().__init__(en)
        self.reason, self.fr, self.en, self.wait_s = reason, fr, en, wait_s


class FetchCancelled(FetchError):
    """The user stopped the download; what has arrived is kept to resume."""

    def __init__(self) -> None:
        super().__init__(
            "cancelled",
            "Téléchargement arrêté. Ce qui est arrivé est gardé : il reprendra là.",
            "Download stopped. What has arrived is kept: it will resume there.",
        )


@dataclass(frozen=True)
class Progress:
    """Where a download is: bytes on disk, total (None where the server does not say), seconds since the start."""

    key: str
    done_bytes: int
    total_bytes: int | None
    seconds: float
    resumed_from_bytes: int = 0

    @property
    def share(self) -> float | None:
        """Part done, 0 to 1; None where the total is unknown."""
        return min(1.0, self.done_bytes / self.total_bytes) if self.total_bytes else None

    @property
    def bytes_per_s(self) -> float:
        """Mean speed since the start or the resumption."""
        return (self.done_bytes - self.resumed_from_bytes) / self.seconds if self.seconds > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds left at the mean speed; None where unknown."""
        speed = self.bytes_per_s
        return (self.total_bytes - self.done_bytes) / speed if self.total_bytes and speed > 0 else None

    def text(self, language: str = "fr") -> str:
        """One line for the terminal and the page."""
        done = human_size(self.done_bytes, language)
        if self.total_bytes is None:
            return f"{self.key} : {done}" if language == "fr" else f"{self.key}: {done}"
        total, percent = human_size(self.total_bytes, language), round(100 * (self.share or 0))
        left = "" if self.left_s is None or self.seconds < 1 else f", {self.left_s:.0f} s"
        if language == "fr":
            return f"{self.key} : {done} sur {total} ({percent} %){left and left + ' restantes'}"
        return f"{self.key}: {done} of {total} ({percent}%){left and left + ' left'}"


ProgressCallback = Callable[[Progress], None]


@dataclass(frozen=True)
class Fetched:
    """A file on disk that was checked. unchanged: the publisher has nothing newer, nothing was downloaded.

    changed_since: ISO date of the first download where its sha256 differs from this one's, else ''.
    """

    key: str
    table: str
    path: Path
    url: str
    sha256: str
    size_bytes: int
    fetched_on: str
    seconds: float
    resumed_from_bytes: int = 0
    unchanged: bool = False
    changed_since: str = ""
    notes_fr: tuple[str, ...] = ()
    notes_en: tuple[str, ...] = ()


def human_size(size_bytes: float, language: str = "fr") -> str:
    """1234567 -> '1,2 Mo' or '1.2 MB'."""
    unit, value = ("kB", size_bytes / 1e3) if size_bytes < 1e6 else ("MB", size_bytes / 1e6)
    text = f"{value:.1f}"
    if language == "fr":
        return f"{text.replace('.', ',')} {'ko' if unit == 'kB' else 'Mo'}"
    return f"{text} {unit}"
