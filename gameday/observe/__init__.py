"""Observers: what the harness sees of a cluster while a drill runs, with the time it saw it."""
