"""The planner on a virtual clock: what runs to come will make, copy and delete."""
