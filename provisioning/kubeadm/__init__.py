"""From machines with nothing but SSH to a highly available Kubernetes by kubeadm: probe, plan, act on the difference."""
