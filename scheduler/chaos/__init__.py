"""Schedulers under faults: a workload of exact size, what strikes meanwhile, and the verdict at the end."""
