"""The portal: what clients see."""
