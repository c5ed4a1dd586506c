"""`python -m splus_session.cli`."""

import sys

from splus_session.cli import main

if __name__ == "__main__":
    sys.exit(main())
