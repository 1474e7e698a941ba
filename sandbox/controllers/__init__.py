"""The controllers of one region: they make the world fit the specs, through the API alone."""
