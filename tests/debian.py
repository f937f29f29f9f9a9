"""Programs and fonts that tests take from Debian packages: found, or the test is skipped with the package's name.

`.ci/run` installs them and runs with `--require-all`, where a missing one fails instead.
"""

import os
import platform
import shutil
import sysconfig
from pathlib import Path

import pytest

__all__ = ["PROVIDES", "DebianPackages"]

# Debian keeps libraries under the machine's triplet; elsewhere the test is skipped, which is right as well.
_TRIPLET = sysconfig.get_config_var("MULTIARCH") or f"{platform.machine()}-linux-gnu"

# What a test uses of each package: a program by name, or a file by its whole path.
PROVIDES = {
    "chromium": "chromium",
    "dbus-daemon": "dbus-daemon",
    "libfaketime": f"/usr/lib/{_TRIPLET}/faketime/libfaketimeMT.so.1",
    "strace": "strace",
    "mosquitto": "mosquitto",
    "systemd": "systemd-analyze",
    "fonts-noto-cjk": "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
}

# Debian keeps servers where an ordinary user's PATH does not look.
_SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/bin", "/usr/sbin"])


class DebianPackages:
    """Answers where a package's program or file is."""

    def __init__(self, *, required: bool, provides: dict[str, str] | None = None) -> None:
        self._required = required
        self._provides = PROVIDES if provides is None else provides

    def __call__(self, package: str) -> Path:
        """Return the path of what the package provides; skip, or fail under --require-all, where it is absent."""
        wanted = self._provides[package]
        found = shutil.which(wanted, path=_SEARCH_PATH) if "/" not in wanted else wanted
        if found is not None and Path(found).exists():
            return Path(found)
        message = f"needs the Debian package {package} (apt-get install {package})"
        if self._required:
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
