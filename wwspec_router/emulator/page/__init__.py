"""What a page of the app needs of WeCom in a browser: the frame of `@wecom/jssdk` that shows messages, and the login."""
