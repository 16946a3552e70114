"""The plan as a value, its JSON form and its digest."""
