"""How files come to lie on the disk: whole or not at all, whoever is killed when. It knows no format."""
