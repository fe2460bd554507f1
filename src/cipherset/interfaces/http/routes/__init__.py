"""One module per group of routes, each with ``router(services) -> APIRouter``."""
