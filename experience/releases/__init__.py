"""Products and versions, and the gate between a trial and its launch."""
