"""The page for people.

May import `scoring`, `intake` and the modules of `server` that both interfaces share; of `interface` only how
options are read.
"""
