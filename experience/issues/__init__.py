"""What is wrong, said once, with everything that proves it."""
