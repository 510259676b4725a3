"""The judge tells each wrong receiver of webhooks from a careful one."""

import json
from contextlib import nullcontext
from time import sleep
from typing import Any

import pytest

from chirpy.check.suites import RECEIVERS
from tests.support.judge import Mistakes, a_server, always, failed
from tests.support.small_receiver import SmallReceiver

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RED = "is_chirpy_red"


def first_signature(self: Any, request: Any) -> bool:
    first, _, _ = request.headers.get("webhook-signature", "").partition(" ")
    request.headers = {**request.headers, "Webhook-Signature": first}
    return SmallReceiver.is_signed(self, request)


def toggle(self: Any, user: Any, event: Any, *, red: bool) -> None:
    user[RED] = not user[RED]


def remember_first(self: Any, event: Any, kind: str, user_id: str) -> int:
    """Store the id before anything can be refused: the next attempt looks like a duplicate."""
    if (event_id := event.get("id")) in self.events:
        return 204
    if event_id:
        self.events[event_id] = kind, user_id
    return SmallReceiver.receive(self, event | {"id": None}, kind, user_id)


def body_as_key(self: Any, event: Any) -> str:
    return json.dumps(event)


def look_then_insert(self: Any, event: Any, kind: str, user_id: str) -> int:
    """Look first, then insert, without a constraint that decides."""
    is_new = not event.get("id") or event["id"] not in self.events
    sleep(0.02)
    if is_new and event.get("id") in self.events:
        return 500  # the violated constraint, which nobody catches
    return SmallReceiver.receive(self, event, kind, user_id)


def body_before_key(self: Any, request: Any) -> Any:
    try:
        json.loads(request.data)
    except ValueError:
        return 400, {"error": "Not JSON"}
    return SmallReceiver.post_webhook(self, request)


def known_keys_only(self: Any, event: Any) -> tuple[str, str]:
    if event.keys() - {"event", "data", "id", "timestamp"} or event["data"].keys() - {"user_id"}:
        raise ValueError
    return SmallReceiver.read(self, event)


def always_a_user(self: Any, event: Any) -> tuple[str, str]:
    return event["event"], event["data"]["user_id"]


def any_scheme(self: Any, request: Any) -> bool:
    return SmallReceiver.is_sender(self, request) or "Bearer f271" in str(request.headers)


LOST = """repeats.effect_before_answer repeats.same_event repeats.same_id
    repeats.repeat_after_other_event repeats.equal_is_not_the_same order.in_order order.late_upgrade
    order.late_downgrade identity.same_id_other_user refusals.unknown_then_known
    refusals.wrong_key_then_right bodies.unknown_keys bursts.equal_deliveries
    bursts.equal_course_events bursts.newest_event_counts"""
TOGGLED = """repeats.same_event order.late_upgrade order.late_downgrade bursts.equal_course_events
    bursts.newest_event_counts"""
LATE = "order.late_upgrade order.late_downgrade"
UNKNOWN = "refusals.unknown_user refusals.unknown_then_known bodies.upgrade_of_nobody"
KEY = """refusals.missing_key refusals.wrong_key refusals.wrong_key_then_right
    refusals.key_before_body refusals.bearer_is_no_key"""
WRONG_BODIES = "bodies.not_json bodies.not_an_event bodies.upgrade_of_nobody"
SIGNATURES = """signatures.missing_signature signatures.wrong_signature signatures.changed_body
    signatures.old_signature"""
SAME_ID = "identity.same_id_other_user"
MISTAKES: Mistakes = {
    "events are lost": ({"apply": always(None)}, LOST),
    "each delivery toggles": ({"apply": toggle}, TOGGLED),
    "a look-up instead of a constraint": (
        {"receive": look_then_insert, "lock_class": nullcontext},
        "bursts.equal_deliveries bursts.newest_event_counts",
    ),
    "no ids": ({"key": always(None)}, f"repeats.repeat_after_other_event {SAME_ID}"),
    "the body as key": ({"key": body_as_key}, f"repeats.equal_is_not_the_same {SAME_ID}"),
    "no times": ({"is_late": always(False)}, LATE),
    "no 404 for unknown users": ({"unknown_user": 204}, UNKNOWN),
    "the id stored before the refusal": (
        {"receive": remember_first},
        f"refusals.unknown_then_known {SAME_ID}",
    ),
    "204 for a reused id": ({"reused_id": 204}, SAME_ID),
    "no key needed": ({"is_sender": always(True)}, KEY),
    "204 for a wrong key": ({"wrong_key": 204}, KEY),
    "Bearer is fine": ({"is_sender": any_scheme}, "refusals.bearer_is_no_key"),
    "the body before the key": ({"post_webhook": body_before_key}, "refusals.key_before_body"),
    "500 for wrong bodies": ({"wrong_body": 500}, "bodies.wrong_body_is_the_senders_fault"),
    "204 for wrong bodies": ({"wrong_body": 204}, WRONG_BODIES),
    "unknown keys refused": (
        {"read": known_keys_only},
        "bodies.unknown_keys bodies.other_event_of_any_shape",
    ),
    "400 for other events": (
        {"other_event": 400},
        "bodies.other_event bodies.other_event_of_any_shape",
    ),
    "a user in every event": ({"read": always_a_user}, "bodies.other_event_of_any_shape"),
    "only the first signature": (
        {"is_signed": first_signature, "secret": SECRET},
        "signatures.rolled_secret",
    ),
    "signatures not verified": ({"is_signed": always(True), "secret": SECRET}, SIGNATURES),
}


def test_careful_receiver_passes_all_checks_signed_too() -> None:
    assert failed(a_server({}), RECEIVERS) == set()
    assert failed(a_server({"secret": SECRET}), RECEIVERS) == set()


@pytest.mark.parametrize(("rules", "rows"), MISTAKES.values(), ids=MISTAKES)
def test_wrong_receiver_fails_the_rows_it_breaks(rules: dict[str, Any], rows: str) -> None:
    assert failed(a_server(rules), RECEIVERS) == {*rows.split()}
