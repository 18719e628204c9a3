"""Talking to a live LLM: the client of Ollama with its retries and time limits."""
