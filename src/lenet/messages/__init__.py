"""What people are told: the sentences of errors, and progress while something runs. It decides nothing."""
