"""Texts in, verdicts out: detectors in child processes, and the bounded queue before them.

May import `server`'s child process, limits and problems, and every room below `server`; no HTTP.
"""
