"""What a vector says of its record: words, entities, attributes, and one figure that is proved.

Every attack here learns from ``Pairs``: vectors as the target's are, with their texts or
attributes. Whether they come from a stolen key and minimizer, an oracle, or an attacker's own
guess at the map decides what kind of attacker it is; the caller says so. Labels are in the clear,
so each attack is handed them, and each chance is what they give without a vector.
"""
