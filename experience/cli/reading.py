"""`analyse`: JSON Lines of texts in, JSON Lines of readings out, without a database."""
