"""A second opinion: Spin, on the model of one slice, with the rules written a third time."""
