"""What runs maskstream elsewhere: images, Compose, the chart."""
