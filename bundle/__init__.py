"""The run bundle: the contract between the harness that records a drill and the scorer that judges it.

`docs/bundle.md` is the specification; this package is its one implementation, used by both sides. Import from its
modules: `bundle.reader.Bundle`, `bundle.writer.BundleWriter`, `bundle.table`, `bundle.timeline`, `bundle.manifest`.
Nothing is imported here, because every command imports `bundle.errors` and must start in a moment.
"""
