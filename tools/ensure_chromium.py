"""Makes sure that there is a Chromium for the browser tests, and says which.

Looks at ORIEL_CHROMIUM, then at the usual names; as root (or with password-less sudo) on Debian and its kin it
installs the package `chromium`. Anywhere else a missing browser is an error that says what to install.
"""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    named = os.environ.get("ORIEL_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


def install() -> None:
    if not shutil.which("apt-get"):
        return
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print("Installing Chromium for the browser tests …", flush=True)
    for command in (
        ["apt-get", "update", "-qq"],
        ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
    ):
        done = subprocess.run(
            [*sudo, "env", "DEBIAN_FRONTEND=noninteractive", *command], check=False, capture_output=True, text=True
        )
        if done.returncode:
            print(done.stderr.strip(), file=sys.stderr)


def main() -> int:
    if not find():
        install()
    if browser := find():
        print(f"Browser tests use {browser}")
        return 0
    print(
        "The browser tests need Chromium: install the package 'chromium', or set ORIEL_CHROMIUM to one.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
