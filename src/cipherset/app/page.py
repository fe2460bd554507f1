"""Pages for people: one HTML file each, without scripts or addresses; pictures are inside."""

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Okabe and Ito's palette: told apart by people who see colors differently.
BLUE: Final = "#0072B2"
VERMILION: Final = "#D55E00"
GREEN: Final = "#009E73"
PURPLE: Final = "#CC79A7"
SKY: Final = "#56B4E9"
ORANGE: Final = "#E69F00"
GRAY: Final = "#444444"


def render(package: str, template: str, values: Mapping[str, object]) -> str:
    """The template of ``package``'s folder ``templates``; ``page.css`` is every page's style."""
    loader = ChoiceLoader([PackageLoader(package), PackageLoader("cipherset.app")])
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return str(environment.get_template(template).render(dict(values)))


def drawing(width: float, height: float) -> "Figure":
    """An empty figure of this size in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def data_url(figure: "Figure") -> str:
    """The figure as a PNG in a data URL."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
