"""Who an object is: the engine's tags, names and the hash that proves ownership."""
