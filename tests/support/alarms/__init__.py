"""Alarms tried on samples, by Prometheus' own promtool."""
