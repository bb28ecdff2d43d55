"""Starts what the service stands on, under one directory: database, object store, web and worker."""
