"""The product's figures: each beside its floor or peer, measured in the same run."""
