"""Damaged bundles and targets: each ends in a clear error or in a verdict that doesn't pass."""
