"""One command a file: parse, call, print. Heavy libraries load inside functions: help answers at once."""
