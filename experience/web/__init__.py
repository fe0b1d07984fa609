"""The HTTP door of the house: pages and API, one module a subject."""
