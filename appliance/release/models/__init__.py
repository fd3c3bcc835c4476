"""Models come in as signed media, are weighed by the gate, and can be taken back."""
