"""Where a graph that nobody vouches for runs: a process that computes, answers, and no more."""
