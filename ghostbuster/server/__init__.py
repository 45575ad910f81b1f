"""The web server: a page for people and an HTTP interface for programs, both over one scoring queue.

May import `report` and every room below it; no command. The front process answers HTTP and holds no model:
detectors live in scoring processes, documents are read in processes of their own.
"""
