"""How the small text-to-image checkpoint that comes with the program is made, from drawings to file."""
