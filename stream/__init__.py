"""maskstream: what the system decides and how data flows. It knows no Kafka, no HTTP, no torch."""
