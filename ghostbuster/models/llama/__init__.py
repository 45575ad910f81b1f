"""llama.cpp as a scorer: loads GGUF models, tokenises, decodes, reduces logits to token statistics.

May import `models.sandbox`, `models.gguf` and `models.backend`.
"""
