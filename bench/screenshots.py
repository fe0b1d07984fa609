"""The pictures of the README, taken from a real server on demo data: `python -m bench.screenshots [--url URL]`."""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, TimeoutError, ViewportSize, sync_playwright

from experience.demo.operator import PASSWORD
from tests import chromium

FOLDER = Path(__file__).parent.parent / "docs" / "screenshots"
HUISHENG = str(Path(sys.executable).with_name("huisheng"))
WIDE, PHONE = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
_MOST_BYTES = 300 * 1024
#: Orders that are opened to choose one, and what makes one telling.
LOOKED_AT = 12
TELLING = (("#children", 10), (".voice-line", 1), (".clocks .clock:not(.clock-done):not(.clock-paused)", 2))
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: its file, who looks (''  for a customer), where, and what is done before it is taken."""

    name: str
    login: str
    path: str
    before: Callable[[Page], None] = lambda page: None
    is_phone: bool = False


def _open_telling_order(page: Page) -> None:
    """Opens the order in work that shows most of what an order is: voices, a child and clocks that run."""
    orders = page.evaluate("""[...document.querySelectorAll('a.title[href^="/orders/G"]')].map(link => link.href)""")
    telling: dict[str, int] = {}
    for order in orders[:LOOKED_AT]:
        page.goto(order, wait_until="domcontentloaded")
        telling[order] = sum(weight * page.locator(parts).count() for parts, weight in TELLING)
    page.goto(max(telling, key=lambda order: telling[order]))
    page.wait_for_load_state("networkidle")


def _fail_a_recharge(page: Page) -> None:
    """Walks through the hall until the payment fails and the survey asks."""
    page.fill("#number input", "13800000000")
    page.click("#number .go")
    page.click("#amount .go")
    page.click("#confirm")
    page.locator("#failed").wait_for(state="visible")
    page.wait_for_timeout(4000)  # the widget comes of its own accord


SHOTS = (
    Shot("home", "lin", "/"),
    Shot("voices", "lin", "/voices?label=negative"),
    Shot("order", "zhou", "/orders?state=processing", _open_telling_order),
    Shot("touchpoint", "lin", "/touchpoints/web.recharge"),
    Shot("survey", "", "/demo/hall", _fail_a_recharge),
    Shot("rants", "", "/rants", is_phone=True),
)


def main() -> None:
    """Takes every picture; a page that does not come out as wanted is named and the others go on."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="a server that is running with demo data")
    parser.add_argument("--out", type=Path, default=FOLDER)
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    program = chromium.ensure()
    with _server(chosen.url) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        failed = [shot.name for shot in SHOTS if not _take(browser, url, shot, chosen.out)]
        browser.close()
    if failed:
        sys.exit(f"未能截取 · not taken: {', '.join(failed)}")


def _take(browser: Browser, url: str, shot: Shot, folder: Path) -> bool:
    context = browser.new_context(
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        viewport=PHONE if shot.is_phone else WIDE,
        color_scheme="light",
    )
    page = context.new_page()
    try:
        if shot.login:
            page.goto(f"{url}/login")
            page.fill("#login", shot.login)
            page.fill("#password", PASSWORD)
            page.click("button.btn-primary")
            page.wait_for_load_state("networkidle")
        page.goto(f"{url}{shot.path}")
        page.wait_for_load_state("networkidle")
        shot.before(page)
        page.wait_for_timeout(700)  # pictures are drawn in steps
        file = folder / f"{shot.name}.png"
        page.screenshot(path=file)
    except TimeoutError as error:
        print(f"{shot.name}: {str(error).splitlines()[0]}", file=sys.stderr)
        return False
    finally:
        context.close()
    size = file.stat().st_size
    print(f"{file}  {size / 1024:.0f} KB{'  > 300 KB' if size > _MOST_BYTES else ''}")
    return True


@contextmanager
def _server(url: str | None) -> Iterator[str]:
    """The server to look at: the one given, or one of our own on a fresh embedded database with demo data."""
    if url:
        yield url.rstrip("/")
        return
    with tempfile.TemporaryDirectory(prefix="huisheng-") as home:
        env = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"} | {"HUISHENG_HOME": home}
        subprocess.run([HUISHENG, "demo"], env=env, check=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        program = subprocess.Popen([HUISHENG, "serve", "--port", str(port)], env=env)
        try:
            _wait_for(f"http://127.0.0.1:{port}")
            yield f"http://127.0.0.1:{port}"
        finally:
            program.terminate()
            program.wait(30)


def _wait_for(url: str) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(f"{url}/readyz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise RuntimeError("the server did not answer within a minute")


if __name__ == "__main__":
    main()
