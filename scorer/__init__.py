"""Pure scoring: a bundle and the runbook's targets in, a verdict out. No clock, no network, nothing of the harness.

In the order data meets it: `targets` (what is promised) · `requests`, `samples`, `cluster`, `facts` (what was
recorded) · `schedule`, `omission`, `unseen` (what was not) · `validity` (may the drill count at all) · one module a
measure · `objective` (measure against promise) · `score`. `planted` makes bundles whose truth is known.
"""
