"""Token scores of a whole table on disk, in a folder, so that detectors are trained without language models.

May import what `reading` may, and of `reading` itself only `read` and `cache`.
"""
