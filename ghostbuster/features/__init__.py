"""Token scores to a matrix: alignment, vector operations, expressions, search.

The search itself is imported from ``ghostbuster.features.search``: it loads scikit-learn.
"""

from ghostbuster.features.align import align
from ghostbuster.features.expression import Feature, evaluate_all
from ghostbuster.features.space import SPACES, candidates

__all__ = ["SPACES", "Feature", "align", "candidates", "evaluate_all"]
