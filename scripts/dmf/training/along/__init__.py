"""What a run is like along its way: trajectories, and the sharpness at their points. Trains nothing that is kept."""
