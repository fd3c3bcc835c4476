"""What the sending system says it has, against what is held here."""
