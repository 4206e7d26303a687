"""Labels that Streamlit has in English only, in the language of the page: what `frame.js` writes in their place."""

from __future__ import annotations

from functools import lru_cache

from coopconnect.show.words import all_words, placeholders, say

_FAMILY = "streamlit."


@lru_cache(maxsize=2)
def own_labels(language: str) -> list[list[str]]:
    """Pairs of Streamlit's text and ours, with the same `{placeholders}`; none in English, which it speaks."""
    if language == "en":
        return []
    found = []
    for key, entry in all_words().items():
        if key.startswith(_FAMILY):
            kept = {name: "{" + name + "}" for name in placeholders(entry["en"])}
            found.append([entry["en"], say(key, language, **kept)])
    return found
