"""Services and their launchers: attach, process; readiness, leases, up, down, status."""
