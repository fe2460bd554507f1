"""``assess``: hand each adversary what it is said to know, and write down what it got."""
