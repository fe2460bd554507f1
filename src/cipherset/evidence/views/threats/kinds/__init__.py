"""Which paths there are, one module per kind of thing that attackers are after."""
