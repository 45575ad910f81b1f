"""Kinds of tables, one a file: how each is read and written, whole and in chunks.

May import `tables.base`, `tables.chunks` and what lies below the room; never the registry that lists them.
"""
