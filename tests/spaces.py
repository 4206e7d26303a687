"""Spaces that do not break, written as plain ones, for tests that read a text as one types it."""


def plain(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u202f", " ").replace("\u2060", "")
