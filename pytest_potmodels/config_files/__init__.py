"""What the user's configuration files say, with the line of each key."""
