"""Known models and their download, pinned to a revision and checked by digest.

May import `models.sandbox`, `models.gguf` and `models.backend`.
"""
