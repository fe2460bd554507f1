"""The two splits of a cipherset."""

from enum import StrEnum


class Split(StrEnum):
    """Which part of the rows: to train on, or held out to test on."""

    TRAIN = "train"
    TEST = "test"
