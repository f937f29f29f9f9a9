"""`python -m kanhu.firmware_sim` is `kanhu-sim`."""

import sys

from kanhu.firmware_sim.cli import main

if __name__ == "__main__":
    sys.exit(main())
