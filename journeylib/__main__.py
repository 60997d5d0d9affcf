"""python -m journeylib is the command journey."""

import sys

from journeylib.cli import main

if __name__ == "__main__":
    sys.exit(main())
