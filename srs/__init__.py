"""The recorder."""

import gc

# Starting a process makes 100,000s of objects that stay: collecting garbage among them took a sixth of the start.
gc.set_threshold(10_000, 20, 100)
