"""The scorer's figures: `make bench-scorer`."""
