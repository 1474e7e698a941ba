"""An embedded three-region stand-in for Kubernetes: API servers, controllers, node agents and traffic."""
