"""Kafka: topics on brokers, through aiokafka."""

from connectors.kafka.transport import KafkaTransport

__all__ = ["KafkaTransport"]
