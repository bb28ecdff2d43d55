"""The web layer: declared routes, the gate before every request, failures as pages, forms that lose nothing."""
