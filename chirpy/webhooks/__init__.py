"""Receive the payment provider's webhooks.

What happens to a delivery, in this order, in the view `receive_event` of `routes`:

1. Verify: `credentials` (with `signature`) checks that it comes from the provider.
2. Parse: `schemas` reads the event from the body; `meaning` says what makes two events the same.
3. Receive: `receiving` calls the SQL function in `receive_event.sql`, which records the event,
   applies its effect and commits. That file has the rule: what each type of event does, and what
   happens when the same event arrives twice, late, or concurrently.
4. Respond: `routes` sends 204 and the outcome, after the commit. A refused delivery changes
   nothing in the database, so its retry counts.

`delivery_log` reads the table of events, `webhook_events`, for GET /admin/webhooks in
`delivery_log_routes` and for `flask webhooks` in `commands`.
"""
