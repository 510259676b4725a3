"""Wrong receivers of webhooks, each of which named tests must catch: `make test-mutants`.

A package such as mutmut changes single operators, thousands of times, and somebody must judge which
changes do harm. These are the mistakes that receivers really have: each leaves a server that looks
right, several need changes in two languages, and one of them is SQL.
"""
