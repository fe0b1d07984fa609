"""Changes of the organisation, one module a subject."""
