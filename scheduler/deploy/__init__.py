"""What a cluster is told so that the scheduler can run in it: roles, and the objects of a Deployment."""
