"""``cipherset encoder``: list and fetch encoders."""

import click

from cipherset.app import encoders
from cipherset.interfaces.cli.command import Command, Context
