"""The node agent of a region: runs pods as processes, as a kubelet runs them as containers."""
