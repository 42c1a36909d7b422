"""Makes, changes and removes bureaus' schemas; runs as the owner, in the agent and in commands only."""
