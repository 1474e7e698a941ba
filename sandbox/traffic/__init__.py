"""Traffic: what Services and EndpointSlices say, carried by one Envoy; kube-proxy, mesh and global balancer in one."""
