"""Hand-overs of a record to another lead: offered, accepted with a restated basis, or refused."""
