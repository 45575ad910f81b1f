"""The commands of the command line, one a file.

Each reads its options, calls the rooms below and prints. May import every room but `cli`.
"""
