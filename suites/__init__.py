"""The tests that users run against a cluster."""
