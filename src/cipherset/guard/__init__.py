"""What stands between a model and its callers: prompts, retrieved context, outputs, probing."""
