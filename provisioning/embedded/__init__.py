"""A real control plane on this machine, inside namespaces of its own."""
