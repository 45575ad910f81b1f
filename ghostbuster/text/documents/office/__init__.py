"""Office documents: zip archives of XML, as Word and LibreOffice write them.

May import `web`, for pages inside documents, and what stands in `documents` itself.
"""
