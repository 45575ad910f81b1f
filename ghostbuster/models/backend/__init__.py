"""What this build of llama.cpp and this machine can do: library, CPU, devices.

Imports nothing of the other model rooms.
"""
