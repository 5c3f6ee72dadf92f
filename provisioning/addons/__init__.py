"""What a cluster carries besides Kubernetes itself: its network, metrics, a registry."""
