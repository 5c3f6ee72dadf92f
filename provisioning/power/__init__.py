"""The power of a host, switched from outside of it: by the lab, a command, IPMI or Redfish."""
