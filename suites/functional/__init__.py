"""What a user of Kubernetes relies on, one short check each; see docs/functional.md."""
