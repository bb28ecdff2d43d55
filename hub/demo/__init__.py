"""The invented partnership: every person, organisation and event in it is made up, built through the real actions."""
