"""Files of a case given to somebody outside the hub: what was thought of each, who agreed, and the bundle."""
