"""What every room stands on: settings, clock, errors, the store, jobs, language."""
