"""What this machine has, what equals the pins, and what to type."""
