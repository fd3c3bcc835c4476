"""What a CDS Hooks call is answered with: cards, and the rules by which they are made; pure, by code only."""
