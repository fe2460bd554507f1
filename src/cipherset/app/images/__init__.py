"""Images: their encoders."""
