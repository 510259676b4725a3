"""The pages in a browser. CHIRPY_BROWSER=required fails where Chromium or Playwright is missing."""

import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.support.server import Server

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or ""
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDTHS = [320, 768, 1280]  # CSS pixels: a small phone, a tablet, a desktop

MISSING = "needs Chromium and `pip install -r requirements-browser.txt`"
PLAYWRIGHT = "playwright.sync_api"
REQUIRED = os.environ.get("CHIRPY_BROWSER") == "required"
if not REQUIRED and not CHROMIUM:
    pytest.skip(MISSING, allow_module_level=True)
playwright_api: Any = (
    import_module(PLAYWRIGHT) if REQUIRED else pytest.importorskip(PLAYWRIGHT, reason=MISSING)
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """A tab. The test fails if the page logs a message or a request fails."""
    problems: list[str] = []
    page = browser.new_page(base_url=server.url)
    page.on("console", lambda message: problems.append(message.text))
    page.on("requestfailed", lambda request: problems.append(request.url))
    yield page
    page.close()
    assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_front_page_fits_every_width(page: Any, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})

        page.goto("/app/")

        assert "Welcome to Chirpy" in page.inner_text("h1")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_opening_front_page_is_one_visit(page: Any) -> None:
    page.goto("/app/")
    page.goto("/app/")

    page.goto("/admin/metrics")

    assert page.inner_text("h1") == "Welcome, Chirpy Admin"
    assert page.inner_text("p") == "Chirpy has been visited 2 times!"
