"""GGUF files: header, tensor table, vocabulary, digest; checked before llama.cpp sees them.

Imports nothing of the other model rooms.
"""
