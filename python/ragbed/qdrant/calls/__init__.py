"""One function per endpoint: reads the call, asks the store, returns the JSON result."""
