"""Sandbox: child processes with a timeout for what may crash (an unknown GGUF file, a CPU's fast path).

May import `models.gguf` and `models.backend`.
"""
