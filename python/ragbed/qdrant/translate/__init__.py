"""From JSON to engine objects and back: pure functions, no store, no HTTP."""
