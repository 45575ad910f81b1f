"""Token scores to a matrix: alignment, vector operations, expressions, search."""
