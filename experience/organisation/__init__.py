"""Units, users, roles, credentials, and the scope each caller sees."""
