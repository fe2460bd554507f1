"""Which asset a service is, and how it was reviewed: as it was seen, or as it was added.

A service that was seen is an asset of the inventory. One that was added (``cipherset service add``)
and approved under an address of the same service covers what was seen of it.
"""

from collections.abc import Iterable, Mapping

from cipherset.app.discovery.record import Sighting as Recordable
from cipherset.app.discovery.status import reviews
from cipherset.app.serving.relay import registry
from cipherset.app.serving.relay.registry import Address
from cipherset.app.workspace import Workspace
from cipherset.custody.policy import Kind
from cipherset.evidence.discover.egress import Service, ServiceList
from cipherset.evidence.discover.egress.names import host_of
from cipherset.evidence.views.inventory.status import Review, Reviewed

SEEN_AS = "service"
WITHIN = "egress"


def recordable(service: Service, host: str, asset: str | None = None) -> Recordable:
    """The service as the inventory records it, seen at ``host``; ``asset`` where it is known."""
    return Recordable(Kind.SERVICE, SEEN_AS, service.name, host, WITHIN, asset)


def standings(
    workspace: Workspace, services: ServiceList, used: Iterable[Service]
) -> dict[str, tuple[str, Reviewed]]:
    """For the id of each service that was used its asset, and how that was reviewed.

    Raises:
        IntegrityError: ``service_file``.
        BackendError: the ledger cannot be read.
    """
    added = _added(workspace, services)
    seen = {each.id: recordable(each, "").id for each in used}
    addresses = [address for service in seen for address in added.get(service, ())]
    stand = reviews(workspace, {*seen.values(), *(address.id for address in addresses)})
    return {
        service: _standing(asset, stand, added.get(service, ())) for service, asset in seen.items()
    }


def _standing(
    asset: str, stand: Mapping[str, Reviewed], added: Iterable[Address]
) -> tuple[str, Reviewed]:
    """What was said of the service as it was seen; else what was said of one that was added."""
    said = stand[asset]
    if said.status is not Review.UNREVIEWED:
        return asset, said
    for status in (Review.APPROVED, Review.UNAPPROVED):
        for address in added:
            review = stand[address.id]
            if review.status is status:
                told = Reviewed(
                    status, f"service:{address.name} was {review.because}", review.grant
                )
                return (address.id if status is Review.APPROVED else asset), told
    return asset, said


def _added(workspace: Workspace, services: ServiceList) -> dict[str, list[Address]]:
    """The services that were added, by the id of the one on the list that they are."""
    found: dict[str, list[Address]] = {}
    for kept in registry.all_kept(workspace.home):
        host = host_of(kept.address.url)
        service = None if host is None else services.of(host)
        if service is not None:
            found.setdefault(service.id, []).append(kept.address)
    return found
