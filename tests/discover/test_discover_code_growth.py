"""No text makes a reader slow: what is read of it grows as the text does."""

from pathlib import PurePosixPath

import pytest

from cipherset.evidence.discover.code.look.documents import look_json
from cipherset.evidence.discover.code.look.languages import LANGUAGES, look_code
from cipherset.evidence.discover.code.look.lines import look_lines
from cipherset.evidence.discover.code.look.manifests import look_installs, look_manifest
from cipherset.evidence.discover.code.rows import load_catalog

KNOWN = load_catalog()
LITTLE, MUCH = 4_000, 24_000  # characters
ENDINGS = {language: ending for ending, language in LANGUAGES.items()}.values()
PARTS = (
    *("'", '"', "`", '\\"', "/*", "#", "{", "${", "$", "(", "<a ", "<script ", "<script>"),
    *("import ", "require(", 'from "', "env.", 'model="', "role:'system'", "- ", "\n", "\n- "),
    *("<PackageReference ", '"a" % ', "group: 'a', ", "pip install ", "you are ", "sk-ant-", "A_"),
    *("https://", "--model", "mcpServers.", "a.", "\nImports: a\n ", "\n  a:", "[", '"a":'),
)
NAMES = (
    "Cargo.toml",
    "requirements.txt",
    "yarn.lock",
    "pom.xml",
    "a.csproj",
    "a.gradle",
    "DESCRIPTION",
    "a.sbt",
)


@pytest.mark.attack
@pytest.mark.parametrize("part", PARTS)
def test_work_grows_as_the_text_does(part, growth):
    def read(size: int) -> None:
        text = part * (size // len(part))
        for ending in ENDINGS:
            list(look_code(text, ending, KNOWN))
        for name in ("a.yaml", "Dockerfile", "a.sh"):
            list(look_lines(text, name, KNOWN))
        for name in NAMES:
            list(look_manifest(text, PurePosixPath(name), KNOWN))
        list(look_installs(text, KNOWN))
        list(look_json(text, "mcp.json", KNOWN))

    assert growth(read, LITTLE, MUCH) < 3 * MUCH / LITTLE
