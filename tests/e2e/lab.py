"""A bare page for tests of the engine: the site's own policy and parity.js, served among the page's modules."""

import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, Route

SCRIPT = Path(__file__).with_name("parity.js")


class Lab:
    """Calls functions of parity.js in a page."""

    def __init__(self, page: Page, server: str, app: str, site: Path):
        policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>', (site / "index.html").read_text())
        self.page = page
        self.module = f"./{app}/parity.js"
        self.app = f"{server}{app}/"
        body = f"<!doctype html><title>parity</title>{policy[0]}"
        page.route("**/lab.html", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.route("**/parity.js", lambda route: route.fulfill(path=SCRIPT, content_type="text/javascript"))
        page.goto(f"{server}lab.html")

    def call(self, name: str, *arguments):
        """What a function of parity.js gives."""
        script = "async ([module, name, given]) => (await import(module))[name](...given)"
        return self.page.evaluate(script, [self.module, name, list(arguments)])

    def hand_out(self, pattern: str, bodies: list[bytes], kind: str = "application/octet-stream") -> list[str]:
        """URLs that give these bodies."""

        def answer(route: Route) -> None:
            number = int(parse_qs(urlsplit(route.request.url).query)["n"][0])
            route.fulfill(body=bodies[number], content_type=kind)

        self.page.route(f"**/{pattern}?n=*", answer)
        return [f"{pattern}?n={number}" for number in range(len(bodies))]
