"""The conditions of an account: terms of use, training, vetting, and the last day of temporary staff."""
