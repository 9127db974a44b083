"""How a workflow is made and checked: node types, registry, builder, validation, picture, dialects."""
