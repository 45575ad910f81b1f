"""The detector: it reads and judges texts, is trained, saved and loaded.

Holds `Detector`, `GhostbusterClassifier`, `GhostbusterTransformer` and the artifact on disk.
May import `decision` and every room below it.
"""
