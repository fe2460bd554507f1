"""What a key ring has on the disk."""


def held(home):
    """The bytes of each file of the ring in the workspace ``home``."""
    return {path: path.read_bytes() for path in (home / "keys").rglob("*") if path.is_file()}
