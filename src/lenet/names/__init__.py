"""Names from elsewhere: Paddle's import lines served by lenet, and what to type instead of other libraries' names."""
