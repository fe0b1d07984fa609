"""Learning from staff: which readings to look at, what people said of them, and the models trained on that."""
