"""A run that failed, made again: the same command, order and surroundings; and whether it fails the same way."""
