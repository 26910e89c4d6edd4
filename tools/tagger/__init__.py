"""How the small tagger that comes with the program is made, from pictures to file."""
