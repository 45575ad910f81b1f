"""Child processes that try what may crash: loading an unknown GGUF file, a CPU's fast path.

May import `models.gguf` and `models.backend`.
"""
