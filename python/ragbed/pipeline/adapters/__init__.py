"""Vendors' clients behind the pipeline's ports; the only place that imports them, and only when they are used."""
