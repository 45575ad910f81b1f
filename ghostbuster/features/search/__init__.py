"""The feature search: screening, then greedy forward selection, as one estimator.

May import `features` and what that may; nothing in `features` imports the search.
"""
