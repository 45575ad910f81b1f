"""Web pages, and what is made of them: books, saved pages, e-mail.

May import what stands in `documents` itself.
"""
