"""The benchmark of schedulers: workloads, ceilings, rounds, an independent checker, and an API server in memory."""
