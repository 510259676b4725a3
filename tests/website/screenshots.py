"""Take the screenshots of the README: `python -m tests.website.screenshots URL docs`.

The server at URL must run in development. Its data is deleted first.
"""

import json
from collections.abc import Callable
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import click

from tests.website.chromium import ARGUMENTS, CHROMIUM

PASSWORD = "04234"
CHIRPS = {
    "ada@example.com": [
        "The early bird gets the event.",
        "No kerfuffle today: my webhook is idempotent.",
    ],
    "walt@example.com": ["One upgrade arrived five times. Postgres kept one."],
    "me@example.com": ["Good morning! What did I miss?"],
}


def send(url: str, path: str, body: object, token: str = "") -> dict[str, Any]:
    """Send a POST and return the JSON of the answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = Request(url + path, json.dumps(body).encode(), headers, method="POST")
    with urlopen(request) as response:
        return json.loads(response.read() or b"{}") if path != "/admin/reset" else {}


def fill(url: str) -> None:
    """Delete all data, and make users and chirps."""
    send(url, "/admin/reset", {})
    for email, chirps in CHIRPS.items():
        credentials = {"email": email, "password": PASSWORD}
        send(url, "/api/users", credentials)
        token = send(url, "/api/login", credentials)["token"]
        for body in chirps:
            send(url, "/api/chirps", {"body": body}, token)


def log_in(page: Any) -> None:
    """Open the page as the last of the users."""
    page.goto("/app/")
    page.get_by_label("Email").fill("me@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    page.evaluate("document.activeElement.blur()")
    page.mouse.move(0, 0)


def use_lab(page: Any) -> None:
    """Let the lab deliver a downgrade, then one upgrade five times concurrently."""
    for name in ("A downgrade", "Five times concurrently"):
        page.get_by_role("button", name=name).click()
        page.locator("#exhibit[aria-busy=false]").wait_for()
        page.locator("#exhibit-title", has_text=name).wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)  # the colour of a bird changes slowly


def take_for_readme(open_page: Callable[..., Any], folder: Path) -> None:
    """Take `page.png`, the first screen of a user, and `lab.png`, the lab after its use."""
    page = open_page(1280)
    log_in(page)
    page.wait_for_timeout(700)
    page.screenshot(path=folder / "page.png")
    page.set_viewport_size({"width": 1440, "height": 900})  # with the answers beside the request
    use_lab(page)
    box = page.locator("#lab").bounding_box()
    margin = 24  # CSS pixels
    clip = {side: box[side] - margin for side in "xy"}
    clip |= {side: box[side] + 2 * margin for side in ("width", "height")}
    page.screenshot(path=folder / "lab.png", clip=clip, full_page=True)


def take_every(open_page: Callable[..., Any], folder: Path) -> None:
    """Take the whole page in each width and scheme, before a login and after the lab's use."""
    for width, scheme in product((390, 768, 1280, 1600), ("light", "dark")):
        page = open_page(width, scheme)
        page.goto("/app/")
        page.locator(".chirp").first.wait_for()
        page.screenshot(path=folder / f"new-{width}-{scheme}.png", full_page=True)
        log_in(page)
        use_lab(page)
        page.screenshot(path=folder / f"used-{width}-{scheme}.png", full_page=True)
        page.context.close()


@click.command()
@click.argument("url")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--every", is_flag=True, help="each width, light and dark, to look at")
def main(url: str, folder: Path, every: bool) -> None:
    """Take the screenshots of the README, or those of every width."""
    fill(url)
    folder.mkdir(exist_ok=True)
    playwright_api: Any = import_module("playwright.sync_api")  # in no other requirements
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)

        def open_page(width: int, scheme: str = "light") -> Any:
            size = {"width": width, "height": 900}
            return browser.new_page(base_url=url, viewport=size, color_scheme=scheme)

        (take_every if every else take_for_readme)(open_page, folder)
        browser.close()


if __name__ == "__main__":
    main()
