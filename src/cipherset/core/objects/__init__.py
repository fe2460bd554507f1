"""Places in an object store, by their addresses: one object, or all under a prefix."""

from cipherset.core.objects.address import SCHEME, ObjectPath
from cipherset.core.objects.folder import ObjectFolder

__all__ = ["SCHEME", "ObjectFolder", "ObjectPath"]
