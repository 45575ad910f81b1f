"""What comes in, within bounds: who may ask, how fast, how much; uploads, and documents to texts.

May import `server`'s child process, limits and problems, and every room below `server`; no detector.
"""
