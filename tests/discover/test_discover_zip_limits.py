"""What a zip archive may not do to who reads it."""

import io
import zipfile

import pytest

from cipherset.evidence.discover.code.files import zipped
from cipherset.evidence.discover.code.files.archive import Budget, TooMuchError


def test_no_more_is_held_in_memory_than_there_is_room_for():
    with pytest.raises(TooMuchError):
        zipped._source(io.BytesIO(b"b" * 90), b"a" * 10, Budget(50, 10))


def test_no_more_is_read_at_once():
    with pytest.raises(TooMuchError):
        zipped._Seekable(io.BytesIO(b"")).read(zipped._MOST_AT_ONCE + 1)


def test_a_member_that_is_broken_ends():
    class Broken(io.BytesIO):
        def read(self, n_bytes=-1, /):
            raise zipfile.BadZipFile

    with pytest.raises(EOFError):
        zipped._Member(Broken(), Budget(10, 10)).read(1)
    with pytest.raises(EOFError):
        zipped._Member(io.BytesIO(b"abc"), Budget(1, 10)).read(3)


def test_a_member_that_cannot_be_opened_is_at_its_end():
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        archive.writestr("a.py", "import openai\n")
    changed = raw.getvalue().replace(b"PK\x03\x04", b"PK\x00\x00")
    with zipfile.ZipFile(io.BytesIO(changed)) as archive, pytest.raises(EOFError):
        zipped._content(archive, archive.infolist()[0], Budget(1000, 10))
