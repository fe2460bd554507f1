"""Models guarded against being copied and probed: budgets of queries, and the shape of queries."""
