"""What is around every page: templates, navigation, and the word that its forms are known by.

Every value is escaped where it is written (``autoescape``), and a page that lacks one is a defect
of ours and no empty place (``StrictUndefined``). No script and no style is in a page itself, so
that the browser runs none that got in there: ``PAGE_HEADERS``.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from cipherset.core.errors import PolicyError
from cipherset.interfaces.console.nav import Group
from cipherset.interfaces.console.static import static_files
from cipherset.interfaces.console.words import FILTERS

HOME: Final = "/console"
PAGE_HEADERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
        "img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'",
        "Cross-Origin-Opener-Policy": "same-origin",
        # Not ``no-referrer``: a browser would then send ``Origin: null`` with our own forms.
        "Referrer-Policy": "same-origin",
    }
)


class Frame:
    """Made once per process; ``groups`` is the navigation."""

    def __init__(self, groups: tuple[Group, ...] = ()) -> None:
        self.groups = groups
        self._key = secrets.token_bytes(32)
        files = static_files()
        self._environment = Environment(
            loader=PackageLoader("cipherset.interfaces.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(FILTERS)
        self._environment.globals.update(static=files.address, home=HOME)

    def render(self, template: str, values: Mapping[str, object]) -> str:
        """The page."""
        shown = {"groups": self.groups, **values}
        return self._environment.get_template(template).render(shown)

    def has(self, path: str) -> bool:
        """Whether a page of the navigation is there."""
        return any(entry.path == path for group in self.groups for entry in group.entries)

    def token_for(self, name: str) -> str:
        """What a form of one principal bears: no page of another site can read it.

        It holds as long as the process.
        """
        return hmac.new(self._key, f"form\0{name}".encode(), hashlib.sha256).hexdigest()

    def check_token(self, name: str, token: str) -> None:
        """Nothing, where ``token`` is that of the principal.

        Raises:
            PolicyError: ``form_token``.
        """
        if not hmac.compare_digest(self.token_for(name).encode(), token.encode()):
            raise PolicyError(
                "the form is not one that this console gave out",
                code="form_token",
                hint="load the page again, and send its form from there",
            )
