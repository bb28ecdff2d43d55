"""The search box: references, names with a letter wrong, words of entries."""
