"""What people read: plans as text for terminals and as Markdown for pull requests."""
