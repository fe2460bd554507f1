"""The whole main job on real reviews, in one run, ending in a page."""
