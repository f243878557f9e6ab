"""A Chromium for the browser tests: the first that runs on this machine, else one that is installed here and now."""

import os
import shutil
import subprocess
import sys

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHT = [sys.executable, "-m", "playwright"]
OWN_PATH = "from playwright.sync_api import sync_playwright as p\nwith p() as w: print(w.chromium.executable_path)"
INSTALL_SECONDS = 900


def find_or_install() -> str | None:
    """Path of a Chromium; None where it is Playwright's own, which Playwright finds by itself.

    In this order: the environment's SPOOFWEB_CHROMIUM; one on PATH; Playwright's own; `playwright install chromium`; as
    root with apt-get, Debian's package. Raises RuntimeError with what to do where none is to be had.
    """
    if named := os.environ.get("SPOOFWEB_CHROMIUM"):
        if _runs(named):
            return named
        raise RuntimeError(f"SPOOFWEB_CHROMIUM={named} does not run; give the path of a Chromium or Chrome")
    if path := _on_path():
        return path
    if _has_own() or _install_own():
        return None
    if _is_debian_root() and _does("apt-get", "update") and _does("apt-get", "install", "-y", "chromium"):
        if path := _on_path():
            return path
    raise RuntimeError(
        "no Chromium for the browser tests: install one, or set SPOOFWEB_CHROMIUM to its path, or run "
        "`python -m playwright install --with-deps chromium`"
    )


def _on_path() -> str | None:
    found = (shutil.which(name) for name in NAMES)
    return next((path for path in found if path and _runs(path)), None)


def _runs(path: str) -> bool:
    return _does(path, "--version", seconds=60)  # a file may be there and be a stub of another packaging system


def _has_own() -> bool:
    # in a process of its own: Playwright refuses to start inside another Playwright or a running event loop
    done = subprocess.run([sys.executable, "-c", OWN_PATH], capture_output=True, text=True)
    path = shutil.which(done.stdout.strip())
    return path is not None and _runs(path)


def _install_own() -> bool:
    if not _does(*PLAYWRIGHT, "install", "chromium"):
        return False
    if _is_debian_root():
        _does(*PLAYWRIGHT, "install-deps", "chromium")
    return _has_own()


def _is_debian_root() -> bool:
    return getattr(os, "geteuid", lambda: 1)() == 0 and shutil.which("apt-get") is not None


def _does(*command: str, seconds: int = INSTALL_SECONDS) -> bool:
    """Whether a command ends well in time; where it does not, its last words go to stderr."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{command[0]}: {error}", file=sys.stderr)
        return False
    if done.returncode:
        print(f"{' '.join(command)}: {done.stderr.strip()[-500:]}", file=sys.stderr)
    return done.returncode == 0
