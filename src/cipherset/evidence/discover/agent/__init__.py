"""The scan as one file that runs on any host with Python, and nothing else."""

from cipherset.evidence.discover.agent.build import agent_bytes

__all__ = ["agent_bytes"]
