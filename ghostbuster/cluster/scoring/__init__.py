"""``score-table`` on a cluster: what is done to a part, and to all. Imports `cluster` and what lies below."""
