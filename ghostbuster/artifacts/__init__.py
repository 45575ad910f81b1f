"""The detectors that ship, with their cards, and which of them is the default.

May import `models` and the rooms below it.
"""
