"""What every other package stands on: ids, clock, errors, schema base, partial dates, keyset pages."""
