"""The contract of an LLM server on Ollama's wire: rules, what a real Ollama does, and where ours is known to differ."""
