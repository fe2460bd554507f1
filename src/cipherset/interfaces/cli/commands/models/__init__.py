"""Models and the encoders before them."""
