"""A real Kubernetes control plane on loopback, with real KEDA; only nodes and pods are kwok's."""
