"""The pages of accounts: signing in, own settings, second factors, administration."""
