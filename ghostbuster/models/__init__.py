"""Weak language models: text to token scores.

A panel is the models that read one text together. May import `text` and what lies below;
never `features` or `tables`.
"""
