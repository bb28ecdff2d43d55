"""A partner organisation's witness: it cosigns the log's checkpoints only while each extends the one before.

C2SP `tlog-witness` with `tlog-cosignature`, from one file of state, without a database or a web framework. The layout:
`wire` the form of a request and an answer, `state` the file, `deciding` what is cosigned, `serving` the HTTP server that a
partner runs, `asking` the log's side of it.
"""
