"""Text formats of results: table, JSON, JSON lines, CSV.

May import what `report` may, and no page.
"""
