"""What scaling does with a day of load: pure, without a cluster."""
