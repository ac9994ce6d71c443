"""What several stages need of numpy and OpenCV."""
