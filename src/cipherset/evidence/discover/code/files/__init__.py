"""How files are reached: folders, archives, text in whatever encoding."""
