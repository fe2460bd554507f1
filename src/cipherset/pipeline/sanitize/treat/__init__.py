"""What becomes of a finding: one treatment for each kind of entity."""

from cipherset.pipeline.sanitize.treat.apply import Treating
from cipherset.pipeline.sanitize.treat.token import restored
from cipherset.pipeline.sanitize.treat.treatment import Rule, Treatment, Treatments

__all__ = ["Rule", "Treating", "Treatment", "Treatments", "restored"]
