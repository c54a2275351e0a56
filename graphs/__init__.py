"""WHEN: one module per state graph."""
