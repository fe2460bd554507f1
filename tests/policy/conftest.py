"""What the tests of policies share."""

import pytest

from cipherset.core.errors import CiphersetError


@pytest.fixture
def refused():
    """Calls and returns the error, which has that code and says what to do next."""

    def call(code, act):
        with pytest.raises(CiphersetError) as caught:
            act()
        assert caught.value.code == code
        assert caught.value.hint
        return caught.value

    return call
