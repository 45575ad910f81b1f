"""Documents to texts: what a person sees, sorted into prose and the rest. To add a kind: one file, one row.

The rows stand in `kinds.READERS`. May import `system`, `registry` and what else `text` may.
"""
