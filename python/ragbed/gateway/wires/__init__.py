"""Wire protocols: each turns HTTP requests into the engine's neutral ones, and answers back into frames."""
