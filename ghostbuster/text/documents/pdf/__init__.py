"""PDF: letters with places on a page, to lines, columns and paragraphs."""
