"""The clock table of this package, in the order in which one job's row is the next one's work."""

from experience.discovery.jobs import JOBS as DISCOVERY
from experience.issues.jobs import JOBS as ISSUES
from experience.learning.jobs import JOBS as LEARNING
from experience.orders.jobs import JOBS as ORDERS
from experience.voices.jobs import JOBS as VOICES

JOBS = (*VOICES, *ISSUES, *ORDERS, *DISCOVERY, *LEARNING)
