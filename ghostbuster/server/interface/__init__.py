"""The HTTP interface for programs.

May import `scoring`, `intake` and the modules of `server` that both interfaces share; nothing of `page`.
"""
