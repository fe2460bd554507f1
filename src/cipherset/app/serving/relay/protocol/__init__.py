"""The OpenAI-compatible protocols: requests taken apart, and answers made anew."""
