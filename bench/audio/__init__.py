"""Scenes, metrics and peers of the audio benches."""
