"""The app's callback URL: takes WeCom's notifications in, fetches their events, and hands them out at least once."""
