"""Where stages run: in this process, or on workers of a Ray cluster, a part of the source each."""
