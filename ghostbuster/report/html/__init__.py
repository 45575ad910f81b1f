"""HTML reports: pages that need no network and no script.

May import what `report` may.
"""
