"""How much there is to lose, and how likely: one score for each asset, with what it is made of.

``facts`` are the inputs of one asset, ``read`` takes them from a picture, ``formula`` is the score,
``because`` says it in sentences, ``lower`` what would lower it, and ``ranking`` puts it together.
"""
