"""Describe the routes of webhooks for the API reference."""

from chirpy.accounts.reference import USER
from chirpy.web.paging import NEXT_PAGE
from chirpy.web.reference.credentials import POLKA
from chirpy.web.reference.operations import Answer, Operation, Operations, refusal_of
from chirpy.web.reference.refusals import OF_DEVELOPMENT
from chirpy.webhooks import delivery_log_routes, errors, lab_routes, routes
from chirpy.webhooks.credentials import KEY_HINT, SIGNATURE_HINT
from chirpy.webhooks.delivery_log_schemas import LoggedEventSchema, log_query_schema
from chirpy.webhooks.models import OUTCOMES
from chirpy.webhooks.schemas import EVENT_ID_HEADER, event_schema, read_event

USER_ID = USER["id"]
TIME = "2026-01-31T12:00:00Z"
UPGRADE = {"event": "user.upgraded", "data": {"user_id": USER_ID}}
DATED = UPGRADE | {"id": "evt_1", "timestamp": TIME}
DOWNGRADE = DATED | {"id": "evt_2", "event": "user.downgraded"}
EVENTS = {
    "upgraded": DATED,
    "upgraded, without id and time": UPGRADE,
    "downgraded": DOWNGRADE,
    "ignored": {"id": "evt_3", "event": "invoice.paid", "data": {"amount": 900}},
}
SIGNED_HEADERS = [
    {
        "in": "header",
        "name": "webhook-id",
        "description": "The id of the event, if the body has none. Needed with a signature",
        "schema": {"type": "string", "pattern": f"^{EVENT_ID_HEADER.pattern}$"},
    },
    {
        "in": "header",
        "name": "webhook-timestamp",
        "description": "When the delivery was signed, in seconds since 1970; only for a signature",
        "schema": {"type": "string"},
    },
]
OUTCOME = {
    "description": "What the delivery did",
    "schema": {"type": "string", "enum": [*OUTCOMES, "duplicate"]},
    "examples": {outcome: {"value": outcome} for outcome in (*OUTCOMES, "duplicate")},
}
LOGGED = {
    "event_id": "evt_1",
    "type": "user.upgraded",
    "user_id": USER_ID,
    "outcome": "applied",
    "deliveries": 5,
    "first_delivered_at": "2026-01-31T12:00:01.000000Z",
    "last_delivered_at": "2026-01-31T12:00:02.000000Z",
    "body": '{"event":"user.upgraded"}',
}
HEADERS = {"type": "object", "additionalProperties": {"type": "string"}}
KEY = {"Authorization": "ApiKey f271c81ff7084ee5b99a5091b42d486e"}

OPERATIONS: Operations = {
    routes.receive_event: Operation(
        security=POLKA,
        parameters=SIGNED_HEADERS,
        body=event_schema,
        bodies=EVENTS,
        answers={204: Answer("The event is committed", headers={"Webhook-Outcome": OUTCOME})},
        refusals={
            "missing field": refusal_of(read_event, {}, None),
            "no user": refusal_of(read_event, UPGRADE | {"data": {}}, None),
            "time without zone": refusal_of(read_event, UPGRADE | {"timestamp": TIME[:-1]}, None),
            "two ids": refusal_of(read_event, DATED, "evt_2"),
            "wrong key": errors.WrongKey(hint=KEY_HINT),
            "wrong signature": errors.WrongSignature(hint=SIGNATURE_HINT),
            "wrong time": errors.WrongTime(hint=SIGNATURE_HINT),
            "unknown user": errors.UnknownUser(),
            "id of another event": errors.EventIdReused(),
        },
    ),
    delivery_log_routes.list_events: Operation(
        query=log_query_schema,
        answers={
            200: Answer(
                "A page of events",
                LoggedEventSchema(many=True),
                {"five deliveries": [LOGGED]},
                headers=NEXT_PAGE,
            )
        },
        refusals={
            "wrong outcome": refusal_of(log_query_schema.load, {"outcome": "lost"}),
            **OF_DEVELOPMENT,
        },
    ),
    lab_routes.show_credentials: Operation(
        body=lab_routes.delivery_schema,
        bodies={"delivery": {"id": "evt_1", "body": '{"event":"user.upgraded"}'}},
        answers={200: Answer("The headers that the settings require", HEADERS, {"key": KEY})},
        refusals={
            "missing fields": refusal_of(lab_routes.delivery_schema.load, {}),
            **OF_DEVELOPMENT,
        },
        uses_database=False,
    ),
}
