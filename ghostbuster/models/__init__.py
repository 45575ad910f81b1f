"""Weak language models: text to token scores.

A panel is the models that score the same text. May import `text` and what lies below;
never `features` or `tables`.
"""
