"""Where everything stands: cards in columns from left to right, edges at right angles, boxes around loops."""
