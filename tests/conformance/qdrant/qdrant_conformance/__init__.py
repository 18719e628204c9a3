"""The conformance suite: calls as data, the worlds they run on, and what came of them on a server."""
