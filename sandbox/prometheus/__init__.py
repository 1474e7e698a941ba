"""Prometheus, where it is installed: one a region, which scrapes that region's pods and Envoy every second."""
