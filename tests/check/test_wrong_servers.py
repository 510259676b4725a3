"""The judge tells each wrong server from a right one: it fails exactly the rows it breaks."""

from typing import Any

import pytest
from werkzeug import Response

from chirpy.check.suites import COURSE
from tests.support.judge import Mistakes, a_server, always, failed
from tests.support.small_chirpy import TEXT, SmallChirpy

RED = "is_chirpy_red"


def too_many_bytes(self: Any, body: str) -> bool:
    return len(body.encode()) > 140


def too_long_from_140(self: Any, body: str) -> bool:
    return len(body) >= 140


def clean_lower_case(self: Any, body: str) -> str:
    return body.replace("kerfuffle", "****")


def backwards(self: Any, author: str, sort: str) -> Any:
    return SmallChirpy.listed(self, author, sort)[::-1]


def unsorted(self: Any, author: str, sort: str) -> Any:
    return SmallChirpy.listed(self, author, "asc")


def of_all(self: Any, author: str, sort: str) -> Any:
    return SmallChirpy.listed(self, None, sort)


def merged(self: Any, author: str, body: str) -> Any:
    """Take an equal chirp for the same one."""
    same = [c for c in self.chirps.values() if (c["user_id"], c["body"]) == (author, body)]
    return same[0] if same else SmallChirpy.store(self, author, body)


def toggle(self: Any, user: Any, event: Any, *, red: bool) -> None:
    user[RED] = not user[RED]


def keep_users(self: Any) -> None:
    users = getattr(self, "users", {})
    SmallChirpy.reset(self)
    self.users = users


def with_hash(self: Any, user: Any) -> Any:
    return SmallChirpy.shown(self, user) | {"hashed_password": "$argon2id$v=19$m=19456"}


def body_first(self: Any, request: Any) -> Any:
    return SmallChirpy.put_user(self, request) if request.get_json() else (400, {"error": "empty"})


def put_without_color(self: Any, request: Any) -> Any:
    status, user = SmallChirpy.put_user(self, request)
    return status, user | {RED: False}


def chirp_first(self: Any, request: Any, chirp_id: str) -> Any:
    if chirp_id not in self.chirps:
        return 404, {"error": "Not found"}
    return SmallChirpy.delete_chirp(self, request, chirp_id)


def either_token(self: Any, request: Any) -> Any:
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return self.access.get(token) or self.refresh.get(token)


def unverified(self: Any, request: Any) -> Any:
    """Take the last user for every token of the form of a JWT."""
    token = request.headers.get("Authorization", "")
    return self.access.get(token[7:]) or (token.count(".") == 2 and next(reversed(self.users)))


def without(name: str, view: str) -> dict[str, Any]:
    """Return rules where the answers of a view lack a member."""

    def changed(self: Any, request: Any, *path: str) -> Any:
        status, content = getattr(SmallChirpy, view)(self, request, *path)
        return status, {key: value for key, value in content.items() if key != name}

    return {view: changed}


def answers(view: str, wanted: int, instead: int) -> dict[str, Any]:
    """Return rules where a view answers with another status."""

    def changed(self: Any, request: Any, *path: str) -> Any:
        status, content = getattr(SmallChirpy, view)(self, request, *path)
        return instead if status == wanted else status, content

    return {view: changed}


def access_token_refreshes(self: Any, request: Any) -> Any:
    token = request.headers.get("Authorization", "")[7:]
    return (
        (200, {"token": token}) if token in self.access else SmallChirpy.post_refresh(self, request)
    )


def useless_refresh(self: Any, request: Any) -> Any:
    status, content = SmallChirpy.post_refresh(self, request)
    return status, content | {"token": "a.b.c"}


def unchanged(self: Any, request: Any) -> Any:
    if not (user_id := self.user_of(request)):
        return 401, {"error": "Unauthorized"}
    return 200, self.shown(self.users[user_id] | request.get_json())


def below_app(self: Any, path: str) -> bool:
    return path.startswith("/app")


