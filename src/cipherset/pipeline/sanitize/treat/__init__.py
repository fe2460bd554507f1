"""What becomes of a finding: one treatment for each kind of entity."""

from cipherset.pipeline.sanitize.treat.apply import Treating
from cipherset.pipeline.sanitize.treat.token import restored, versions_in
from cipherset.pipeline.sanitize.treat.treatment import Rule, Treatment, Treatments

__all__ = ["Rule", "Treating", "Treatment", "Treatments", "restored", "versions_in"]
