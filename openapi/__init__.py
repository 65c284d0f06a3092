"""Describes the API for machines and people; writes docs/openapi.json."""
