"""``read --on ray``: token scores of a table by the workers of a cluster.

Imports `cluster.engine`, `detector`, `reading` and what lies below.
"""
