"""Sealed objects in an S3 store: the one door to `boto3`."""