STAYS = "chirps.delete chirps.delete_of_another chirps.delete_without_token chirps.delete_unknown"
ALL_LISTS = (
    "chirps.oldest_first chirps.by_author chirps.newest_first chirps.sort_ascending"
    " chirps.newest_of_author"
)
MISTAKES: Mistakes = {
    "another type of health": (
        {"get_health": always((200, "OK"))},
        "admin.health_is_plain_text",
    ),
    "no website": (
        {"get_page": always(Response(status=404))},
        "website.welcome_page website.logo",
    ),
    "another answer of health": (
        {"get_health": always(Response("fine", content_type=TEXT))},
        "admin.health",
    ),
    "all methods of health": ({"post_health": always(Response("OK"))}, "admin.wrong_method"),
    "metrics as text": (
        {"get_metrics": always(Response("visited 0 times"))},
        "admin.metrics_page admin.visits",
    ),
    "the redirect is a visit": ({"is_visit": below_app}, "admin.redirect_is_no_visit"),
    "all requests are visits": (
        {"is_visit": always(True)},
        "admin.visits admin.redirect_is_no_visit admin.reset_deletes_visits",
    ),
    "a reset keeps the users": ({"reset": keep_users}, "admin.reset_deletes_users"),
    "null for no chirps": ({"nothing_found": None}, "admin.reset_deletes_chirps"),
    "a validation that cleans nothing": (
        {"post_validation": always((200, {"cleaned_body": "sharbert"}))},
        "validation.validate validation.validate_too_long",
    ),
    "a user without times": (without("created_at", "post_user"), "users.sign_up"),
    "a login without the email": (without("email", "log_in"), "users.log_in"),
    "a user without the color": (without(RED, "post_user"), "webhooks.not_red_at_first"),
    "403 without a token": (
        answers("put_user", 401, 403),
        "users.change_without_token users.token_before_body users.change_with_wrong_token",
    ),
    "password not changed": ({"put_user": unchanged}, "users.change_user"),
    "400 for a chirp without a token": (
        answers("post_chirp", 401, 400),
        "tokens.chirp_without_token tokens.tampered_token tokens.refresh_token_as_access_token",
    ),
    "400 for a wrong refresh token": (
        answers("post_refresh", 401, 400),
        "tokens.access_token_as_refresh_token tokens.refresh_without_token tokens.revoked_token",
    ),
    "access token accepted as refresh token": (
        {"post_refresh": access_token_refreshes},
        "tokens.access_token_as_refresh_token",
    ),
    "200 for revoke": (answers("post_revoke", 204, 200), "tokens.revoke"),
    "a refreshed token that is not valid": (
        {"post_refresh": useless_refresh},
        "tokens.refresh",
    ),
    "password hash in answers": ({"shown": with_hash}, "users.no_password_in_answers"),
    "404 for an unknown email": (
        {"unknown_email": (404, "No such user")},
        "users.unknown_email users.same_refusal",
    ),
    "another text for an unknown email": (
        {"unknown_email": (401, "No such user")},
        "users.same_refusal",
    ),
    "403 for a wrong password": (
        {"wrong_login": (403, "Incorrect email or password")},
        "users.wrong_password",
    ),
    "the body before the token": ({"put_user": body_first}, "users.token_before_body"),
    "refresh token accepted as access token": (
        {"user_of": either_token},
        "tokens.refresh_token_as_access_token",
    ),
    "signature of tokens not verified": ({"user_of": unverified}, "tokens.tampered_token"),
    "revoke does nothing": (
        {"post_revoke": always((204, None))},
        "tokens.revoked_token",
    ),
    "length counted in bytes": (
        {"is_too_long": too_many_bytes},
        "chirps.length_in_characters",
    ),
    "139 characters at most": (
        {"is_too_long": too_long_from_140},
        "chirps.longest chirps.length_in_characters",
    ),
    "no limit of length": ({"is_too_long": always(False)}, "chirps.too_long"),
    "only lower case words cleaned": (
        {"clean": clean_lower_case},
        "chirps.clean",
    ),
    "a chirp without its author": (without("user_id", "post_chirp"), "chirps.post"),
    "a chirp without its body": (without("body", "get_chirp"), "chirps.get_one"),
    "500 for an unknown chirp": (
        answers("get_chirp", 404, 500),
        "chirps.unknown_chirp chirps.delete",
    ),
    "a chirp stays": ({"delete_chirp": always((204, None))}, STAYS),
    "500 for deleting an unknown chirp": (
        answers("delete_chirp", 404, 500),
        "chirps.delete_unknown",
    ),
    "duplicates of chirps merged": ({"store": merged}, "chirps.post_twice"),
    "newest first": (
        {"listed": backwards},
        ALL_LISTS,
    ),
    "sort is ignored": (
        {"listed": unsorted},
        "chirps.newest_first chirps.newest_of_author",
    ),
    "author_id is ignored": (
        {"listed": of_all},
        "chirps.by_author",
    ),
    "anybody may delete": (
        {"may_delete": always(True)},
        "chirps.delete_of_another",
    ),
    "the chirp before the token": ({"delete_chirp": chirp_first}, "chirps.delete_without_token"),
    "no 404 for unknown users": ({"unknown_user": 204}, "webhooks.unknown_user"),
    "204 for a wrong key": ({"wrong_key": 204}, "webhooks.missing_key webhooks.wrong_key"),
    "no key needed": (
        {"is_sender": always(True)},
        "webhooks.missing_key webhooks.wrong_key",
    ),
    "400 for other events": ({"other_event": 400}, "webhooks.other_event"),
    "upgrade toggles on repeat": ({"apply": toggle}, "webhooks.upgrade_twice"),
    "events are lost": (
        {"apply": always(None)},
        "webhooks.upgrade webhooks.upgrade_twice webhooks.stays_red",
    ),
    "a change of the user ends the membership": (
        {"put_user": put_without_color},
        "webhooks.stays_red",
    ),
}


def test_right_server_passes_all_checks() -> None:
    assert failed(SmallChirpy(), COURSE) == set()


@pytest.mark.parametrize(("rules", "rows"), MISTAKES.values(), ids=MISTAKES)
def test_wrong_server_fails_the_rows_it_breaks(rules: dict[str, Any], rows: str) -> None:
    assert failed(a_server(rules), COURSE) == {*rows.split()}
