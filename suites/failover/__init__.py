"""What happens to requests while a control plane is being broken, and that nothing acknowledged is lost."""
