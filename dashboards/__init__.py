"""Grafana dashboards as typed Python; ``python -m dashboards`` writes json/. rules/ is by hand."""
