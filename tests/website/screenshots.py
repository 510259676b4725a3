"""Take the screenshot of the README: `python -m tests.website.screenshots URL FILE`.

The server at URL must run in development. Its data is deleted first.
"""

import json
from importlib import import_module
from typing import Any
from urllib.request import Request, urlopen

import click

from tests.website.chromium import ARGUMENTS, CHROMIUM

PASSWORD = "04234"
CHIRPS = {
    "ada@example.com": ["I had something interesting for breakfast.", "Gale! What a kerfuffle."],
    "walt@example.com": ["Say my name, but only once per event id, please."],
    "me@example.com": ["Hello, wire!"],
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


def use_lab(page: Any) -> None:
    """Log in, and let the lab deliver one event five times concurrently."""
    page.goto("/app/")
    page.get_by_label("Email").fill("me@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("button", name="Log out").wait_for()
    for name in ("A downgrade", "Five times concurrently"):
        page.get_by_role("button", name=name).click()
        page.locator("#exhibit[aria-busy=false]").wait_for()
        page.locator("#exhibit-title", has_text=name).wait_for()
    page.mouse.move(0, 0)
    page.wait_for_timeout(700)  # the colour of a bird changes slowly


@click.command()
@click.argument("url")
@click.argument("file")
@click.option("--width", default=1280, help="CSS pixels")
@click.option("--dark", is_flag=True)
@click.option("--whole", is_flag=True, help="the whole page, not only its top")
def main(url: str, file: str, width: int, dark: bool, whole: bool) -> None:
    """Take a screenshot of the page after the lab was used."""
    fill(url)
    playwright_api: Any = import_module("playwright.sync_api")  # in no other requirements
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        size = {"width": width, "height": 960}
        scheme = "dark" if dark else "light"
        page = browser.new_page(base_url=url, viewport=size, color_scheme=scheme)
        use_lab(page)
        page.screenshot(path=file, full_page=whole)
        browser.close()


if __name__ == "__main__":
    main()
