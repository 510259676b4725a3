"""What the payment provider tells us, received right.

1. A 2xx means committed: `routes` answers only after COMMIT has returned.
2. Repeats are harmless: `inbox` records each event once, because a unique constraint says so.
3. Nothing is lost by refusing: what is not taken leaves no trace, so its retry counts.

A delivery goes through these files in this order: `credentials` (with `signature`), `schemas`,
`inbox`, `effects`; then `routes` commits and answers.
"""
