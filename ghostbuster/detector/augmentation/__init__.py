"""New texts where a detector errs: which ones, what a teacher is asked, which answers are kept, in rounds.

Imports the detector's other modules; none of them imports this room.
"""
