"""Whether a file is what its name says all through, and holds nothing that acts: asked before anybody may open it."""
