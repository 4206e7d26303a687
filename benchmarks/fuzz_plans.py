"""Plans of tiny territories against every set, over levers, weights, constraints and desks: the tests, with many examples.

python benchmarks/fuzz_plans.py [EXAMPLES]     1,000 by default, two or three minutes
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

if __name__ == "__main__":
    examples = sys.argv[1] if len(sys.argv) > 1 else "1000"
    words = [
        "-m",
        "pytest",
        "-q",
        "tests/test_plan.py",
        "-k",
        "sum_over_sites or best_of_all_sets or no_set_passes or prices",
    ]
    sys.exit(
        subprocess.run(
            [sys.executable, *words], cwd=ROOT, env=os.environ | {"COOPCONNECT_EXAMPLES": examples}
        ).returncode
    )
