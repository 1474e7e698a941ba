"""The load engine: an open workload on Locust, the raw record of every request, and the proof of what was sent.

Nothing here is imported by the harness's own process except `process`, `profile` and `live`: Locust patches the
standard library when it is imported, so it lives in a child process.
"""
