"""The target ``inventory.yaml``: a cluster on the machines of a server room, for tests."""
