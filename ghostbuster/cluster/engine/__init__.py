"""Ray: a session on a cluster, its workers, and the language models' files on its nodes.

Ray is imported inside functions alone, so that what does not run on a cluster does not need it. Imports
`cluster.parts`, `models` and what lies below.
"""
