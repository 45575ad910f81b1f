"""Office documents: zip archives of XML, as Word and LibreOffice write them."""
