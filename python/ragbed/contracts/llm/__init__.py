"""What an Ollama does: rules about the shapes and effects of calls, never about a model's words."""
