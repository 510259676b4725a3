"""Describe the routes of operators for the API reference."""

from chirpy.admin import health, routes
from chirpy.database.migration_state import NotMigrated
from chirpy.web.reference.operations import Answer, Operation, Operations
from chirpy.web.reference.refusals import OF_DEVELOPMENT
from chirpy.web.reference.responses import TEXT

OK = Answer("All is well", TEXT, {"ok": "OK"}, media_type="text/plain")

OPERATIONS: Operations = {
    health.report_health: Operation(answers={200: OK}, uses_database=False),
    health.report_readiness: Operation(
        answers={200: OK},
        refusals={
            "not migrated": health.NotReady(
                NotMigrated.problem, hint=f"Next: {NotMigrated.next_step}"
            )
        },
    ),
    routes.metrics: Operation(
        answers={200: Answer("A page with the number of visits", TEXT, media_type="text/html")}
    ),
    routes.reset: Operation(
        answers={200: Answer("All is deleted", TEXT, media_type="text/plain")},
        refusals=OF_DEVELOPMENT,
    ),
}
