"""What a cluster can do, what it costs, and how both grow, by the definitions of SIG Scalability."""
