"""The server's side of the operations: asked by many at once, over a held workspace."""
