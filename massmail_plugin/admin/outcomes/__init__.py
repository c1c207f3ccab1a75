"""The screens of outcomes on their way to the host, and of the webhooks that tell others of them."""
