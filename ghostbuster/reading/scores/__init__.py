"""Token scores of a whole table on disk, in a folder, so that detectors are trained without language models.

May import what `reading` may, and nothing of `reading` but `read`.
"""
