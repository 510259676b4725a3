"""What the payment provider tells us, received right.

1. A 2xx means committed: `receive_event.sql` is one transaction, and `routes` answers after it.
2. Repeats are harmless: it records each event once, because a unique constraint says so.
3. Nothing is lost by refusing: what is not taken leaves no trace, so its retry counts.

A delivery goes through these files in this order: `credentials` (with `signature`), `schemas`,
`inbox`, whose one statement is `receive_event.sql`: record, effect, COMMIT; then `routes` answers.
"""
