"""Who the customer is to us, and how often we may ask."""
