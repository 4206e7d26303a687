"""A key that changes with the value that a widget starts from.

A widget seeded through `st.session_state` is told its value in one message only. When a second run follows at once, the
server may replace that message before it leaves; the browser then starts from the widget's default and sends it back as
if the visitor had chosen it. So: give the widget its value as its default, and a key that changes with that value. What
is being typed survives a run, undo shows at once, and a message that is replaced is replaced by its equal.
"""

from __future__ import annotations

import zlib


def key_for(name: str, value: object) -> str:
    """`name` with a mark of the stored value."""
    return f"{name}_{zlib.crc32(repr(value).encode('utf-8')):08x}"
