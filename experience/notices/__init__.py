"""Messages written in the transaction of the act and delivered afterwards."""
