"""The webhooks of a small Chirpy in memory: events with and without id and time, signed or not."""

import json
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug import Request

from tests.support.databases import POLKA_KEY

Json = dict[str, Any]
KINDS = {"user.upgraded": True, "user.downgraded": False}


class SmallReceiver:
    """A careful receiver. Each attribute or method is a rule, and a subclass breaks one."""

    users: dict[str, Json]
    wrong_key, unknown_user, reused_id, other_event, wrong_body = 401, 404, 409, 204, 400
    secret = ""

    def forget_events(self) -> None:
        self.events, self.times = dict[str, Any](), dict[str, str]()

    def is_sender(self, request: Request) -> bool:
        return request.headers.get("Authorization") == f"ApiKey {POLKA_KEY}"

    def is_signed(self, request: Request) -> bool:
        try:
            Webhook(self.secret).verify(request.data, dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return False
        return True

    def post_webhook(self, request: Request) -> Any:
        if not self.is_sender(request) or (self.secret and not self.is_signed(request)):
            return self.wrong_key, {"error": "Unauthorized"}
        try:
            event = json.loads(request.data)
            kind, user_id = self.read(event)
        except (ValueError, KeyError, TypeError, AttributeError):
            return self.wrong_body, {"error": "Not an event"}
        return self.receive(event, kind, user_id), None

    def read(self, event: Json) -> tuple[str, str]:
        kind = event["event"]
        return kind, event["data"]["user_id"] if kind in KINDS else ""

    def receive(self, event: Json, kind: str, user_id: str) -> int:
        if kind not in KINDS:
            return self.other_event
        if str(user_id) not in self.users:
            return self.unknown_user
        if (key := self.key(event)) in self.events:
            return 204 if self.events[key] == (kind, user_id) else self.reused_id
        if key:
            self.events[key] = kind, user_id
        self.apply(self.users[user_id], event, red=KINDS[kind])
        return 204

    def key(self, event: Json) -> str | None:
        return event.get("id")

    def is_late(self, event: Json, user_id: str) -> bool:
        return str(event.get("timestamp", "9")) < self.times.get(user_id, "")

    def apply(self, user: Json, event: Json, *, red: bool) -> None:
        if not self.is_late(event, user["id"]):
            user["is_chirpy_red"] = red
            self.times[user["id"]] = event.get("timestamp", "")
