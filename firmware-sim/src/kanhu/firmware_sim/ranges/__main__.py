"""The program behind `python -m kanhu.firmware_sim.ranges`."""

import sys

from kanhu.firmware_sim.ranges.cli import main

if __name__ == "__main__":
    sys.exit(main())
