"""The gateway's Debian package for arm64, built from wheels alone, runs: in a Debian of arm64 under QEMU's user mode.

The same as `./run package --arch arm64 --emulate`, and the package itself is kept only where `--out` says.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence

from kanhu.harness import package

__all__ = ["main"]

_QEMU = "qemu-aarch64-static"


def main(arguments: Sequence[str] | None = None) -> int:
    """Build, unpack, ask it to answer and to accept a reading; 0 where it did."""
    parser = argparse.ArgumentParser(prog="./run prove arm64", description=__doc__)
    parser.add_argument("--out", metavar="DIR", help="keep the package in this folder")
    parser.add_argument("--json", action="store_true", help="end with one JSON object on a line of its own")
    chosen = parser.parse_args(arguments)
    missing = [program for program in (_QEMU, "dpkg-deb", "apt-get") if shutil.which(program) is None]
    if missing:
        print(f"arm64: {', '.join(missing)} not found: apt-get install qemu-user-static dpkg apt", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="kanhu-arm64-") as folder:
        words = ["--arch", "arm64", "--emulate", "--out", chosen.out or folder]
        return package.main([*words, "--json"] if chosen.json else words)


if __name__ == "__main__":
    sys.exit(main())
