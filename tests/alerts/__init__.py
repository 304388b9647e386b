"""The alerts of ops/prometheus, tried by Prometheus itself."""
