"""What a printed link is worth: one of this very computer opens nowhere else."""

from __future__ import annotations

from urllib.parse import urlsplit

LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0")


def is_local(link: str) -> bool:
    """True for an address that only the computer it was made on can open."""
    try:
        return urlsplit(link).hostname in LOCAL
    except ValueError:
        return False
