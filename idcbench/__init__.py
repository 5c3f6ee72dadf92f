"""idcbench: build a highly available Kubernetes, break it, measure it, report it."""

__version__ = "0.1.0"
