"""What users are told in the hub and by e-mail; never personal data of a case."""
