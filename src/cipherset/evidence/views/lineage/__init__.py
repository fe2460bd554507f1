"""What an asset was made of, and what was made of it, however many runs apart.

reach       the ids alone, for whoever decides by them
links       the runs with keys, encoders, deployments and findings as assets like any other
trace       one asset's lineage, and what is to be made again without it
graph       the part of it around an asset, for a picture
located     where an artifact stopped being what its run had made
openlineage, prov, croissant      the same for other people's tools
"""

from cipherset.evidence.views.lineage.reach import downstream, upstream

__all__ = ["downstream", "upstream"]
