"""What the gradient of a step tells of the rows it was computed on.

Who aggregates the steps of several owners (federated training) sees gradients, not rows. This room
measures what that is worth: rows of one batch from its gradient, the model and the clear labels.
"""

from cipherset.evidence.attack.gradient.network import Layer, Network
from cipherset.evidence.attack.gradient.recovery import matched, recover_batch, recover_row

__all__ = ["Layer", "Network", "matched", "recover_batch", "recover_row"]
