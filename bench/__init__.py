"""Reproducible measurements. `make bench` runs them; they print ratios and medians of one run, never absolute promises."""
