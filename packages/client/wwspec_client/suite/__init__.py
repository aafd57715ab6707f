"""The app of a provider at all corps that have installed it: installations, tokens, and the command callback URL."""
