"""Bytes to canonical text: decode, read documents, normalise characters, strip markup.

May import `system`, `registry` and what lies below.
"""
