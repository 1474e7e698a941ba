"""The reference service: T.A.R.S. in small. Three services, one small HTTP server, the standard library only."""
