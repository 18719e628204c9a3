"""What a Qdrant does: every call of its client, requests below it, and the outcomes that were recorded of one."""
