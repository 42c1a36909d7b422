"""The cell's agent: pulls management's signed commands, carries them out as the owner, tells facts back."""
