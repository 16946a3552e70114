"""Terraform for database backups."""

__version__ = "0.1.0"
