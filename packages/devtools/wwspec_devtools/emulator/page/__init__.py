"""What a page of the app needs of WeCom in a browser: the frame of `@wecom/jssdk` with messages, and the login."""
