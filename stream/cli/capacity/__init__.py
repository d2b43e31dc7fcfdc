"""What ``maskstream capacity`` prints and draws."""
