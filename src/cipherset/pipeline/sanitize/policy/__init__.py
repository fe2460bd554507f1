"""What is looked for and what becomes of it, as a file says."""

from cipherset.pipeline.sanitize.policy.policy import Policy, Terms
from cipherset.pipeline.sanitize.policy.read import default_policy, policy_of, read_policy

__all__ = ["Policy", "Terms", "default_policy", "policy_of", "read_policy"]
