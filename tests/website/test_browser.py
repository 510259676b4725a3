"""The page in a browser. CHIRPY_BROWSER=required fails where Chromium or Playwright is missing."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.support.databases import Sql
from tests.support.factories import PASSWORD, an_email, bearer
from tests.support.server import Server
from tests.website.chromium import ARGUMENTS, CHROMIUM

MISSING = "needs Chromium and `pip install -r requirements-browser.txt`"
PLAYWRIGHT, AXE = "playwright.sync_api", "axe_playwright_python.sync_playwright"
REQUIRED = os.environ.get("CHIRPY_BROWSER") == "required"
if not REQUIRED and not CHROMIUM:
    pytest.skip(MISSING, allow_module_level=True)
playwright_api, axe_api = (
    import_module(name) if REQUIRED else pytest.importorskip(name, reason=MISSING)
    for name in (PLAYWRIGHT, AXE)
)
NARROW, WIDE = 390, 1280  # CSS pixels
REFUSAL = re.compile(r"Failed to load resource: .* status of [45]\d\d")  # Chromium logs each
at_every_width = pytest.mark.parametrize("width", [NARROW, WIDE])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    """A tab. The test fails if the page logs a message, or asks another host.

    A test that provokes refusals names the paths of their requests in `refused`.
    """
    problems: list[str] = []
    page = browser.new_page(base_url=server.url)
    page.refused = ()
    page.set_default_timeout(10_000)

    def keep_message(message: Any) -> None:
        path = message.location["url"].removeprefix(server.url)
        if not (REFUSAL.match(message.text) and path in page.refused):
            problems.append(f"{message.text} {path}")

    def keep_foreign(request: Any) -> None:
        if not request.url.removeprefix("blob:").startswith(f"{server.url}/"):
            problems.append(request.url)

    page.on("console", keep_message)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", keep_foreign)
    yield page
    page.close()
    assert problems == []


def open_page(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/app/")


def sign_up(page: Any) -> str:
    """Fill the form of the page, and return the email."""
    email = an_email()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.get_by_text(email).first.wait_for()
    return email


def chirp(page: Any, body: str) -> None:
    page.get_by_label("What is happening?").fill(body)
    page.get_by_role("button", name="Chirp", exact=True).click()


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.locator(selector, has_text=text).first.wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(NARROW, "dark"), (WIDE, "light")])
def test_page_fits_every_width_and_is_accessible(page: Any, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_page(page, width)
    assert "Welcome to Chirpy" in page.inner_text("h1")
    assert page.inner_text("#origin") == page.evaluate("location.origin")
    assert_fits(page)
    assert_accessible(page)

    sign_up(page)
    chirp(page, "A" * 140)
    run_step(page, "Five times concurrently")

    assert_fits(page)
    page.set_viewport_size({"width": width, "height": 900})
    assert_accessible(page)


def assert_fits(page: Any) -> None:
    for width in (320, NARROW, 800, WIDE, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def assert_accessible(page: Any) -> None:
    violations = axe_api.Axe().run(page).response["violations"]
    assert [each for each in violations if each["impact"] in {"serious", "critical"}] == []


@at_every_width
def test_sign_up_chirp_delete_and_log_out(page: Any, width: int) -> None:
    open_page(page, width)
    email = sign_up(page)

    chirp(page, "What a <b>kerfuffle</b> kerfuffle")
    wait_for_text(page, ".chirp", "What a <b>kerfuffle</b> ****")
    page.reload()
    page.get_by_role("button", name="Delete “What a <b>kerfuffle</b> ****”").click()
    page.get_by_text("No bird has chirped yet").wait_for()

    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    wait_for_text(page, "#me", email)


def test_page_can_be_used_with_the_keyboard_alone(page: Any, sql: Sql) -> None:
    open_page(page, WIDE)

    tab_to(page, "email")
    page.keyboard.type(an_email())
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    tab_to(page, "Sign up")
    page.keyboard.press("Enter")
    page.locator("textarea:focus").wait_for()
    page.keyboard.type("No mouse")
    page.keyboard.press("Control+Enter")
    wait_for_text(page, ".chirp", "No mouse")
    tab_to(page, "Deliver one event five times")
    page.keyboard.press("Space")
    wait_for_text(page, "#tally", "5 deliveries")
    wait_for_text(page, ":focus", "An upgrade, five times")
    tab_to(page, "Delete", backwards=True)
    page.keyboard.press("Enter")
    page.get_by_text("No bird has chirped yet").wait_for()


def tab_to(page: Any, name: str, *, backwards: bool = False) -> None:
    """Press Tab until the element with this id or text has the focus."""
    focused = "[document.activeElement.id, document.activeElement.textContent.trim()]"
    for _ in range(40):
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
        if name in page.evaluate(focused):
            return
    pytest.fail(f"Tab does not reach {name}")


def test_failures_are_shown_at_their_field_with_their_hint(page: Any) -> None:
    open_page(page, WIDE)
    page.refused = ("/api/users",)
    page.get_by_label("Email").fill("walt")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    wait_for_text(page, "#email-problem", "Email must look like name@example.com")
    assert page.evaluate("document.activeElement.id") == "email"

    page.refused = ("/api/login",)
    page.get_by_label("Email").fill(an_email())
    page.get_by_role("button", name="Log in").click()
    page.locator("#account [role=alert] .hint").wait_for()
    assert page.inner_text("#email-problem") == ""

    sign_up(page)
    page.refused = ("/api/chirps",)
    chirp(page, "x" * 141)
    wait_for_text(page, "#composer [role=alert]", "Use at most 140 characters")
    assert page.inner_text("#count") == "1 too many"


def test_chirps_of_others_and_red_authors_are_shown_within_2_seconds(
    page: Any, server: Server
) -> None:
    credentials = {"email": an_email(), "password": PASSWORD}
    server.request("POST", "/api/users", credentials)
    author = server.request("POST", "/api/login", credentials).json
    open_page(page, WIDE)
    page.get_by_text("No bird has chirped yet").wait_for()

    began = time.monotonic()
    server.request("POST", "/api/chirps", {"body": "News"}, bearer(author["token"]))
    wait_for_text(page, ".chirp", "News")
    assert time.monotonic() - began < 4  # 2 on an idle machine

    page.get_by_label("Events are about").select_option(author["id"])
    run_step(page, "An upgrade, once")
    wait_for_text(page, ".chirp", "Chirpy Red")


def test_expired_access_token_is_replaced_and_an_ended_session_is_said(page: Any, sql: Sql) -> None:
    page.refused = ("/api/chirps",)
    open_page(page, WIDE)
    sign_up(page)
    spoil = "session => ({...session, token: session.token + 'x'})"
    for body in ("First", "Second"):
        page.evaluate(f"""sessionStorage['chirpy.session'] =
            JSON.stringify(({spoil})(JSON.parse(sessionStorage['chirpy.session'])))""")
        page.reload()
        if body == "Second":
            sql("DELETE FROM refresh_tokens")
            page.refused = ("/api/chirps", "/api/refresh")
        chirp(page, body)
        if body == "First":
            wait_for_text(page, ".chirp", body)

    wait_for_text(page, "#account [role=alert]", "Log in again")


def test_feed_says_that_it_failed_and_recovers(page: Any) -> None:
    open_page(page, WIDE)
    page.refused = ("/api/chirps?sort=desc&limit=30",)
    answer = {
        "status": 503,
        "headers": {"Retry-After": "1"},
        "json": {"error": "Busy", "hint": "Wait"},
    }
    page.route("**/api/chirps?*", lambda route: route.fulfill(**answer))
    wait_for_text(page, "#feed-problem", "Wait")

    page.unroute("**/api/chirps?*")

    page.locator("#feed-problem:empty").wait_for(state="attached")


def test_hidden_page_sends_no_request(page: Any) -> None:
    open_page(page, WIDE)
    page.get_by_text("No bird has chirped yet").wait_for()
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.wait_for_timeout(1800)  # the turn that was planned before
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    page.wait_for_timeout(2000)

    assert requests == []


# The webhook lab: a button, the tally, the outcomes in order, and what the log then shows first.
FIRST_OF_FIVE = "applied" + " duplicate" * 4
STEPS = {
    "An upgrade, once": ("1 delivery, 1 row, 1 effect", "applied", "user.upgraded 1 applied", True),
    "An upgrade, five times": (
        "5 deliveries, 1 row, 1 effect",
        FIRST_OF_FIVE,
        "user.upgraded 5 applied",
        True,
    ),
    "Five times concurrently": (
        "5 deliveries, 1 row, 1 effect",
        FIRST_OF_FIVE,
        "user.upgraded 5 applied",
        True,
    ),
    "A downgrade": ("1 delivery, 1 row, 1 effect", "applied", "user.downgraded 1 applied", False),
    "An older upgrade, late": (
        "2 deliveries, 2 rows, 1 effect",
        "applied stale",
        "user.upgraded 1 stale",
        False,
    ),
    "A wrong key": ("1 delivery, 0 rows, 0 effects", "refused", "No event yet", False),
    "A broken body": ("1 delivery, 0 rows, 0 effects", "refused", "No event yet", False),
    "One id, two meanings": (
        "2 deliveries, 1 row, 1 effect",
        "applied refused",
        "user.upgraded 1 applied",
        True,
    ),
    "Five equal chirps": (
        "5 requests, 5 chirps",
        "created" + " created" * 4,
        "No event yet",
        False,
    ),
    "Five, with an Idempotency-Key": (
        "5 requests, 1 chirp",
        "created" + " replayed" * 4,
        "No event yet",
        False,
    ),
}


def run_step(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()
    wait_for_text(page, "#exhibit[aria-busy=false] #exhibit-title", name)


@at_every_width
def test_each_button_of_the_lab_shows_what_was_sent_and_what_it_left(page: Any, width: int) -> None:
    page.refused = ("/api/polka/webhooks",)
    open_page(page, width)
    for name, (tally, outcomes, row, red) in STEPS.items():
        page.get_by_role("button", name="New test user").click()
        wait_for_text(page, "#log", "No event yet")

        run_step(page, name)

        shown = [" ".join(item.split()) for item in page.locator("#tally li").all_inner_texts()]
        assert ", ".join(shown) == tally
        stamps = page.locator(".answer .stamp").all_inner_texts()
        concurrent = "concurrently" in name
        assert (sorted(stamps) if concurrent else stamps) == outcomes.split()
        assert row in " ".join(page.locator("#log tr").first.inner_text().split())
        colour = "is Chirpy Red" if red else "is not red"
        wait_for_text(page, "#colour", colour)
        assert "curl -i http://" in page.inner_text(".request pre")
        assert page.inner_text("#why")


def test_curl_line_of_the_lab_sends_the_same_delivery(page: Any) -> None:
    open_page(page, WIDE)
    run_step(page, "Five times concurrently")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    page.get_by_text("Copy: done").wait_for()
    line = page.evaluate("navigator.clipboard.readText()")

    sent = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout

    assert sent.lower().count("webhook-outcome: duplicate") == 5
    wait_for_text(page, "#log td.number", "10")


@pytest.mark.parametrize("name", ["show_memberships", "send_file"])
def test_reference_tries_lists_of_ids_and_shows_images(page: Any, name: str) -> None:
    page.goto("/docs")
    execute(open_operation(page, name), 200)
    if name == "send_file":
        image = page.locator(".live-responses-table img").element_handle()
        page.wait_for_function("image => image.naturalWidth > 0", arg=image)


def test_reference_can_be_used_with_the_keyboard_alone(page: Any) -> None:
    page.goto("/docs")
    page.locator("[id$=-validate_chirp] .opblock-summary-control").press("Enter")
    page.get_by_role("button", name="Try it out").wait_for()

    for name in ("Try it out", "Execute"):
        tab_to(page, name)
        page.keyboard.press("Enter")

    wait_for_text(page, ".live-responses-table", "What a **** today")


def open_operation(page: Any, name: str) -> Any:
    """Open a route of the API reference with Enter, and press its button "Try it out"."""
    operation = page.locator(f"[id$=-{name}]")
    operation.locator(".opblock-summary-control").press("Enter")
    operation.get_by_role("button", name="Try it out").press("Enter")
    return operation


def execute(operation: Any, status: int) -> str:
    """Send the request, and return the text of the answer."""
    operation.get_by_role("button", name="Execute").press("Enter")
    answer = operation.locator(".live-responses-table .response")
    answer.locator(".response-col_status", has_text=str(status)).wait_for()
    return str(answer.inner_text())


@pytest.mark.parametrize(("width", "scheme"), [(NARROW, "dark"), (WIDE, "light")])
def test_reference_tries_routes_as_the_user_of_the_page(page: Any, width: int, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    open_page(page, width)
    email = sign_up(page)
    page.get_by_role("link", name="/docs").first.click()
    wait_for_text(page, "#session", email)

    chirp = open_operation(page, "post_chirp")

    assert '"body":' in execute(chirp, 201)
    assert_fits(page)
    page.set_viewport_size({"width": width, "height": 900})
    assert_accessible(page)
    page.get_by_role("button", name="Authorize").click()
    page.get_by_role("button", name="Close").first.wait_for()
    assert_accessible(page)


@at_every_width
def test_reference_tries_the_webhook_and_keeps_the_tokens_of_a_login(
    page: Any, server: Server, width: int
) -> None:
    credentials = {"email": "walt@example.com", "password": "04234"}  # those of the examples
    server.request("POST", "/api/users", credentials)
    page.refused = ("/api/polka/webhooks",)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/docs")

    webhook = open_operation(page, "receive_event")
    assert "There is no user with this id" in execute(webhook, 404)  # not 401: it has Polka's key
    webhook.get_by_label("Example").first.select_option("ignored")
    assert "webhook-outcome: ignored" in execute(webhook, 204)

    execute(open_operation(page, "log_in"), 200)
    wait_for_text(page, "#session", credentials["email"])
    assert '"token"' in execute(open_operation(page, "refresh"), 200)


def test_opening_page_is_one_visit(page: Any) -> None:
    page.goto("/app/")
    page.goto("/app/")

    page.goto("/admin/metrics")

    assert page.inner_text("h1") == "Welcome, Chirpy Admin"
    assert page.inner_text("p") == "Chirpy has been visited 2 times!"
