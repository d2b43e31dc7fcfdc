"""Small real things that tests share: a clock, feeds, a model, and builders of messages."""
