"""What the clock wakes for orders."""

from experience.ground.sweep import Job
from experience.orders.operations import chase_next, measure_effect

JOBS = (Job("orders.chase", chase_next, 5), Job("orders.effect", measure_effect, 60))
