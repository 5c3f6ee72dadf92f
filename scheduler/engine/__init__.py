"""Knows the cluster as objects, keeps the core's arrays in step with them, and puts decisions into words."""

from .engine import ClusterEngine

__all__ = ["ClusterEngine"]
