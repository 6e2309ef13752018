"""What the bundled tools share, so that no tool needs to import another."""
