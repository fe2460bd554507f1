"""The console: pages of the ledger for people, served by the gateway or on this machine alone.

A page is a module of ``pages`` and a template: found by itself. It translates; what it shows it
gets from an operation of ``app``, which passes the gate with the session of the one who looks.
"""
