"""Files on a record: sealed, stored, given back byte for byte."""
