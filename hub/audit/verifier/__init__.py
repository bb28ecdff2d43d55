"""The verifier of the log's tree: what an outsider runs too, as one file put together from these modules and the tlog ones.

Of the standard library and `hub.crypto.tlog` alone. `findings` what is reported, `heads` which checkpoints are believed,
`proving` the one pass over leaves and tiles, `folders` an export, `databases` a live log, `command` what a person types,
`single` puts the one file together.
"""
