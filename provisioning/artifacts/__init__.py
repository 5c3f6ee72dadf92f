"""The binaries that provisioning needs: found, downloaded or built, by version and digest."""
