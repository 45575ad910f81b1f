"""Token scores to a matrix: operations, reducers, expressions, candidate spaces.

The feature search stands in `features.search`. May import `metrics`, `text`, `folds` and what lies below;
never `models` or `tables`.
"""
