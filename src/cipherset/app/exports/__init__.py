"""Making an export: read, plan, choose, fit, encrypt, measure, decide, put in place."""
