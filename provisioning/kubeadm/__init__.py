"""From machines with nothing but SSH to a highly available Kubernetes: probe, plan, act on the difference."""
