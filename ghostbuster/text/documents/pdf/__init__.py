"""PDF: letters with places on a page, to lines, columns and paragraphs.

May import what stands in `documents` itself.
"""
