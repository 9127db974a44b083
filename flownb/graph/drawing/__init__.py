"""How a laid-out workflow looks: shapes, colours, icons and type, as SVG and as PNG, without a browser."""
