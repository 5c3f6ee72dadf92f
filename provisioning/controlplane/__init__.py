"""What every control plane needs wherever it runs: PKI, component flags, the endpoint."""
