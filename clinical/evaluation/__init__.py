"""Gold sets, gate pairs and the figures made from them. Pure: no database, no clock, no network."""
