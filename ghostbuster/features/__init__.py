"""Token scores to a matrix: operations, reducers, expressions, candidate spaces.

The feature search is in `features.search`. May import `metrics`, `text`, `folds` and what lies below;
never `models` or `tables`.
"""
