"""How far a mask or an alpha is from the truth."""
