"""A chat model that writes texts: its context for several at once, how tokens are drawn.

Imports the other modules of `llama`, none of which imports this room.
"""
