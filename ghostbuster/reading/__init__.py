"""Texts to vectors, once: prepare them, ask the language models, align; with a cache on disk.

The only room that composes `models` and `features`. May import those, `tables` and every room below them.
"""
