"""kube-scheduler 1.37's default profile in plain Python: dicts and loops over the typed objects, nothing kept between
calls. Slow and obvious on purpose: it is what the engine's kernels are checked against, and is itself checked against
kube-scheduler's own code.

Every rule names the file below k8s.io/kubernetes/pkg/scheduler/framework/plugins that it states.
"""
