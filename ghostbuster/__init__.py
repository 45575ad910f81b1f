"""Says how likely a text was written by a machine, and how often it is wrong about people."""

__version__ = "0.1.0"
