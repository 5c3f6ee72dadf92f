"""Access to the Kubernetes API: typed list and watch, CRUD, and how a client reaches a cluster at all."""
