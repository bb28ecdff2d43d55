"""The SPOC's pages: accounts of the organisation and the role matrix."""
