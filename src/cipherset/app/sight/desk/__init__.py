"""The desk: what people look through, each look an act that passes the gate."""
