"""Who asks: what a connection and its headers prove."""
