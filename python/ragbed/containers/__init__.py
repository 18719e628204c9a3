"""Container images that are built without a registry, and the compose file that is generated from the pins."""
