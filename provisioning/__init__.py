"""From nothing to a cluster."""
