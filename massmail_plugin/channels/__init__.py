"""What a message is on each channel: finished texts in, finished bytes out. Sending and the tests of a sender enter."""
