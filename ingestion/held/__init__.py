"""What people do with items that are held back: look, assign, take in again, correct, dismiss."""
