"""The command line: a door. It reads arguments, calls the rooms, and prints; it decides nothing."""
