"""The gateway over HTTP: a translator; what may be done the gate decides."""
