"""The load engine against plain Locust, vegeta, and a server whose behaviour is planted. `docs/benchmarks.md`."""
