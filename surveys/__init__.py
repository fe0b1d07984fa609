"""Ask what the customer thinks; answers become voices."""
