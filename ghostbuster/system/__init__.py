"""The operating system: atomic files, locks, signals, time limits, resource errors, the cache folder.

May import `arrays` and `errors`.
"""
