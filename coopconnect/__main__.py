"""`python -m coopconnect ...`"""

import sys

from coopconnect.cli import main

if __name__ == "__main__":
    sys.exit(main())
