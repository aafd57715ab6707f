"""The app's callback URL: receives WeCom's notifications, fetches their events, and handles each at least once."""
