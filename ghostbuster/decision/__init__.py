"""Raw score to probability to verdict: calibration, thresholds, out-of-distribution checks.

May import `heads` and every room below it.
"""
