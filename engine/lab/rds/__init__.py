"""RDS as backups know it: moto's backend, subclassed; one module per topic."""
