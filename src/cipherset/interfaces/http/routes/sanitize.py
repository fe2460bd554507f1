"""``/v1/sanitize``: texts without what must not leave."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from cipherset.app.serving.sanitizing import Sanitizer
from cipherset.custody.policy import Action
from cipherset.interfaces.http.actions import performs
from cipherset.interfaces.http.services import Caller, Services

Text = Annotated[str, Field(max_length=1_000_000)]


class ToSanitize(BaseModel):
    """Texts, and the key of tokens and surrogates where the rules ask for them."""

    model_config = ConfigDict(extra="forbid")

    texts: list[Text] = Field(min_length=1, max_length=1000, examples=[["write to jo@x.com"]])
    key: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9._-]{0,79}$")


class CleanTexts(BaseModel):
    """The texts in their order; ``found`` counts by kind, ``withheld`` says which and why."""

    texts: list[str] = Field(examples=[["write to [EMAIL]"]])
    found: list[dict[str, int]] = Field(examples=[[{"EMAIL": 1}]])
    withheld: dict[int, str]
    rules: str = Field(description="The digest of the rules.")


def router(services: Services) -> APIRouter:
    """The route, and the rules that it keeps ready."""
    routes = APIRouter(prefix="/v1", tags=["sanitize"])
    sanitizer = Sanitizer(services.session.home)
    services.reloads.append(sanitizer.reload)

    @routes.post(
        "/sanitize",
        summary="Texts with what must not leave taken out",
        openapi_extra=performs(Action.SANITIZE),
    )
    def sanitize(body: ToSanitize, session: Caller) -> CleanTexts:
        done = sanitizer.sanitize(session, body.texts, body.key)
        return CleanTexts(
            texts=done.texts, found=done.found, withheld=done.withheld, rules=done.rules
        )

    return routes
