"""Signatures as in Standard Webhooks 1.0.0, with the secrets of `--secret`."""

from base64 import b64encode

from chirpy.check.delivering import deliver, deliver_with, event, is_red
from chirpy.check.outcomes import NotApplicable
from chirpy.check.people import User
from chirpy.check.polka import Delivery, a_delivery
from chirpy.check.registry import Chapter
from chirpy.check.server import Server

SIGNATURES = Chapter("Signatures", "signatures")
WRONG_SECRET = f"whsec_{b64encode(b'a secret that nobody has').decode()}"


@SIGNATURES.check("Valid")
def signed(server: Server) -> None:
    """A signed delivery has its effect"""
    user, delivery = signed_upgrade(server)
    deliver(server, delivery).is_success()
    is_red(server, user)


@SIGNATURES.check("Valid")
def rolled_secret(server: Server) -> None:
    """Each secret is accepted, and one right signature of several is enough

    While a secret is replaced, the sender signs with the old and the new one. The receiver knows
    one of them, or both.
    """
    for secret in server.polka.secrets or ("",):
        user, delivery = signed_upgrade(server)
        headers = server.polka.headers(delivery, secret=secret)
        wrong = server.polka.headers(delivery, secret=WRONG_SECRET)["webhook-signature"]
        headers["webhook-signature"] = f"{wrong} {headers['webhook-signature']}"
        deliver_with(server, delivery, headers).is_success()
        is_red(server, user)


@SIGNATURES.check("Wrong")
def missing_signature(server: Server) -> None:
    """A delivery without a signature is a 401 and has no effect"""
    user, delivery = signed_upgrade(server)
    key = {"Authorization": server.polka.headers(delivery)["Authorization"]}
    deliver_with(server, delivery, key).has_status(401)
    is_red(server, user, False)


@SIGNATURES.check("Wrong")
def wrong_signature(server: Server) -> None:
    """A signature with another secret is a 401 and has no effect"""
    user, delivery = signed_upgrade(server)
    deliver(server, delivery, secret=WRONG_SECRET).has_status(401)
    is_red(server, user, False)


@SIGNATURES.check("Wrong")
def changed_body(server: Server) -> None:
    """A signature of another body is a 401 and has no effect

    A careful receiver verifies the raw bytes, before it parses them.
    """
    _, seen = signed_upgrade(server)
    user, delivery = signed_upgrade(server)
    forged = Delivery(delivery.body, seen.id)
    deliver_with(server, forged, server.polka.headers(seen)).has_status(401)
    is_red(server, user, False)


@SIGNATURES.check("Old")
def old_signature(server: Server) -> None:
    """A signature that is ten minutes old, or ahead, is a 401

    Otherwise a client that has seen a delivery could send it again at any time.
    """
    user, delivery = signed_upgrade(server)
    for seconds in (-600, 600):
        deliver(server, delivery, seconds=seconds).has_status(401)
    is_red(server, user, False)


def signed_upgrade(server: Server) -> tuple[User, Delivery]:
    """Return a new user and a delivery about them, unless no secret is known."""
    if not server.polka.secrets:
        raise NotApplicable("no --secret is given")
    user = server.sign_up()
    return user, a_delivery(event(server, user.id))
