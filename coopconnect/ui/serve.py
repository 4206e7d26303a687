"""`make run`: the app, with what the first visitor will need being loaded while the server and the browser start.

`streamlit run app.py` gives the same app; its first visitor waits some seconds longer.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

TURN_S = 0.0005
ROOT = Path(__file__).resolve().parents[2]


def warm() -> None:
    """Load the default territory, its contours and the assessment of the reference scenario into the caches.

    Meanwhile threads take turns every half millisecond instead of five: the server answers as if it were alone.
    """
    usual = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S)
    try:
        from coopconnect.scenario import DEFAULT_TERRITORY
        from coopconnect.ui import cached

        cached.geometry(DEFAULT_TERRITORY)
        cached.reference_assessment(DEFAULT_TERRITORY)
        cached.settle()
    except Exception:  # the page will meet the same error and tell it; starting must go on
        logging.getLogger(__name__).exception("warm-up failed")
    finally:
        sys.setswitchinterval(usual)


def main(arguments: Sequence[str] | None = None) -> None:
    """Start the warm-up in a thread and Streamlit in this one; `arguments` are those of `streamlit run`."""
    from streamlit.web import cli

    threading.Thread(target=warm, name="warm-up", daemon=True).start()
    given = list(sys.argv[1:] if arguments is None else arguments)
    cli.main(["run", str(ROOT / "app.py"), *given], prog_name="streamlit", standalone_mode=True)


if __name__ == "__main__":
    main()
