"""Verdicts, evaluations and facts as people and programs read them.

May import `detector` and every room below it; computes no verdict itself.
"""
