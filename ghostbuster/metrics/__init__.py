"""Evaluation metrics: AUROC, TPR at a fixed FPR, calibration error; confidence intervals; curves.

May import `system`, `registry` and what lies below.
"""
