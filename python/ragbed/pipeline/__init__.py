"""The reference RAG pipeline: read, chunk, embed, index, retrieve, answer, find gaps."""
