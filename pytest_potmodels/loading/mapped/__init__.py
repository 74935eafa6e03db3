"""Weights mapped from a file: shared by all processes, private where written, put back after."""
