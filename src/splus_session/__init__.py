"""social.plus sessions: one declared life cycle, for any loop, thread or clock."""
