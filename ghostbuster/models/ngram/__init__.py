"""Unigram and trigram language models over a GGUF model's own tokenizer.

May import `models.sandbox`, `models.gguf` and `models.backend`.
"""
