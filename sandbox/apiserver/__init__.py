"""The sandbox's API server: one in-memory cluster store per region, spoken to as Kubernetes is."""
