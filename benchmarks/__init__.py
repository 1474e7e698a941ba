"""Benchmarks: figures that are measured on the machine at hand, and goals that they must hold."""
