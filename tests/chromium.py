"""Finds Chromium for the browser tests; `python -m tests.chromium` installs one where it is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")
HELP = (
    "没有找到 Chromium：请安装 chromium 或 Google Chrome 并放到 PATH 中，"
    "或运行 .venv/bin/python -m playwright install --with-deps chromium。\n"
    "No Chromium was found: put chromium or Google Chrome on the PATH, "
    "or run .venv/bin/python -m playwright install --with-deps chromium."
)


def path() -> str | None:
    """The program to start, or None: a Chromium or Chrome on the PATH that answers, else Playwright's own."""
    candidates = [shutil.which(name) for name in NAMES] + [str(MAC) if MAC.exists() else None, _playwrights()]
    return next((found for found in candidates if found and _answers(found)), None)


def _answers(program: str) -> bool:
    """Ubuntu's chromium package is only a pointer to a snap, which does not start in containers."""
    try:
        return subprocess.run([program, "--version"], capture_output=True, timeout=60, check=False).returncode == 0
    except OSError:
        return False


def _playwrights() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - slow, and rarely needed

    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def _has_chinese_font() -> bool:
    listed = shutil.which("fc-list")
    return bool(listed and subprocess.run([listed, ":lang=zh"], capture_output=True, check=False).stdout)


def _apt(*packages: str) -> None:
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        quiet = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *packages]):
            subprocess.run([apt, *words], env=quiet, check=False, stdout=subprocess.DEVNULL)


def ensure() -> str:
    """The program to start, installed when missing: apt as root, else Playwright's own. Exits with what to do."""
    found = path()
    if not found or not _has_chinese_font():
        _apt(*([] if found else ["chromium"]), "fontconfig", "fonts-noto-cjk")
        found = path()
    if not found:
        words = ["install", "chromium"] if os.geteuid() else ["install", "--with-deps", "chromium"]
        subprocess.run([sys.executable, "-m", "playwright", *words], check=False)
        found = path()
    if not found:
        raise SystemExit(HELP)
    return found


if __name__ == "__main__":
    sys.stdout.write(f"Chromium: {ensure()}\n")
