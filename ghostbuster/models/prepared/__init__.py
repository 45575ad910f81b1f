"""Known models converted once for this machine: the fastest form of their weights within a tolerance.

May import the other model rooms, but no panel.
"""
