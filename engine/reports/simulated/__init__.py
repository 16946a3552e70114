"""Simulations as pictures: what of them is shown, and where it lies in a drawing."""
