"""The demo: a drawn yard, the film of it, and the small model that is trained to see it."""
