"""Act as Polka, the sender: deliveries, their credentials and signatures."""

import hmac
import json
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

COURSE_KEY = "f271c81ff7084ee5b99a5091b42d486e"  # the one that the course hands out


@dataclass(frozen=True)
class Delivery:
    """A body to deliver. Each delivery of one event has the same id."""

    body: bytes
    id: str  # sent as `webhook-id` if deliveries are signed


def a_delivery(content: Any) -> Delivery:
    """Return a delivery of this content: a Delivery or bytes as they are, the rest as JSON."""
    if isinstance(content, Delivery):
        return content
    event_id = content.get("id") if isinstance(content, dict) else None
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Delivery(body, event_id or f"msg_{token_hex(8)}")


class Polka:
    """The sender's credentials.

    `keys` are tried until the receiver knows one. Deliveries are signed as in Standard Webhooks
    1.0.0 if there are `secrets` (`whsec_…`).
    """

    def __init__(self, *keys: str, secrets: tuple[str, ...] = ()) -> None:
        self.keys, self.secrets, self.key = keys, secrets, ""

    def headers(
        self, delivery: Delivery, *, key: str = "", secret: str = "", seconds: int = 0
    ) -> dict[str, str]:
        """Return the headers of a delivery that is made `seconds` from now."""
        headers = {"Authorization": f"ApiKey {key or self.key or self.keys[0]}"}
        if secrets := [secret] if secret else self.secrets[:1]:
            at = str(int(time.time()) + seconds)
            headers |= {"webhook-id": delivery.id, "webhook-timestamp": at}
            headers["webhook-signature"] = sign(delivery, at, *secrets)
        return headers


def sign(delivery: Delivery, timestamp: str, secret: str) -> str:
    """Return the header `webhook-signature`."""
    key = b64decode(secret.removeprefix("whsec_"))
    content = b".".join((delivery.id.encode(), timestamp.encode(), delivery.body))
    return f"v1,{b64encode(hmac.digest(key, content, 'sha256')).decode()}"
